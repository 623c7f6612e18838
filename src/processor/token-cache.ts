/**
 * Cache of the token ids that the engine's tokenizer returned: an equal text is requested once.
 *
 * Least recently used texts are dropped beyond `maxBytes` (8 bytes a token, 2 a character). Concurrent callers of the
 * same text share one request, which ends when the last of them stops waiting. Only ids that passed the checks of
 * encodeInput are stored (`keep`), unless the cache was cleared since the request. The cache is cleared when `epoch`
 * changes: the engine restarted, its model or tokenizer is another one, or another provider tokenises.
 */
import { LRUCache } from 'lru-cache';
import { SharedWork } from '../abort/index.js';
import type { Tokenize } from '../encoding/index.js';

const BYTES_A_TOKEN = 8;
const BYTES_A_CHARACTER = 2;

type Answer = Awaited<ReturnType<Tokenize>>;

export class TokenCache {
  readonly #kept: LRUCache<string, readonly number[]>;
  readonly #asking = new Map<string, SharedWork<Answer>>();
  #epoch = '';
  #generation = 0;
  hits = 0;
  misses = 0;

  constructor(maxBytes: number) {
    this.#kept = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (tokens, text) => BYTES_A_TOKEN * tokens.length + BYTES_A_CHARACTER * text.length + 1,
    });
  }

  /** Rises whenever the cache is cleared. */
  get generation(): number {
    return this.#generation;
  }

  get bytes(): number {
    return this.#kept.calculatedSize;
  }

  get entries(): number {
    return this.#kept.size;
  }

  /** Clears the cache when the epoch changes. */
  follow(epoch: string): void {
    if (epoch !== this.#epoch) this.clear();
    this.#epoch = epoch;
  }

  clear(): void {
    this.#generation++;
    this.#kept.clear();
    this.#asking.clear();
  }

  /** The ids of a text; undefined when they are not cached. */
  get(text: string): readonly number[] | undefined {
    const tokens = this.#kept.get(text);
    if (tokens !== undefined) this.hits++;
    return tokens;
  }

  /** Requests the ids of a text; concurrent callers of the same text share one request. */
  async ask(text: string, tokenize: Tokenize, signal?: AbortSignal): Promise<Answer> {
    this.misses++;
    const work = this.#asking.get(text) ?? new SharedWork((shared) => tokenize(text, { signal: shared }));
    this.#asking.set(text, work);
    try {
      return await work.result(signal);
    } finally {
      if (work.idle && this.#asking.get(text) === work) this.#asking.delete(text);
    }
  }

  /** Stores ids that were requested in this generation. */
  keep(text: string, tokens: readonly number[], generation: number): void {
    if (generation === this.#generation) this.#kept.set(text, tokens);
  }
}
