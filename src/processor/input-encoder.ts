/**
 * Inputs to series beside one engine: text by its tokenizer (kept ids first, where the plan allows caching), by that of the
 * model's files, or as UTF-8 bytes.
 *
 * An engine that is known not to tokenise is not asked: the input would only wait for its silence. Where `ask` is false
 * (a context was handed in) no request is made at all, and a note says so when the ids are not the engine's.
 *
 * Errors: those of encodeInput; DtesnError ERR_DTESN_EMPTY for an input without steps.
 */
import { type EncodedInput, type EncodeInput, encodeInput, type Tokenize } from '../encoding/index.js';
import { DtesnError } from '../errors/index.js';
import { type Engine, type Sources, withTimeLimit } from '../sources/index.js';
import type { ModelTokenizer } from './model-tokenizer.js';
import type { TokenCache } from './token-cache.js';

export interface EncodingRules {
  tokenizer: Sources['tokenizer'];
  /** Whether ids of equal texts are kept and used. */
  caching: boolean;
  /** Whether the engine may be asked. */
  ask: boolean;
  signal?: AbortSignal | undefined;
}

export interface Encoding {
  encoded: EncodedInput;
  /** Whether the ids were kept from an earlier input. */
  reused: boolean;
}

const NOT_ASKED = 'a context was given, so the engine was not asked';

export class InputEncoder {
  readonly #engine: () => Engine | null;
  readonly #local: ModelTokenizer | null;
  readonly #cache: TokenCache;
  readonly #limitMs: number;

  constructor(engine: () => Engine | null, local: ModelTokenizer | null, cache: TokenCache, limitMs: number) {
    this.#engine = engine;
    this.#local = local;
    this.#cache = cache;
    this.#limitMs = limitMs;
  }

  async encode(input: EncodeInput, rules: EncodingRules): Promise<Encoding> {
    const { caching, ask, signal } = rules;
    const { generation } = this.#cache;
    const kept = caching && typeof input === 'string' ? this.#cache.get(input) : undefined;
    const tokenize = kept ? async () => ({ tokens: kept as number[] }) : this.#tokenize(rules);
    const local = this.#local;
    const encoded = await encodeInput(input, {
      ...(tokenize && { tokenize }),
      ...(local && { localTokenizer: () => local.find() }),
      ...(signal && { signal }),
    });
    if (encoded.steps === 0) {
      throw new DtesnError('ERR_DTESN_EMPTY', 'Expected an input of at least one step but received an empty one');
    }
    if (typeof input === 'string' && encoded.kind === 'tokens') {
      if (encoded.encoder !== 'engine' && !ask) encoded.note = `${NOT_ASKED}: ${encoded.note ?? ''}`;
      if (encoded.encoder === 'engine' && caching && !kept) {
        this.#cache.keep(input, encoded.tokens as readonly number[], generation);
      }
    }
    return { encoded, reused: kept !== undefined };
  }

  #tokenize({ tokenizer, caching, ask }: EncodingRules): Tokenize | null {
    const engine = this.#engine();
    const usable = engine !== null && tokenizer.state !== 'error' && tokenizer.has_encode_method !== false;
    if (!usable || !ask) return null;
    const late = () => new DOMException(`no tokens within ${this.#limitMs} ms`, 'TimeoutError');
    const limited: Tokenize = (text, { signal }) =>
      withTimeLimit(this.#limitMs, late, signal, (limit) => engine.tokenize(text, { signal: limit }));
    return caching ? (text, { signal }) => this.#cache.ask(text, limited, signal) : limited;
  }
}
