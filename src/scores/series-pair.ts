/** Two series of one shape: what is right, and what came out. */
import { rangeError, shapeError } from '../errors/index.js';
import { asMatrix, type Matrix64, type SeriesInput } from '../numeric/index.js';

export interface Pair {
  targets: Matrix64;
  outputs: Matrix64;
}

/** Both as matrices of equal shape with at least one row. */
export function pairOf(targets: SeriesInput, outputs: SeriesInput): Pair {
  const pair = { targets: asMatrix(targets, 'targets'), outputs: asMatrix(outputs, 'outputs') };
  const { rows, cols } = pair.targets;
  if (rows === 0) throw rangeError('at least one row', 'targets', rows);
  if (pair.outputs.rows !== rows || pair.outputs.cols !== cols) {
    throw shapeError(
      `outputs with ${rows} x ${cols} elements (as targets)`,
      `${pair.outputs.rows} x ${pair.outputs.cols}`,
    );
  }
  return pair;
}

/** Sum of squared differences. */
export function squaredError({ targets, outputs }: Pair): number {
  let sum = 0;
  for (let i = 0; i < targets.data.length; i++) sum += (targets.data[i]! - outputs.data[i]!) ** 2;
  return sum;
}

export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
};

/** Variance of the population: divided by the number of values. */
export function variance(values: ArrayLike<number>): number {
  const middle = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - middle) ** 2;
  return sum / values.length;
}
