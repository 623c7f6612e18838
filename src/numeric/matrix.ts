/** A matrix: rows x cols numbers, row-major. */
import { argumentError, checkWhole, shapeError } from '../errors/index.js';
import { checkView, defaultDtype, type Floats, floats } from '../native/index.js';

/** A matrix of rows x cols numbers, row-major: element (i, k) is data[i cols + k]. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly data: Floats;
}

/** Elements of a matrix: a typed array (kept, not copied), an array of numbers, or an array of rows. */
export type MatrixData = Floats | readonly number[] | readonly (readonly number[])[];

/**
 * A matrix: rows x cols numbers, row-major.
 *
 *     element (i, k) is data[i cols + k]
 *
 * `data` may be a Float32Array or Float64Array, which is kept and not copied (over ordinary or shared memory of fixed
 * size), an array of numbers, or an array of rows; arrays become a Float64Array. Left out, it is zeros of the
 * default dtype (Float32Array).
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a size that is not a whole number, data of another kind or a
 * growable buffer; RangeError ERR_DTESN_SHAPE when the data does not have rows x cols elements.
 */
export function matrix(rows: number, cols: number, data?: MatrixData): Matrix {
  checkWhole(rows, 'rows', 0);
  checkWhole(cols, 'cols', 0);
  return {
    rows,
    cols,
    data: Array.isArray(data) ? copied(data, rows, cols) : kept(data as Floats | undefined, rows, cols),
  };
}

function kept(data: Floats | undefined, rows: number, cols: number): Floats {
  if (data === undefined) return floats(defaultDtype, rows * cols);
  const view = checkView(data, 'data', ['Float32Array', 'Float64Array']);
  if (view.length !== rows * cols) throw elementsError(rows, cols, `${view.length}`);
  return view;
}

function copied(data: readonly unknown[], rows: number, cols: number): Float64Array {
  const isRows = Array.isArray(data[0]);
  if (isRows && data.length !== rows) throw elementsError(rows, cols, `${data.length} rows`);
  const numbers = isRows ? data.flatMap((row, i) => checkRow(row, i, rows, cols)) : data;
  if (numbers.length !== rows * cols) throw elementsError(rows, cols, `${numbers.length}`);
  const copy = new Float64Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i];
    if (typeof value !== 'number') throw argumentError('numbers', `data (element ${i})`, value);
    copy[i] = value;
  }
  return copy;
}

function checkRow(row: unknown, i: number, rows: number, cols: number): readonly unknown[] {
  if (!Array.isArray(row)) throw argumentError('a row of numbers', `data[${i}]`, row);
  if (row.length !== cols) throw elementsError(rows, cols, `${row.length} in row ${i}`);
  return row;
}

function elementsError(rows: number, cols: number, received: string) {
  return shapeError(`data with ${rows} x ${cols} elements`, received);
}
