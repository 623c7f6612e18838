/** Scalers: a linear map of each column, fitted to a series, with its inverse. */
import { z } from 'zod';
import { argumentError, checkOptions, rangeError, shapeError } from '../errors/index.js';
import { asMatrix, type Matrix64, type SeriesInput } from '../numeric/index.js';

/** What a Scaler is made of, as JSON. */
export interface ScalerParts {
  /** What is subtracted from each column. */
  offset: number[];
  /** What each column is divided by. */
  scale: number[];
}

/**
 * A linear map of each column.
 *
 *     transform: y = (x - offset) / scale          invert: x = y scale + offset
 *
 * A column that is constant in the series it is fitted to has the scale 1.
 */
export class Scaler {
  /** What is subtracted, one a column. */
  readonly offset: Float64Array;
  /** What is divided by, one a column; none is 0. */
  readonly scale: Float64Array;

  /**
   * A scaler of these parts: that of `toJSON()`.
   *
   * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for parts that are not finite numbers or a scale of 0; RangeError
   * ERR_DTESN_SHAPE for parts of different lengths.
   */
  constructor(parts: { offset: ArrayLike<number>; scale: ArrayLike<number> }) {
    if (typeof parts !== 'object' || parts === null) throw argumentError('an object { offset, scale }', 'parts', parts);
    this.offset = asMatrix(Array.from(parts.offset), 'offset').data;
    this.scale = asMatrix(Array.from(parts.scale), 'scale').data;
    if (this.scale.length !== this.offset.length) {
      throw shapeError(`scale with ${this.offset.length} elements (as offset)`, this.scale.length);
    }
    const zero = this.scale.indexOf(0);
    if (zero >= 0) throw rangeError('numbers other than 0', `scale (element ${zero})`, 0);
  }

  /** The scaled series, a new matrix in f64. Errors: RangeError ERR_DTESN_SHAPE for another number of columns. */
  transform(series: SeriesInput): Matrix64 {
    return this.#mapped(series, (x, k) => (x - this.offset[k]!) / this.scale[k]!);
  }

  /** The series that `transform` makes this one of. Errors: as transform's. */
  invert(series: SeriesInput): Matrix64 {
    return this.#mapped(series, (y, k) => y * this.scale[k]! + this.offset[k]!);
  }

  /** What `new Scaler(...)` makes the same scaler of. */
  toJSON(): ScalerParts {
    return { offset: [...this.offset], scale: [...this.scale] };
  }

  #mapped(series: SeriesInput, map: (value: number, column: number) => number): Matrix64 {
    const { rows, cols, data } = asMatrix(series, 'series');
    if (cols !== this.offset.length) {
      throw shapeError(`series with ${this.offset.length} features (columns of this scaler)`, cols);
    }
    return { rows, cols, data: data.map((value, i) => map(value, i % cols)) };
  }
}

/**
 * A scaler to mean 0 and standard deviation 1 (of the population: divided by the number of rows) of each column. Fit it to the training
 * rows only.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a series without rows or with numbers that are not finite.
 */
export function standardScaler(series: SeriesInput): Scaler {
  return fitted(series, (column, isConstant) => {
    if (isConstant) return { offset: column[0]!, scale: 1 };
    const mean = column.reduce((sum, x) => sum + x, 0) / column.length;
    const variance = column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / column.length;
    return { offset: mean, scale: Math.sqrt(variance) };
  });
}

const minMaxSchema = z.object({
  low: z.number().default(0).describe('a finite number'),
  high: z.number().default(1).describe('a finite number'),
});

/** Options of minMaxScaler: the bounds of the scaled columns. */
export interface MinMaxScalerOptions {
  /** What the least value of each column becomes. Default 0. */
  low?: number | undefined;
  /** What the largest value of each column becomes, above `low`. Default 1. */
  high?: number | undefined;
}

/**
 * A scaler that takes the least value of each column to `low` and the largest to `high`; a constant column goes to `low`.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT as standardScaler's, or where `high` is not above `low`.
 */
export function minMaxScaler(series: SeriesInput, options: MinMaxScalerOptions = {}): Scaler {
  const { low, high } = checkOptions(minMaxSchema, options, 'minMaxScaler');
  if (!(high > low)) throw rangeError(`a number above ${low} (low)`, 'high', high);
  return fitted(series, (column, isConstant) => {
    const least = column.reduce((a, b) => Math.min(a, b));
    const most = column.reduce((a, b) => Math.max(a, b));
    const scale = isConstant ? 1 : (most - least) / (high - low);
    return { offset: least - low * scale, scale };
  });
}

/** The map of one column. */
type ColumnFit = (column: Float64Array, isConstant: boolean) => { offset: number; scale: number };

function fitted(series: SeriesInput, partsOf: ColumnFit): Scaler {
  const { rows, cols, data } = asMatrix(series, 'series');
  if (rows === 0) throw rangeError('at least one row', 'series', rows);
  const parts = Array.from({ length: cols }, (_, k) => {
    const column = Float64Array.from({ length: rows }, (_, t) => data[t * cols + k]!);
    const isConstant = column.every((x) => x === column[0]);
    const { offset, scale } = partsOf(column, isConstant);
    return { offset, scale: scale === 0 ? 1 : scale };
  });
  return new Scaler({ offset: parts.map(({ offset }) => offset), scale: parts.map(({ scale }) => scale) });
}
