/**
 * Conversion of a series to the one form that native code takes: a view of steps x features elements of one dtype. A
 * view of that dtype is used without a copy; anything else is copied once:
 *
 * - Matrix, Float32Array or Float64Array of the reservoir's dtype: no copy
 * - the other dtype, an array of numbers (one feature a step), an array of rows: copied
 *
 * Errors: TypeError for anything else; RangeError ERR_DTESN_SHAPE when the features do not fit; RangeError when a value
 * is not finite (it would never leave the state).
 */
import { argumentError, rangeError, shapeError } from '../errors/index.js';
import { arrayOf, checkView, dtypeOf, type FloatDtype, type Floats, floats, sharedFloats } from '../native/index.js';
import type { Matrix } from './matrix.js';

/**
 * A series, steps x features: a matrix, a typed array or an array of numbers (one feature a step), or an array of rows.
 * All finite.
 */
export type SeriesInput = Matrix | Floats | readonly number[] | readonly (readonly number[])[];

export interface SeriesTarget {
  inputs: number;
  dtype: FloatDtype;
  /** Whether the elements must lie on shared memory. */
  shared: boolean;
  /** For errors: the meaning of the features, such as 'inputs of this reservoir', and their owner. */
  columns: string;
  owner: string;
  /** Meaning of the columns of `out`: 'units' by default. */
  width?: string;
  /** For the error: 'series', 'series[2]'. */
  argument: string;
  /** Whether NaN may stand for what is unknown. */
  nan?: boolean;
}

export function readSeries(series: SeriesInput, target: SeriesTarget): Floats {
  const values = Array.isArray(series) ? fromRows(series, target) : fromView(series as Matrix | Floats, target);
  checkFinite(values, target);
  return values;
}

function fromView(series: Matrix | Floats, target: SeriesTarget): Floats {
  const { inputs, dtype, shared, argument } = target;
  const isMatrix = typeof series === 'object' && series !== null && 'rows' in series;
  const view = checkView(isMatrix ? series.data : series, argument, ['Float32Array', 'Float64Array']);
  if (isMatrix && series.cols !== inputs) throw featuresError(target, series.cols);
  if (view.length % inputs !== 0) throw featuresError(target, `${view.length} elements`);
  if (isMatrix && series.rows * series.cols !== view.length) {
    throw shapeError(`${argument}.data with ${series.rows} x ${series.cols} elements`, view.length);
  }
  if (dtypeOf(view) !== dtype) return copied(view, dtype, shared);
  if (shared && !(view.buffer instanceof SharedArrayBuffer)) {
    throw argumentError('a view over a SharedArrayBuffer (an asynchronous run works in place)', argument, view.buffer);
  }
  return view;
}

function fromRows(series: readonly unknown[], target: SeriesTarget): Floats {
  const { inputs, dtype, shared, argument } = target;
  const flat = series.flatMap((row, step) => {
    const cells = Array.isArray(row) ? (row as unknown[]) : [row];
    if (cells.length !== inputs) throw featuresError(target, `${cells.length} at step ${step}`);
    for (const cell of cells)
      if (typeof cell !== 'number') throw argumentError('numbers', `${argument}[${step}]`, cell);
    return cells as number[];
  });
  return copied(flat, dtype, shared);
}

function copied(values: ArrayLike<number>, dtype: FloatDtype, shared: boolean): Floats {
  const copy = shared ? sharedFloats(dtype, values.length) : floats(dtype, values.length);
  copy.set(values);
  return copy;
}

function featuresError({ inputs, columns, argument }: SeriesTarget, received: unknown) {
  return shapeError(`${argument} with ${inputs} feature${inputs === 1 ? '' : 's'} (${columns})`, received);
}

function checkFinite(values: Floats, { inputs, argument, nan }: SeriesTarget): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]) && !(nan && Number.isNaN(values[i]))) {
      throw rangeError(
        nan ? 'finite numbers, or NaN,' : 'finite numbers',
        `${argument} (step ${Math.floor(i / inputs)}, feature ${i % inputs})`,
        values[i],
      );
    }
  }
}

/** Columns of a series that says them; undefined for a typed array, whose rows depend on them. */
export function columnsOf(series: SeriesInput): number | undefined {
  if (typeof series !== 'object' || series === null) return undefined;
  if ('rows' in series) return series.cols;
  if (!Array.isArray(series)) return undefined;
  return Array.isArray(series[0]) ? series[0].length : 1;
}

/** The output of a run: the caller's view after a check, or new memory. */
export function readOut(out: unknown, length: number, { dtype, shared, owner, width = 'units' }: SeriesTarget): Floats {
  if (out === undefined) return shared ? sharedFloats(dtype, length) : floats(dtype, length);
  const holder = typeof out === 'object' && out !== null && 'rows' in out ? (out as Matrix).data : out;
  const view = checkView(holder, 'out', [arrayOf(dtype)]);
  if (view.length !== length)
    throw shapeError(`out with ${length} elements (steps x ${width} of ${owner})`, view.length);
  if (shared && !(view.buffer instanceof SharedArrayBuffer)) {
    throw argumentError('a view over a SharedArrayBuffer (an asynchronous run works in place)', 'out', view.buffer);
  }
  return view;
}
