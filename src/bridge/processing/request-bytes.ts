/** Sizes of inputs as they lie in memory: bytes of text, 8 of a number in an array, those of a view. */
import type { ModelInput } from './types.js';

export function bytesOf(input: ModelInput): number {
  if (typeof input === 'string') return Buffer.byteLength(input);
  if (ArrayBuffer.isView(input)) return input.byteLength;
  if (typeof input !== 'object' || input === null) return 0;
  if ('tokens' in input) return 8 * lengthOf(input.tokens);
  if ('data' in input) return ArrayBuffer.isView(input.data) ? input.data.byteLength : 8 * lengthOf(input.data);
  if (!Array.isArray(input)) return 0;
  return 8 * input.length * (Array.isArray(input[0]) ? input[0].length : 1);
}

/** Of an input that was not checked yet: 0 where it has no length. */
function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}
