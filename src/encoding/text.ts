/**
 * Text to token ids: by the engine's tokenizer, or, when there is none or it fails, one token a UTF-8 byte (0 ... 255;
 * a lone surrogate becomes the three bytes of U+FFFD). An empty text is zero tokens, and no tokenizer is asked.
 *
 * A fallback is never silent: `note` says why, `error` keeps what the tokenizer threw.
 *
 * Errors: RangeError ERR_DTESN_ARGUMENT for a text of more characters than `maxSteps` (its bytes could not fit, so no
 * tokenizer is asked) or of more tokens; the reason of the signal when it is aborted.
 */
import { DtesnError, describe, rangeError } from '../errors/index.js';
import type { EncodedTokens } from './encoded-input.js';
import { isToken } from './token.js';

export type Tokenize = (text: string, options: { signal?: AbortSignal }) => Promise<{ tokens: number[] }>;

export interface TextOptions {
  tokenize?: Tokenize | undefined;
  signal?: AbortSignal | undefined;
  maxSteps: number;
}

export async function encodeText(text: string, { tokenize, signal, maxSteps }: TextOptions): Promise<EncodedTokens> {
  if (text.length > maxSteps) throw rangeError(`a text of ${maxSteps} characters or fewer`, 'input', text.length);
  if (text === '') return encoded(new Uint8Array(0), 'utf8-bytes', 'the text is empty: there is nothing to tokenize');
  if (tokenize === undefined) return bytesOf(text, maxSteps, 'no tokenizer was given: the tokens are UTF-8 bytes');
  let tokens: number[];
  try {
    tokens = checkReply(await tokenize(text, signal ? { signal } : {}));
  } catch (thrown) {
    signal?.throwIfAborted();
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    return bytesOf(text, maxSteps, `the tokenizer failed (${error.message}): the tokens are UTF-8 bytes`, error);
  }
  return encoded(withinLimit(tokens, maxSteps), 'engine', null);
}

/** What a tokenizer answers is of the world, not of the caller: a wrong answer is a failed tokenizer. */
function checkReply(reply: unknown): number[] {
  const tokens = (reply as { tokens?: unknown } | null | undefined)?.tokens;
  if (!Array.isArray(tokens)) {
    throw new DtesnError('ERR_DTESN_TOKENIZER', `Expected an array of tokens but received ${describe(tokens)}`);
  }
  const wrong = tokens.findIndex((token) => !isToken(token));
  if (wrong >= 0) {
    throw new DtesnError(
      'ERR_DTESN_TOKENIZER',
      `Expected token ids (whole numbers in [0, 2^32)) but received ${describe(tokens[wrong])} at position ${wrong}`,
    );
  }
  return tokens as number[];
}

function bytesOf(text: string, maxSteps: number, note: string, error: Error | null = null): EncodedTokens {
  return encoded(withinLimit(new TextEncoder().encode(text), maxSteps), 'utf8-bytes', note, error);
}

function withinLimit<T extends number[] | Uint8Array>(tokens: T, maxSteps: number): T {
  if (tokens.length > maxSteps) throw rangeError(`a text of ${maxSteps} tokens or fewer`, 'input', tokens.length);
  return tokens;
}

function encoded(
  tokens: number[] | Uint8Array,
  encoder: 'engine' | 'utf8-bytes',
  note: string | null,
  error: Error | null = null,
): EncodedTokens {
  return { kind: 'tokens', steps: tokens.length, features: 1, tokens, encoder, note, error };
}
