/** Errors of a path of ridges, each in units of the variance of the targets, averaged over the outputs. */
import { DtesnError, shapeError } from '../errors/index.js';
import type { Features } from './features.js';
import { mean } from './spectrum.js';
import { checkRidges, type RidgeSums } from './sums.js';

/** One ridge and its error. */
export interface RidgeScore {
  /** λ. */
  ridge: number;
  /** Mean square of what is left, in units of the variance of the targets, averaged over the outputs; of a Softmax the mean log loss. */
  error: number;
}

/** 1e-14, 1e-13, ..., 1e2. */
export const ridgePath: readonly number[] = Array.from({ length: 17 }, (_, i) => Number(`1e${i - 14}`));

/** The table with the ridge of the least error; the largest of those that are equal. */
export function bestRidge(table: RidgeScore[]): { best: number; table: RidgeScore[] } {
  if (table.length === 0) throw shapeError('at least one ridge', 0);
  const least = table.reduce((best, one) => (one.error <= best.error ? one : best));
  return { best: least.ridge, table };
}

/** The ridge that leaves the variance. */
export const NO_READOUT = 1e200;

/** Errors are no more than `rounding` where an output is constant: it counts as 0. */
interface Folds {
  /** Folds x path x outputs, where the last of the path is the one that leaves the variance. */
  errors: Float64Array;
  outputs: number;
  /** Ridges and prefixes of a fold. */
  path: number;
  rounding: Float64Array;
}

export function foldsOf({ shape, rounding }: RidgeSums, errors: Float64Array, path: number): Folds {
  return { errors, outputs: shape.outputs, path, rounding };
}

/** Errors: ERR_DTESN_EMPTY where no two folds have rows. */
export function foldTable(ridges: readonly number[], folds: Folds): RidgeScore[] {
  const error = foldErrors(ridges.length, folds);
  if (error === null) {
    throw new DtesnError(
      'ERR_DTESN_EMPTY',
      'Expected rows with targets in 2 folds or more: give more rows, or one ridge',
    );
  }
  return ridges.map((ridge, r) => ({ ridge, error: error[r]! }));
}

/**
 * The errors of the first `count` of such a path; null where one fold has all rows, which no readout of the others can answer. The
 * totals of that fold are NaN.
 */
export function foldErrors(count: number, { errors, outputs, path, rounding }: Folds): number[] | null {
  const sumOf = (r: number) => {
    const sums = new Float64Array(outputs);
    for (let at = r * outputs; at < errors.length; at += path * outputs) {
      for (let o = 0; o < outputs; o++) sums[o]! += errors[at + o]!;
    }
    return sums;
  };
  const totals = sumOf(path - 1);
  if (totals.some(Number.isNaN)) return null;
  return Array.from({ length: count }, (_, r) => relative(sumOf(r), totals, rounding));
}

export function generalisedTable(ridges: readonly number[], sums: RidgeSums): RidgeScore[] {
  checkRidges(ridges);
  const { rows, rounding } = sums;
  const spectrum = sums.spectrum();
  return ridges.map((ridge) => {
    const left = relative(spectrum.residuals(ridge), spectrum.totals(), rounding);
    return { ridge, error: spectrum.generalised(left, ridge, rows) };
  });
}

export function leaveOneOutTable(
  ridges: readonly number[],
  sums: RidgeSums,
  features: Features,
  targets: Float64Array,
): RidgeScore[] {
  checkRidges(ridges);
  const { outputs } = sums.shape;
  const totals = sums.spectrum().totals();
  return leftBy(ridges, sums, features, targets).map((left, r) => {
    const squares = new Float64Array(outputs);
    for (let i = 0; i < left.length; i++) squares[i % outputs]! += left[i]! * left[i]!;
    return { ridge: ridges[r]!, error: relative(squares, totals, sums.rounding) };
  });
}

/** What each row leaves by the readout of all others, for each ridge. */
export function leftBy(
  ridges: readonly number[],
  sums: RidgeSums,
  { states, inputs, steps }: Features,
  targets: Float64Array,
): Float64Array[] {
  if (steps !== sums.rows || sums.dropped > 0) {
    throw shapeError(`the ${sums.rows} rows that were added, all with targets`, steps);
  }
  const { states: own, inputs: seen } = sums.shape;
  const features = own + seen;
  const x = new Float64Array(steps * features);
  for (let t = 0; t < steps; t++) {
    x.set(states.subarray(t * own, (t + 1) * own), t * features);
    if (inputs) x.set(inputs.subarray(t * seen, (t + 1) * seen), t * features + own);
  }
  return sums.spectrum().leaveOneOut(ridges, x, targets);
}

/** The mean over the outputs; 0 for one that is constant, and Infinity where an error is no number. */
function relative(sums: Float64Array, totals: Float64Array, rounding: Float64Array): number {
  const error = mean(sums.map((sum, o) => (totals[o]! <= rounding[o]! ? 0 : sum / totals[o]!)));
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}
