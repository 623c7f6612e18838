/** Arrays of NumPy (`.npy`). */
import { argumentError, DtesnError } from '../errors/index.js';
import { type Matrix, matrix } from '../numeric/index.js';

/** An array as a `.npy` file holds it. */
export interface NpyArray {
  /** Its lengths along each axis; empty for a single number. */
  readonly shape: readonly number[];
  /** The numbers, the last axis fastest: of float32 as they are, of all others as f64. */
  readonly data: Float32Array | Float64Array;
}

const MAGIC = '\u0093NUMPY';
/** Bytes of a number of each type, and how it is read. */
const types: Record<string, [bytes: number, read: (view: DataView, at: number) => number]> = {
  '<f4': [4, (view, at) => view.getFloat32(at, true)],
  '<f8': [8, (view, at) => view.getFloat64(at, true)],
  '<i4': [4, (view, at) => view.getInt32(at, true)],
  '<i8': [8, (view, at) => Number(view.getBigInt64(at, true))],
};

/**
 * The array of a `.npy` file, as `numpy.save` writes it: float32, float64, int32 or int64, little-endian, in C order.
 *
 * Errors: TypeError ERR_DTESN_ARGUMENT for anything but bytes; DtesnError ERR_DTESN_DATA for bytes that are not in this form, another
 * type or order, and an int64 beyond 2^53.
 * Source: NumPy Enhancement Proposal 1, https://numpy.org/neps/nep-0001-npy-format.html.
 */
export function parseNpy(bytes: Uint8Array): NpyArray {
  if (!(bytes instanceof Uint8Array)) throw argumentError('the bytes of a .npy file', 'bytes', bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, Math.min(to, from + 65_536)));
  if (text(0, 6) !== MAGIC || bytes.length < 12)
    throw dataError('a .npy file, which begins with \\x93NUMPY', 'other bytes');
  const version = bytes[6]!;
  if (version < 1 || version > 3) throw dataError('version 1, 2 or 3 of the .npy format', version);
  const start = version === 1 ? 10 : 12;
  const end = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > bytes.length) throw dataError(`a header of ${end - start} bytes`, `a file of ${bytes.length}`);
  const { type, shape } = headerOf(text(start, end));
  const [width, read] = types[type] ?? [0, null];
  if (read === null) throw dataError('numbers of type <f4, <f8, <i4 or <i8', type);
  const count = shape.reduce((product, length) => product * length, 1);
  if (count * width !== bytes.length - end) {
    throw dataError(`${count * width} bytes of numbers for the shape (${shape.join(', ')})`, bytes.length - end);
  }
  const data = type === '<f4' ? new Float32Array(count) : new Float64Array(count);
  for (let i = 0; i < count; i++) data[i] = read(view, end + i * width);
  const wide = type === '<i8' ? data.findIndex((value) => !Number.isSafeInteger(value)) : -1;
  if (wide >= 0) throw dataError('int64 within 2^53', `${data[wide]} (element ${wide})`);
  return { shape, data };
}

/** `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }` */
function headerOf(text: string): { type: string; shape: number[] } {
  const type = /'descr': *'([^']{1,16})'/.exec(text)?.[1];
  const order = /'fortran_order': *(True|False)/.exec(text)?.[1];
  const shape = /'shape': *\(((?:\d{1,16},? ?)*)\)/.exec(text)?.[1];
  if (type === undefined && /'descr': *\[/.test(text)) throw dataError('an array of numbers', 'one of records');
  if (type === undefined || order === undefined || shape === undefined) {
    throw dataError("a header with 'descr', 'fortran_order' and 'shape'", text.slice(0, 80).trim());
  }
  const lengths = shape.split(',').flatMap((length) => (length.trim() === '' ? [] : [Number(length)]));
  // A single axis has both orders.
  if (order === 'True' && lengths.length > 1)
    throw dataError('an array in C order (numpy.ascontiguousarray)', 'Fortran order');
  if (!lengths.every(Number.isSafeInteger)) throw dataError('lengths below 2^53', shape);
  return { type, shape: lengths };
}

/**
 * An array as series: of one axis the steps of one feature, of two axes steps x features, of three axes series x steps x features.
 *
 * Errors: DtesnError ERR_DTESN_DATA for an array of no or more axes, or without elements.
 */
export function seriesOfNpy({ shape, data }: NpyArray): Matrix[] {
  const [last, steps, series, ...more] = [...shape].reverse();
  if (last === undefined || more.length > 0) throw dataError('an array of one to three axes', `${shape.length} axes`);
  if (data.length === 0) throw dataError('an array with elements', `one of shape (${shape.join(', ')})`);
  if (steps === undefined) return [matrix(last, 1, data)];
  const size = steps * last;
  return Array.from({ length: series ?? 1 }, (_, i) => matrix(steps, last, data.subarray(i * size, (i + 1) * size)));
}

export function dataError(expected: string, received: unknown): DtesnError {
  return new DtesnError('ERR_DTESN_DATA', `Expected ${expected} but received ${received}`);
}
