/**
 * Plain objects with typed arrays as JSON, and the arrays beside it:
 *
 *     {"$tensor": NAME}                an array of the file
 *     {"$fill": [DTYPE, LENGTH, VALUE]}   one that holds the same number everywhere
 *     {"$number": TEXT}  {"$bigint": TEXT}   what JSON cannot hold: NaN, infinities, -0 and whole numbers of any size
 *
 * Errors: a RangeError of unpack for what pack does not make.
 */
import { checkMemory } from '../numeric/index.js';
import { type Tensor, type TensorType, tensorKinds, tensorTypeOf } from './safetensors.js';

const MOST_DEPTH = 64;

export function pack(value: unknown, tensors: Map<string, Tensor>, name = ''): unknown {
  if (typeof value === 'bigint') return { $bigint: String(value) };
  if (typeof value === 'number') {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { $number: Object.is(value, -0) ? '-0' : `${value}` };
  }
  if (typeof value !== 'object' || value === null) return value;
  const inside = (key: string | number) => (name === '' ? String(key) : `${name}.${key}`);
  if (ArrayBuffer.isView(value)) return packArray(value as Tensor, tensors, name);
  if (Array.isArray(value)) return value.map((one, i) => pack(one, tensors, inside(i)));
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries.map(([key, one]) => [key, pack(one, tensors, inside(key))]));
}

function packArray(values: Tensor, tensors: Map<string, Tensor>, name: string): unknown {
  const [first] = values;
  const dtype = tensorTypeOf(values);
  const isFill = first === undefined || (Number.isFinite(first) && values.every((one) => Object.is(one, first)));
  if (isFill && !Object.is(first, -0)) return { $fill: [dtype, values.length, first ?? 0] };
  tensors.set(name, values);
  return { $tensor: name };
}

export function unpack(packed: unknown, tensors: ReadonlyMap<string, Tensor>, depth = 0): unknown {
  if (depth > MOST_DEPTH) throw new RangeError('an object in more than 64 others');
  if (typeof packed !== 'object' || packed === null) return packed;
  if (Array.isArray(packed)) return packed.map((one) => unpack(one, tensors, depth + 1));
  if ('$tensor' in packed) {
    const found = tensors.get(String(packed.$tensor));
    if (found === undefined) throw new RangeError(`no numbers ${JSON.stringify(packed.$tensor)}`);
    return found;
  }
  if ('$fill' in packed) return filled(packed.$fill);
  if ('$number' in packed) return Number(packed.$number);
  if ('$bigint' in packed) return BigInt(String(packed.$bigint));
  return Object.fromEntries(Object.entries(packed).map(([key, one]) => [key, unpack(one, tensors, depth + 1)]));
}

function filled(parts: unknown): Tensor {
  const [dtype, length, value] = parts as [TensorType, number, number];
  const Kind = tensorKinds[dtype];
  if (!Object.hasOwn(tensorKinds, dtype) || !Number.isSafeInteger(length) || length < 0)
    throw new RangeError('an array of no size');
  checkMemory(8 * length, 'an array of the file');
  return new Kind(length).fill(value);
}
