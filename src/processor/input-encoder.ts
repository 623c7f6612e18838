/**
 * Encodes inputs as series: text by the engine's tokenizer (cached ids first, if the plan allows caching), by the
 * tokenizer of the model's files, or as UTF-8 bytes.
 *
 * With several providers, one that fails or does not answer within half of the remaining time is followed by the next;
 * a note names the provider, and its ids are not cached.
 *
 * No request is sent to an engine that is known not to tokenise: the input would only wait for its time limit. With
 * `ask` false (a context was given) no request is sent at all, and a note reports ids that are not the engine's.
 *
 * Errors: those of encodeInput; DtesnError ERR_DTESN_EMPTY for an input without steps.
 */

import { type Clock, limitClock, systemClock, untilAborted, withTimeLimit } from '../abort/index.js';
import { type EncodedInput, type EncodeInput, encodeInput, type Tokenize } from '../encoding/index.js';
import type { Engine, RequestOptions } from '../engine/index.js';
import { DtesnError } from '../errors/index.js';
import type { Sources } from '../sources/index.js';
import type { ModelTokenizer } from './model-tokenizer.js';
import type { TokenCache } from './token-cache.js';

export interface EncodingRules {
  tokenizer: Sources['tokenizer'];
  /** Whether ids of equal texts are cached and used. */
  caching: boolean;
  /** Whether requests may be sent to the engine. */
  ask: boolean;
  signal?: AbortSignal | undefined;
  /** Trace context for the engine; of inputs that share a question, that of the first. */
  traceparent?: string | undefined;
}

export interface Encoding {
  encoded: EncodedInput;
  /** Whether the ids were cached from an earlier input. */
  reused: boolean;
}

type Ids = Awaited<ReturnType<Engine['tokenize']>>;

const NOT_ASKED = 'a context was given, so no request was sent to the engine';

export class InputEncoder {
  readonly #engines: () => Engine[];
  readonly #local: ModelTokenizer | null;
  readonly #cache: TokenCache;
  readonly #limitMs: number;
  readonly #clock: Clock;
  /** Why ids are of another provider than the first. */
  readonly #ofAnother = new WeakMap<object, string>();

  constructor(
    engines: () => Engine[],
    local: ModelTokenizer | null,
    cache: TokenCache,
    limitMs: number,
    clock: Clock = systemClock,
  ) {
    this.#clock = clock;
    this.#engines = engines;
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
      tokenize: tokenize ?? undefined,
      localTokenizer: local ? () => local.find() : undefined,
      signal,
    });
    if (encoded.steps === 0) {
      throw new DtesnError('ERR_DTESN_EMPTY', 'Expected an input of at least one step but received an empty one');
    }
    if (typeof input === 'string' && encoded.kind === 'tokens') {
      if (encoded.encoder !== 'engine' && !ask) encoded.note = `${NOT_ASKED}: ${encoded.note ?? ''}`;
      const ofAnother = this.#ofAnother.get(encoded.tokens);
      if (ofAnother !== undefined) encoded.note = ofAnother;
      if (encoded.encoder === 'engine' && caching && !kept && ofAnother === undefined) {
        this.#cache.keep(input, encoded.tokens as readonly number[], generation);
      }
    }
    return { encoded, reused: kept !== undefined };
  }

  #tokenize({ tokenizer, caching, ask, traceparent }: EncodingRules): Tokenize | null {
    const engines = this.#engines();
    const usable = engines.length > 0 && tokenizer.state !== 'error' && tokenizer.has_encode_method !== false;
    if (!usable || !ask) return null;
    const inTurn: Tokenize = (text, { signal }) =>
      this.#askInTurn(engines, text, this.#limitMs, { signal, traceparent });
    return caching ? (text, { signal }) => this.#cache.ask(text, inTurn, signal) : inTurn;
  }

  async #askInTurn(engines: Engine[], text: string, ms: number, options: RequestOptions): Promise<Ids> {
    const { signal, traceparent } = options;
    const [engine, ...others] = engines as [Engine, ...Engine[]];
    const begun = this.#clock.now();
    const own = others.length === 0 ? ms : ms / 2;
    const late = () => new DOMException(`no tokens within ${own} ms`, 'TimeoutError');
    try {
      const tokenize = (limit: AbortSignal) =>
        untilAborted(limit, engine.tokenize(text, { signal: limit, traceparent }));
      return await withTimeLimit(own, late, signal, tokenize, limitClock(engine, this.#clock));
    } catch (error) {
      signal?.throwIfAborted();
      if (others.length === 0) throw error;
      const ids = await this.#askInTurn(others, text, ms - (this.#clock.now() - begun), options).catch(() => {
        throw error; // the first error is the most informative
      });
      const why = error instanceof Error ? error.message : String(error);
      this.#ofAnother.set(ids.tokens, `the tokenizer of ${engine.label} failed (${why}): another provider's ids`);
      return ids;
    }
  }
}
