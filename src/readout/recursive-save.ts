/**
 * The bytes of a saved RecursiveLeastSquares, little-endian.
 *
 *      0  'DRLS'          4  version, 1       5  intercept, 0 or 1      6  0, 0
 *      8  u32 states     12  u32 inputs      16  u32 outputs           20  u32 0
 *     24  f64 ridge      32  f64 forgetting  40  f64 steps learned
 *     48  f64 numbers of the native object (native/readout/recursive_least_squares.h), on machines that are all
 *         little-endian
 *
 * Errors: TypeError ERR_DTESN_ARGUMENT for what is not a Uint8Array; RangeError ERR_DTESN_ARGUMENT for other bytes, those
 * of another version, and those of a save that was cut.
 */
import { rangeError } from '../errors/index.js';
import { checkView, type ReadoutShape } from '../native/index.js';

const MARK = 0x44524c53; // 'DRLS'
const VERSION = 1;
const HEADER = 48;

export interface RecursiveSave {
  shape: ReadoutShape;
  ridge: number;
  forgetting: number;
  steps: number;
  numbers: Float64Array;
}

export function joinSave({ shape, ridge, forgetting, steps, numbers }: RecursiveSave): Uint8Array {
  const bytes = new Uint8Array(HEADER + numbers.byteLength);
  const header = new DataView(bytes.buffer);
  header.setUint32(0, MARK);
  header.setUint8(4, VERSION);
  header.setUint8(5, shape.intercept ? 1 : 0);
  [shape.states, shape.inputs, shape.outputs].forEach((size, i) => {
    header.setUint32(8 + 4 * i, size, true);
  });
  [ridge, forgetting, steps].forEach((value, i) => {
    header.setFloat64(24 + 8 * i, value, true);
  });
  bytes.set(new Uint8Array(numbers.buffer), HEADER);
  return bytes;
}

/** Checks all but the numbers, which the native object checks. */
export function readSave(bytes: Uint8Array): RecursiveSave {
  checkView(bytes, 'bytes', ['Uint8Array']);
  const { length } = bytes;
  if (length < HEADER || length % 8 !== 0) throw notOfSave(`${length} bytes`);
  const header = new DataView(bytes.buffer, bytes.byteOffset, length);
  if (header.getUint32(0) !== MARK) throw notOfSave('bytes that begin otherwise');
  if (header.getUint8(4) !== VERSION) throw notOfSave(`version ${header.getUint8(4)}`);
  const size = (i: number) => header.getUint32(8 + 4 * i, true);
  const value = (i: number) => header.getFloat64(24 + 8 * i, true);
  const intercept = header.getUint8(5);
  const [states, inputs, outputs] = [size(0), size(1), size(2)];
  const [ridge, forgetting, steps] = [value(0), value(1), value(2)];
  if (intercept > 1 || header.getUint16(6) !== 0 || size(3) !== 0)
    throw notOfSave('a header that is not zero in its gaps');
  if (!(ridge > 0 && forgetting > 0 && forgetting <= 1 && Number.isSafeInteger(steps) && steps >= 0)) {
    throw notOfSave(`ridge ${ridge}, forgetting ${forgetting} and ${steps} steps`);
  }
  // Sizes that the bytes cannot hold are refused before memory is allocated for them.
  const columns = states + inputs + intercept;
  if (length < 8 * columns * (columns / 2 + outputs)) throw notOfSave(`${length} bytes for ${columns} columns`);
  const numbers = new Float64Array((length - HEADER) / 8);
  new Uint8Array(numbers.buffer).set(bytes.subarray(HEADER));
  const shape = { states, inputs, outputs, intercept: intercept === 1 };
  return { shape, ridge, forgetting, steps, numbers };
}

export function notOfSave(received: string): RangeError {
  return rangeError(`the bytes of a save() (version ${VERSION})`, 'bytes', received);
}
