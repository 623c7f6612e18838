/** The loss of a forecast of a quantile. */
import { rangeError } from '../errors/index.js';
import type { SeriesInput } from '../numeric/index.js';
import { pairOf } from './series-pair.js';

/**
 * The quantile (pinball) loss: least in the mean for the true quantile of the targets.
 *
 *     mean max(α (target - output), (α - 1) (target - output))
 *
 * `quantile`: α in (0, 1). In the unit of the targets.
 * Errors: RangeError ERR_DTESN_ARGUMENT for another α, ERR_DTESN_SHAPE for series that differ in shape.
 * Source: Koenker & Bassett (1978), "Regression quantiles".
 */
export function quantileLoss(targets: SeriesInput, outputs: SeriesInput, quantile: number): number {
  if (!(quantile > 0 && quantile < 1)) throw rangeError('a number in (0, 1)', 'quantile', quantile);
  const pair = pairOf(targets, outputs);
  let sum = 0;
  for (const [i, target] of pair.targets.data.entries()) {
    const error = target - pair.outputs.data[i]!;
    sum += Math.max(quantile * error, (quantile - 1) * error);
  }
  return sum / pair.targets.data.length;
}
