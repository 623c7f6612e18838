/**
 * Errors of outputs against targets of one shape, over all their numbers.
 *
 * Each throws TypeError or RangeError ERR_DTESN_ARGUMENT for numbers that are not finite or no rows, RangeError ERR_DTESN_SHAPE for
 * shapes that differ.
 */
import { z } from 'zod';
import { checkOptions, rangeError } from '../errors/index.js';
import type { SeriesInput } from '../numeric/index.js';
import { mean, pairOf, squaredError, variance } from './series-pair.js';

/** Mean squared error: mean (target - output)². */
export function mse(targets: SeriesInput, outputs: SeriesInput): number {
  const pair = pairOf(targets, outputs);
  return squaredError(pair) / pair.targets.data.length;
}

/** Root of the mean squared error: sqrt(mean (target - output)²), in the unit of the targets. */
export function rmse(targets: SeriesInput, outputs: SeriesInput): number {
  return Math.sqrt(mse(targets, outputs));
}

/** Mean absolute error: mean |target - output|. */
export function mae(targets: SeriesInput, outputs: SeriesInput): number {
  const pair = pairOf(targets, outputs);
  return mean(pair.targets.data.map((target, i) => Math.abs(target - pair.outputs.data[i]!)));
}

/**
 * Coefficient of determination: 1 - Σ (target - output)² / Σ (target - mean target)²; 1 is exact, 0 as good as the mean.
 *
 * -Infinity where the targets are constant and the outputs are wrong; NaN where they are constant and right.
 */
export function r2(targets: SeriesInput, outputs: SeriesInput): number {
  const pair = pairOf(targets, outputs);
  const { data } = pair.targets;
  return 1 - squaredError(pair) / (variance(data) * data.length);
}

const normalizers = ['deviation', 'range', 'mean', 'quartiles'] as const;

/** What a root mean squared error is divided by. */
export type Normalizer = (typeof normalizers)[number];

const nrmseSchema = z.object({
  normalizer: z
    .union([z.enum(normalizers), z.number().gt(0)])
    .describe("'deviation', 'range', 'mean', 'quartiles' or a number above 0"),
});

/** Options of nrmse: what the error is divided by. */
export interface NrmseOptions {
  /**
   * What the error is divided by, of all numbers of the targets: 'deviation' (their standard deviation), 'range' (largest less
   * least), 'mean' (its modulus), 'quartiles' (third quartile less first), or a number of yours, such as the deviation of the training
   * series. Required: literature has them all.
   */
  normalizer: Normalizer | number;
}

/**
 * Normalised root mean squared error: rmse / normaliser.
 *
 * With 'deviation' it is 1 for outputs that are the mean of the targets, and its square is the NMSE, 1 - r2.
 * Errors: RangeError ERR_DTESN_ARGUMENT where the normaliser is 0: constant targets.
 * Source: Lukoševičius (2012), "A practical guide to applying echo state networks", eq. 1 ('deviation').
 */
export function nrmse(targets: SeriesInput, outputs: SeriesInput, options: NrmseOptions): number {
  const { normalizer } = checkOptions(nrmseSchema, options, 'nrmse');
  const { data } = pairOf(targets, outputs).targets;
  const divisor = typeof normalizer === 'number' ? normalizer : divisors[normalizer](data);
  if (divisor === 0) throw rangeError(`targets whose ${normalizer} is not 0`, 'targets', 0);
  return rmse(targets, outputs) / divisor;
}

const divisors: Record<Normalizer, (data: Float64Array) => number> = {
  deviation: (data) => Math.sqrt(variance(data)),
  range: (data) => data.reduce((a, b) => Math.max(a, b)) - data.reduce((a, b) => Math.min(a, b)),
  mean: (data) => Math.abs(mean(data)),
  quartiles: (data) => {
    const sorted = data.toSorted();
    return quantile(sorted, 0.75) - quantile(sorted, 0.25);
  },
};

/** The quantile of ascending values, between neighbours by a straight line. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}
