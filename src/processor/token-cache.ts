/**
 * Token ids of texts that the engine's tokenizer answered for: equal text is asked for once.
 *
 * Least recently used texts are dropped beyond `maxBytes` (8 bytes a token, 2 a character). Callers that ask for the same
 * text at the same time share one question, which ends when the last of them stops waiting. Only what passed the checks of
 * encodeInput is kept (`keep`), unless everything was forgotten since it was asked. Everything is forgotten when `epoch` changes: the engine restarted, its model or tokenizer is
 * another one, or another provider tokenises.
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

  /** Rises whenever everything is forgotten. */
  get generation(): number {
    return this.#generation;
  }

  get bytes(): number {
    return this.#kept.calculatedSize;
  }

  get entries(): number {
    return this.#kept.size;
  }

  /** Forgets everything when the epoch is another one than before. */
  follow(epoch: string): void {
    if (epoch !== this.#epoch) this.clear();
    this.#epoch = epoch;
  }

  clear(): void {
    this.#generation++;
    this.#kept.clear();
    this.#asking.clear();
  }

  /** The ids of a text; undefined where they are not known. */
  get(text: string): readonly number[] | undefined {
    const tokens = this.#kept.get(text);
    if (tokens !== undefined) this.hits++;
    return tokens;
  }

  /** Asks for the ids of a text; callers that ask for the same text at the same time share one question. */
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

  /** Keeps what was asked in this generation. */
  keep(text: string, tokens: readonly number[], generation: number): void {
    if (generation === this.#generation) this.#kept.set(text, tokens);
  }
}
