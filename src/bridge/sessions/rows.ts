/**
 * Rows of a request, copied once into the dtype and the units that store them.
 *
 * Errors: BridgeError `malformed` for what is not rows of finite numbers; `impossible` for rows of another width, and for numbers
 * that are infinite in the dtype (1e39 in f32).
 */
import { type Scaling, scaled } from '../../esn/index.js';
import { type FloatDtype, type Floats, floats } from '../../native/index.js';
import { BridgeError } from '../messages/index.js';
import type { RowMatrix, Rows } from './requests.js';

export interface StoredRows {
  readonly count: number;
  readonly data: Floats;
}

/** How a request's rows are stored. */
export interface Storing {
  width: number;
  dtype: FloatDtype;
  /** Into the units of the network; null where rows come in them. */
  scaling: Scaling | null;
}

export function storedRows(rows: Rows, storing: Storing, name: string): StoredRows {
  if (typeof rows !== 'object' || rows === null)
    throw new BridgeError('malformed', `Expected rows of numbers for ${name}`);
  return 'data' in rows ? ofFrame(rows, storing, name) : ofLists(rows, storing, name);
}

function ofFrame({ rows, cols, data }: RowMatrix, { width, dtype, scaling }: Storing, name: string): StoredRows {
  if (data.length !== rows * cols) {
    throw new BridgeError('malformed', `Expected ${rows} x ${cols} numbers for ${name} but received ${data.length}`);
  }
  if (rows > 0 && cols !== width) throw wrongWidth(width, name, cols, 0);
  const stored = floats(dtype, data.length);
  if (scaling === null) stored.set(data);
  else scaled(data, scaling, stored, width);
  for (let i = 0; i < stored.length; i++) {
    if (!Number.isFinite(stored[i])) throw notFinite(data[i]!, dtype, name, Math.floor(i / width));
  }
  return { count: rows, data: stored };
}

function ofLists(rows: readonly (readonly number[])[], { width, dtype, scaling }: Storing, name: string): StoredRows {
  if (!Array.isArray(rows)) throw new BridgeError('malformed', `Expected an array of rows for ${name}`);
  for (const [i, row] of rows.entries()) {
    if (!Array.isArray(row)) throw new BridgeError('malformed', `Expected an array of numbers for ${name}[${i}]`);
    if (row.length !== width) throw wrongWidth(width, name, row.length, i);
  }
  const stored = floats(dtype, rows.length * width);
  let at = 0;
  for (const [i, row] of rows.entries()) {
    for (let k = 0; k < width; k++, at++) {
      const value = row[k];
      if (typeof value !== 'number') throw new BridgeError('malformed', `Expected numbers for ${name}[${i}]`);
      stored[at] = scaling === null ? value : (value - scaling.offset[k]!) / scaling.factor[k]!;
      if (!Number.isFinite(stored[at])) throw notFinite(value, dtype, name, i);
    }
  }
  return { count: rows.length, data: stored };
}

function wrongWidth(width: number, name: string, received: number, row: number): BridgeError {
  return new BridgeError(
    'impossible',
    `Expected ${width} numbers a row for ${name} but received ${received} in row ${row}`,
  );
}

function notFinite(value: number, dtype: FloatDtype, name: string, row: number): BridgeError {
  if (!Number.isFinite(value)) {
    return new BridgeError('malformed', `Expected finite numbers for ${name} but received ${value} in row ${row}`);
  }
  return new BridgeError(
    'impossible',
    `Expected numbers that are finite in ${dtype} for ${name}[${row}] but received ${value}`,
  );
}
