/** What an initializer is, and what all of them check. */
import { z } from 'zod';
import { checkWhole, rangeError, shapeError } from '../errors/index.js';
import { type CsrMatrix, checkMemory, type Matrix64, matrix } from '../numeric/index.js';
import { RandomNumbers } from '../random/index.js';

/** Weights: dense, or only those that are not zero. */
export type InitialWeights = Matrix64 | CsrMatrix;

/**
 * A function that makes weights: rows x cols of them (W: units x units, W_in: units x inputs), the same for the same seed. Any function
 * of this form is one; those of `dtesn/initializers` have the seed 0 where none is given.
 */
export type Initializer = (rows: number, cols: number, seed?: number) => InitialWeights;

/** An initializer whose weights are dense. */
export type DenseInitializer = (rows: number, cols: number, seed?: number) => Matrix64;

/** A finite number with a default. */
export function number(fallback: number) {
  return z.number().default(fallback).describe('a finite number');
}

/** A share in [0, 1] with a default. */
export function share(fallback: number) {
  return z.number().min(0).max(1).default(fallback).describe('a number in [0, 1]');
}

/** Zeros to write weights into. */
export function zeros(rows: number, cols: number): Matrix64 {
  checkWhole(rows, 'rows', 1);
  checkWhole(cols, 'cols', 1);
  checkMemory(8 * rows * cols, `${rows} x ${cols} dense weights`);
  return matrix(rows, cols, new Float64Array(rows * cols)) as Matrix64;
}

/** Zeros of a W, which has as many rows as columns. */
export function square(rows: number, cols: number): Matrix64 {
  if (rows !== cols) throw shapeError('as many rows as columns (a W)', `${rows} x ${cols}`);
  return zeros(rows, cols);
}

/** The same weights, which options of too large numbers may have made infinite. Errors: RangeError ERR_DTESN_ARGUMENT. */
export function finite<Weights extends InitialWeights>(weights: Weights): Weights {
  const wrong = ('data' in weights ? weights.data : weights.values).find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw rangeError('options of which all weights are finite numbers', 'a weight', wrong);
  return weights;
}

/** The numbers that weights are drawn from. */
export function randomOf(seed: number): RandomNumbers {
  return new RandomNumbers(checkWhole(seed, 'seed', 0), 'weights');
}
