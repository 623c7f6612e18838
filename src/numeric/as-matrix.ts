/**
 * A series of unknown width as a matrix of f64: rows are steps.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for another kind or numbers that are not finite; RangeError
 * ERR_DTESN_SHAPE for rows of different lengths.
 */
import { argumentError, rangeError, shapeError } from '../errors/index.js';
import { checkView } from '../native/index.js';
import type { Matrix } from './matrix.js';
import type { SeriesInput } from './series.js';

/** A matrix in f64; a Float64Array is kept and not copied. */
export interface Matrix64 extends Matrix {
  readonly data: Float64Array;
}

/** A typed array or an array of numbers has one column; an array of rows as many as its first row. */
export function asMatrix(series: SeriesInput, argument: string): Matrix64 {
  const made = asAnyMatrix(series, argument);
  const { data, cols } = made;
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) {
      const place = `(row ${Math.floor(i / cols)}, column ${i % cols})`;
      throw rangeError('finite numbers', `${argument} ${place}`, data[i]);
    }
  }
  return made;
}

/** The same, also of numbers that are not finite. */
export function asAnyMatrix(series: SeriesInput, argument: string): Matrix64 {
  return Array.isArray(series) ? fromArray(series, argument) : fromView(series as Matrix, argument);
}

function fromArray(series: readonly unknown[], argument: string): Matrix64 {
  const cols = Array.isArray(series[0]) ? (series[0] as unknown[]).length : 1;
  const data = new Float64Array(series.length * cols);
  series.forEach((row, i) => {
    const cells = Array.isArray(row) ? (row as unknown[]) : [row];
    if (cells.length !== cols) throw shapeError(`${argument} with ${cols} columns`, `${cells.length} in row ${i}`);
    cells.forEach((cell, k) => {
      if (typeof cell !== 'number') throw argumentError('numbers', `${argument}[${i}]`, cell);
      data[i * cols + k] = cell;
    });
  });
  return { rows: series.length, cols, data };
}

function fromView(series: Matrix | Float64Array | Float32Array, argument: string): Matrix64 {
  const isMatrix = typeof series === 'object' && series !== null && 'rows' in series;
  const view = checkView(isMatrix ? series.data : series, argument, ['Float32Array', 'Float64Array']);
  const { rows, cols } = isMatrix ? series : { rows: view.length, cols: 1 };
  if (rows * cols !== view.length) throw shapeError(`${argument}.data with ${rows} x ${cols} elements`, view.length);
  return { rows, cols, data: view instanceof Float64Array ? view : Float64Array.from(view) };
}
