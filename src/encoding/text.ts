/**
 * Text to token ids: by the engine's tokenizer; when there is none or it fails, by the local one of the model's files; else
 * one token a UTF-8 byte (0 ... 255; a lone surrogate becomes the three bytes of U+FFFD). An empty text is zero tokens,
 * and no tokenizer is asked.
 *
 * A fallback is never silent: `note` says why, `error` keeps what the tokenizer threw.
 *
 * Errors: RangeError ERR_DTESN_ARGUMENT for a text of more characters than `maxSteps` (its bytes could not fit, so no
 * tokenizer is asked) or of more tokens; the reason of the signal when it is aborted.
 */
import { DtesnError, describe, rangeError } from '../errors/index.js';
import type { EncodedTokens } from './encoded-input.js';
import { isToken } from './token.js';

/**
 * The tokenizer of an engine: it resolves to the token ids of a text, or rejects; encodeInput then falls back and says
 * why.
 */
export type Tokenize = (text: string, options: { signal?: AbortSignal }) => Promise<{ tokens: number[] }>;

/** The tokenizer of the model's own files; null when they are not on this host. */
export type FindLocalTokenizer = () => Promise<TextTokenizer | null>;

/** Where it has `encodeAsync` that is asked: it leaves the event loop alone. */
export interface TextTokenizer {
  readonly folder: string;
  encode(text: string): number[];
  encodeAsync?(text: string, options: { signal?: AbortSignal }): Promise<number[]>;
}

export interface TextOptions {
  tokenize?: Tokenize | undefined;
  localTokenizer?: FindLocalTokenizer | undefined;
  signal?: AbortSignal | undefined;
  maxSteps: number;
}

export async function encodeText(text: string, options: TextOptions): Promise<EncodedTokens> {
  const { tokenize, localTokenizer, signal, maxSteps } = options;
  if (text.length > maxSteps) throw rangeError(`a text of ${maxSteps} characters or fewer`, 'input', text.length);
  if (text === '') return encoded(new Uint8Array(0), 'utf8-bytes', 'the text is empty: there is nothing to tokenize');
  let why = 'no tokenizer was given';
  let error: Error | null = null;
  if (tokenize !== undefined) {
    const engine = await attempt(async () => checkReply(await tokenize(text, signal ? { signal } : {})), signal);
    if (!(engine instanceof Error)) return encoded(withinLimit(engine, maxSteps), 'engine', null);
    why = `the tokenizer failed (${engine.message})`;
    error = engine;
  }
  if (localTokenizer !== undefined) {
    const local = await attempt(() => encodeLocally(text, localTokenizer, signal), signal);
    if (local instanceof Error) {
      why += `, and the local one failed (${local.message})`;
      error ??= local;
    } else if (local !== null) {
      const note = `${why}: the tokens come from the tokenizer in ${local.folder}`;
      return encoded(withinLimit(local.tokens, maxSteps), 'local', note, error);
    }
  }
  const bytes = withinLimit(new TextEncoder().encode(text), maxSteps);
  return encoded(bytes, 'utf8-bytes', `${why}: the tokens are UTF-8 bytes`, error);
}

/** What came of a tokenizer, or its error; the caller's own abort is thrown on. */
async function attempt<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T | Error> {
  try {
    return await work();
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  } finally {
    signal?.throwIfAborted();
  }
}

async function encodeLocally(text: string, find: FindLocalTokenizer, signal: AbortSignal | undefined) {
  const tokenizer = await find();
  if (tokenizer === null) return null;
  const asked = tokenizer.encodeAsync?.(text, signal ? { signal } : {});
  return { tokens: checkReply({ tokens: await (asked ?? tokenizer.encode(text)) }), folder: tokenizer.folder };
}

/** A wrong answer of a tokenizer is a failure of the tokenizer, not an error of the caller. */
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

function withinLimit<T extends number[] | Uint8Array>(tokens: T, maxSteps: number): T {
  if (tokens.length > maxSteps) throw rangeError(`a text of ${maxSteps} tokens or fewer`, 'input', tokens.length);
  return tokens;
}

function encoded(
  tokens: number[] | Uint8Array,
  encoder: 'engine' | 'local' | 'utf8-bytes',
  note: string | null,
  error: Error | null = null,
): EncodedTokens {
  return { kind: 'tokens', steps: tokens.length, features: 1, tokens, encoder, note, error };
}
