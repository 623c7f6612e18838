/**
 * A frozen copy of what a host handed over, which must be plain JSON: null, booleans, finite numbers, strings, and arrays
 * and plain objects of them. A property that is undefined is left out.
 *
 * Limits: 64 levels, which a value that holds itself passes too, and 1 MiB: UTF-8 of keys and strings, and 8 bytes for every
 * other value. Errors: DtesnError ERR_DTESN_SOURCE_INVALID that names the place, `data.queue[3]`, and what is there.
 */
import { DtesnError, describe } from '../errors/index.js';

const mostLevels = 64;
const mostBytes = 1024 * 1024;

export type PlainObject = Readonly<Record<string, unknown>>;

export function plainObject(value: unknown): PlainObject {
  if (!isPlainObject(value)) throw invalid(`a plain object for data but received ${describe(value)}`);
  return copyOf(value, 'data', 0, { bytes: mostBytes }) as PlainObject;
}

function copyOf(value: unknown, place: string, level: number, left: { bytes: number }): unknown {
  if (level > mostLevels) throw invalid(`at most ${mostLevels} levels, none of which holds itself, for data`);
  spend(typeof value === 'string' ? value.length : 8, left);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'string') {
    spend(Buffer.byteLength(value) - value.length, left);
    return value;
  }
  if (Array.isArray(value)) return copyOfArray(value, place, level, left);
  if (!isPlainObject(value)) throw invalid(`plain JSON for ${place} but received ${describe(value)}`);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    spend(key.length, left);
    if (key === '__proto__') throw invalid(`another key than __proto__ in ${place}`);
    const item = value[key];
    if (item !== undefined) copy[key] = copyOf(item, `${place}.${key}`, level + 1, left);
  }
  return Object.freeze(copy);
}

function copyOfArray(items: readonly unknown[], place: string, level: number, left: { bytes: number }): unknown {
  const copy: unknown[] = [];
  for (let i = 0; i < items.length; i++) copy.push(copyOf(items[i], `${place}[${i}]`, level + 1, left));
  return Object.freeze(copy);
}

function spend(bytes: number, left: { bytes: number }): void {
  left.bytes -= bytes;
  if (left.bytes < 0) throw invalid(`at most ${mostBytes} bytes for data`);
}

function isPlainObject(value: unknown): value is PlainObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function invalid(expected: string): DtesnError {
  return new DtesnError('ERR_DTESN_SOURCE_INVALID', `Expected ${expected}`);
}
