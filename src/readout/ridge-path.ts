/** Errors of a path of ridges, each in units of the variance of the targets, averaged over the outputs. */
import { shapeError } from '../errors/index.js';
import type { Features } from './features.js';
import { mean, type ReadoutSpectrum } from './spectrum.js';
import type { RidgeSums } from './sums.js';

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

/** `errors` is folds x path x outputs, where the last of the path is the one that leaves the variance. */
export function foldTable(
  ridges: readonly number[],
  errors: Float64Array,
  outputs: number,
  path: number,
): RidgeScore[] {
  const error = foldErrors(ridges.length, errors, outputs, path);
  return ridges.map((ridge, r) => ({ ridge, error: error[r]! }));
}

/** The errors of the first `count` of such a path. */
export function foldErrors(count: number, errors: Float64Array, outputs: number, path: number): number[] {
  const sumOf = (r: number) => {
    const sums = new Float64Array(outputs);
    for (let at = r * outputs; at < errors.length; at += path * outputs) {
      for (let o = 0; o < outputs; o++) sums[o]! += errors[at + o]!;
    }
    return sums;
  };
  const totals = sumOf(path - 1);
  return Array.from({ length: count }, (_, r) => relative(sumOf(r), totals));
}

export function generalisedTable(ridges: readonly number[], spectrum: ReadoutSpectrum, rows: number): RidgeScore[] {
  return ridges.map((ridge) => ({ ridge, error: spectrum.generalised(ridge, rows) }));
}

export function leaveOneOutTable(
  ridges: readonly number[],
  sums: RidgeSums,
  features: Features,
  targets: Float64Array,
): RidgeScore[] {
  const { outputs } = sums.shape;
  const totals = sums.spectrum().totals();
  return leftBy(ridges, sums, features, targets).map((left, r) => {
    const squares = new Float64Array(outputs);
    for (let i = 0; i < left.length; i++) squares[i % outputs]! += left[i]! * left[i]!;
    return { ridge: ridges[r]!, error: relative(squares, totals) };
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

/** Infinity where an error is no number. */
function relative(sums: Float64Array, totals: Float64Array): number {
  const error = mean(sums.map((sum, o) => (totals[o]! > 0 ? sum / totals[o]! : 0)));
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}
