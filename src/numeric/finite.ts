/**
 * Checks that numbers are finite in the dtype that stores them: 1e39 is an infinity in f32, and 1e-320 is 0.
 *
 * Errors: RangeError ERR_DTESN_ARGUMENT that names the argument, the element and the value.
 */
import { rangeError } from '../errors/index.js';
import { arrayOf, dtypeOf, type FloatDtype, type Floats, floats } from '../native/index.js';

/** The values in a dtype, copied only where they are of another kind; each is finite there. */
export function storedAs(values: ArrayLike<number>, dtype: FloatDtype, argument: string): Floats {
  const isKept = (values instanceof Float32Array || values instanceof Float64Array) && dtypeOf(values) === dtype;
  const stored = isKept ? values : floats(dtype, values.length);
  if (!isKept) stored.set(values);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(stored[i])) throw notFinite(values[i]!, dtype, `${argument} (element ${i})`);
  }
  return stored;
}

/** The same check without a copy: for values that are stored one by one afterwards. */
export function checkAllAsStored(values: ArrayLike<number>, dtype: FloatDtype, argument: string): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(dtype === 'f32' ? Math.fround(value) : value)) {
      throw notFinite(value, dtype, `${argument} (element ${i})`);
    }
  }
}

/** One number that is to be stored in a dtype: the number itself. */
export function checkAsStored(value: number, dtype: FloatDtype, argument: string): number {
  if (Number.isFinite(dtype === 'f32' ? Math.fround(value) : value)) return value;
  throw notFinite(value, dtype, argument);
}

function notFinite(value: number, dtype: FloatDtype, argument: string) {
  const expected = Number.isFinite(value) ? `numbers that are finite in a ${arrayOf(dtype)}` : 'finite numbers';
  return rangeError(expected, argument, value);
}
