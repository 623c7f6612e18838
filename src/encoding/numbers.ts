/**
 * Numbers given by the caller: a list (one feature), rows of equal length, a Float32Array or Float64Array (one
 * feature), or a matrix { rows, cols, data } in row-major order. All finite; they are checked, not copied.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT naming the element, RangeError ERR_DTESN_SHAPE for ragged rows, rows
 * of no features and data that does not fill its matrix.
 */
import { argumentError, checkWhole, rangeError, shapeError } from '../errors/index.js';
import { checkView } from '../native/index.js';
import type { EncodedNumbers, FlatValues } from './encoded-input.js';

/** A matrix of numbers: rows x cols, row-major, element (i, k) at data[i cols + k]. All finite. */
export interface MatrixLike {
  rows: number;
  cols: number;
  data: FlatValues;
}

export function encodeList(values: FlatValues): EncodedNumbers {
  return encoded(values.length, 1, values, greatest(values, 'input'));
}

export function encodeRows(rows: readonly (readonly number[])[]): EncodedNumbers {
  const features = rows[0]?.length ?? 1;
  if (features === 0) throw shapeError('input[0] with 1 number or more', 0);
  let largest = 0;
  for (const [t, row] of rows.entries()) {
    if (!Array.isArray(row)) throw argumentError('an array of numbers', `input[${t}]`, row);
    if (row.length !== features) {
      throw shapeError(`input[${t}] with ${features} numbers, as many as input[0] has,`, row.length);
    }
    largest = Math.max(largest, greatest(row, `input[${t}]`));
  }
  return encoded(rows.length, features, rows, largest);
}

export function encodeMatrix({ rows, cols, data }: MatrixLike): EncodedNumbers {
  checkWhole(rows, 'input.rows', 0);
  checkWhole(cols, 'input.cols', 1);
  const values = Array.isArray(data) ? data : checkView(data, 'input.data', ['Float32Array', 'Float64Array']);
  if (values.length !== rows * cols) {
    throw shapeError(`input.data with ${rows * cols} numbers (${rows} rows x ${cols} cols)`, values.length);
  }
  return encoded(rows, cols, values, greatest(values, 'input.data'));
}

/** The greatest absolute value; every value is a finite number. */
function greatest(values: FlatValues, argument: string): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const value: unknown = values[i];
    if (typeof value !== 'number') throw argumentError('a finite number', `${argument}[${i}]`, value);
    if (!Number.isFinite(value)) throw rangeError('a finite number', `${argument}[${i}]`, value);
    largest = Math.max(largest, Math.abs(value));
  }
  return largest;
}

function encoded(steps: number, features: number, values: EncodedNumbers['values'], largest: number): EncodedNumbers {
  return { kind: 'numbers', steps, features, values, largest, encoder: 'given', note: null, error: null };
}
