/**
 * Whether what an engine calls the tokens of a text can be them:
 *
 *     count = number of tokens,   number of tokens <= bytes + SPECIAL
 *
 * bytes: of the text in UTF-8, or of its NFKD form where that is longer, for a tokenizer with byte fallback makes at most one
 * token of each byte of the text as it normalises it. SPECIAL: marks such as <s>, a prefix space.
 * Errors: EngineError ERR_DTESN_ENGINE_BODY.
 */
import type { Tokenization } from '../engine.js';
import { EngineError } from '../engine-error.js';

const SPECIAL = 16;

export function checkTokenization(engine: string, text: string, answer: Tokenization): Tokenization {
  const { count, tokens } = answer;
  if (count !== tokens.length) throw refusal(engine, `counts ${count} tokens but lists ${tokens.length}`);
  const most = (written: string) => Buffer.byteLength(written) + SPECIAL;
  if (tokens.length <= most(text) || tokens.length <= most(text.normalize('NFKD'))) return answer;
  throw refusal(engine, `lists ${tokens.length} tokens for a text of ${Buffer.byteLength(text)} bytes`);
}

function refusal(engine: string, why: string): EngineError {
  return new EngineError('ERR_DTESN_ENGINE_BODY', `The tokenizer of ${engine} ${why}`);
}
