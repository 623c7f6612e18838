/** Any input to a series: text, token ids, bytes or numbers. */
import { z } from 'zod';
import { argumentError, checkOptions, rangeError } from '../errors/index.js';
import { checkView } from '../native/index.js';
import type { EncodedInput, EncodedTokens } from './encoded-input.js';
import { encodeList, encodeMatrix, encodeRows, type MatrixLike } from './numbers.js';
import { encodeText, type FindLocalTokenizer, type Tokenize } from './text.js';
import { isToken } from './token.js';

/**
 * What can be encoded: a text, token ids, bytes, numbers of one feature, rows of numbers, or a matrix. Numbers are
 * finite.
 */
export type EncodeInput =
  | string
  | { tokens: readonly number[] }
  | Uint8Array
  | readonly number[]
  | Float32Array
  | Float64Array
  | readonly (readonly number[])[]
  | MatrixLike;

export const encodeOptionsSchema = z.strictObject({
  tokenize: z
    .custom<Tokenize>((value) => typeof value === 'function')
    .optional()
    .describe('a function (text, { signal }) => Promise<{ tokens }>'),
  localTokenizer: z
    .custom<FindLocalTokenizer>((value) => typeof value === 'function')
    .optional()
    .describe('a function () => Promise<LocalTokenizer | null>'),
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
  maxSteps: z
    .int()
    .min(1)
    .default(2 ** 20)
    .describe('a whole number of steps, 1 or more'),
});

/** Options of encodeInput: tokenizers for texts, and the bound of steps. */
export interface EncodeOptions {
  /**
   * The engine's tokenizer. Default: none; texts are tokens of the local tokenizer, or bytes, without it or where it
   * fails.
   */
  tokenize?: Tokenize | undefined;
  /** Finds a tokenizer without the engine; asked only where `tokenize` gave nothing. Default: none. */
  localTokenizer?: FindLocalTokenizer | undefined;
  /** Ends the encoding, which then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined;
  /** Steps that a series may have, 1 or more. Default 1,048,576. */
  maxSteps?: number | undefined;
}

/**
 * Any input to a series: text, token ids, bytes or numbers.
 *
 *     string                              tokens, by the engine's tokenizer, a local one or as UTF-8 bytes (text.ts)
 *     { tokens: [...] }                   the given token ids
 *     Uint8Array                          its bytes as token ids
 *     number[], Float32Array, Float64Array    numbers, one feature
 *     number[][], { rows, cols, data }    numbers, a row a step
 *
 * Zero steps are legal and stay zero steps: what they mean is for the caller to decide. Nothing is copied here:
 * `writeSeries` (write.ts) moves the series once.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT, RangeError ERR_DTESN_SHAPE, each naming the element; the reason of
 * the signal when it is aborted. A tokenizer that fails is no error (text.ts).
 */
export async function encodeInput(input: EncodeInput, options: EncodeOptions = {}): Promise<EncodedInput> {
  const { tokenize, localTokenizer, signal, maxSteps } = checkOptions(encodeOptionsSchema, options, 'encodeInput');
  signal?.throwIfAborted();
  if (typeof input === 'string') return encodeText(input, { tokenize, localTokenizer, signal, maxSteps });
  const series = encodeSeries(input);
  if (series.steps > maxSteps) throw rangeError(`${maxSteps} steps or fewer`, 'input', series.steps);
  return series;
}

function encodeSeries(input: Exclude<EncodeInput, string>): EncodedInput {
  if (Array.isArray(input)) {
    return Array.isArray(input[0]) ? encodeRows(input as number[][]) : encodeList(input as number[]);
  }
  if (ArrayBuffer.isView(input)) {
    const view = checkView(input, 'input', ['Uint8Array', 'Float32Array', 'Float64Array']);
    return view instanceof Uint8Array ? givenTokens(view) : encodeList(view);
  }
  if (typeof input === 'object' && input !== null) {
    if ('tokens' in input) return givenTokens(checkTokens(input.tokens));
    if ('rows' in input) return encodeMatrix(input);
  }
  throw argumentError('a text, tokens, numbers, rows of numbers or a matrix', 'input', input);
}

function checkTokens(tokens: readonly number[]): readonly number[] {
  if (!Array.isArray(tokens)) throw argumentError('an array of token ids', 'input.tokens', tokens);
  const i = tokens.findIndex((token) => !isToken(token));
  if (i < 0) return tokens;
  const wrong = typeof tokens[i] === 'number' ? rangeError : argumentError;
  throw wrong('a token id (a whole number in [0, 2^32))', `input.tokens[${i}]`, tokens[i]);
}

function givenTokens(tokens: readonly number[] | Uint8Array): EncodedTokens {
  return { kind: 'tokens', steps: tokens.length, features: 1, tokens, encoder: 'given', note: null, error: null };
}
