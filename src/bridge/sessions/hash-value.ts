/** Numbers and objects of numbers in a hash. */
import type { Hash } from 'node:crypto';

/** Numbers, views, and objects of them by the order of their keys. */
export function hashValue(hash: Hash, value: unknown): void {
  if (ArrayBuffer.isView(value)) {
    hash.update(`${value.constructor.name} ${value.byteLength} `);
    hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  } else if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value).sort()) {
      hash.update(`${key} `);
      hashValue(hash, (value as Record<string, unknown>)[key]);
    }
  } else {
    hash.update(`${String(value)} `);
  }
}
