/**
 * The one copy an input goes through: from what the caller gave into the arena, row-major from the start of `target`.
 *
 * Errors: RangeError ERR_DTESN_SHAPE when the target is too small; RangeError ERR_DTESN_ARGUMENT for values that f32 does
 * not hold where the target is f32: token ids above 2^24 (they would be rounded to other ids) and numbers that would
 * become infinite.
 */
import { rangeError, shapeError } from '../errors/index.js';
import { checkView, type Floats } from '../native/index.js';
import type { EncodedInput, EncodedNumbers } from './encoded-input.js';

/** The greatest whole number up to which f32 holds all. */
const WHOLE_IN_F32 = 2 ** 24;

export function writeSeries(encoded: EncodedInput, target: Floats): void {
  const { steps, features } = encoded;
  const view = checkView(target, 'target', ['Float32Array', 'Float64Array']);
  if (view.length < steps * features) {
    throw shapeError(`target with ${steps * features} elements or more (${steps} x ${features})`, view.length);
  }
  if (view instanceof Float32Array) checkFitsF32(encoded);
  if (encoded.kind === 'tokens') view.set(encoded.tokens);
  else writeNumbers(encoded, view);
}

function writeNumbers({ values, features }: EncodedNumbers, target: Floats): void {
  if (ArrayBuffer.isView(values)) target.set(values);
  else if (Array.isArray(values[0])) (values as number[][]).forEach((row, t) => void target.set(row, t * features));
  else target.set(values as number[]);
}

function checkFitsF32(encoded: EncodedInput): void {
  if (encoded.kind === 'numbers') {
    if (Number.isFinite(Math.fround(encoded.largest))) return;
    throw rangeError('numbers in the range of a Float32Array', 'input', encoded.largest);
  }
  const { tokens } = encoded;
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i]! > WHOLE_IN_F32)
      throw rangeError('token ids up to 2^24 in a Float32Array', `tokens[${i}]`, tokens[i]);
  }
}
