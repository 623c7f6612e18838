/**
 * Element types of the numeric rooms.
 *
 * The default dtype is f32: matrices of zeros, drawn weights, states. Given numbers keep their precision until a
 * network stores them in its own dtype; arrays of numbers are f64.
 */
import { DtesnError } from '../errors/index.js';
import type { Floats } from './contract.js';

/** Element type of states, series and weights: 'f32' (default) or 'f64'. */
export type FloatDtype = 'f32' | 'f64';

export const defaultDtype: FloatDtype = 'f32';

export function dtypeOf(values: Floats): FloatDtype {
  return values instanceof Float32Array ? 'f32' : 'f64';
}

export function arrayOf(dtype: FloatDtype): 'Float32Array' | 'Float64Array' {
  return dtype === 'f32' ? 'Float32Array' : 'Float64Array';
}

/** Zeros on shared memory, so that asynchronous runs and other threads may use them. */
export function sharedFloats(dtype: FloatDtype, length: number): Floats {
  const bytes = length * (dtype === 'f32' ? 4 : 8);
  const buffer = allocated(bytes, () => new SharedArrayBuffer(bytes));
  return dtype === 'f32' ? new Float32Array(buffer) : new Float64Array(buffer);
}

/** Zeros on ordinary memory. */
export function floats(dtype: FloatDtype, length: number): Floats {
  const bytes = length * (dtype === 'f32' ? 4 : 8);
  return allocated(bytes, () => (dtype === 'f32' ? new Float32Array(length) : new Float64Array(length)));
}

function allocated<B>(bytes: number, allocate: () => B): B {
  try {
    return allocate();
  } catch (cause) {
    throw new DtesnError('ERR_DTESN_MEMORY', `Expected ${bytes} bytes of memory but the allocation failed`, { cause });
  }
}
