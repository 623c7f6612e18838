/**
 * A pool of items, made on first use up to a limit and handed out in the order of requests; a returned item goes to the
 * next waiting caller. A waiting caller may abort.
 *
 * Errors: the signal's reason when aborted; DtesnError ERR_DTESN_CLOSED after close().
 */
import { DtesnError } from '../errors/index.js';

export class Pool<T extends { readonly bytes: number }> {
  readonly #most: number;
  readonly #make: () => T;
  readonly #all: T[];
  readonly #free: T[];
  readonly #waiting: ((item: T) => void)[] = [];
  #closed = false;

  /** `made`: items that exist already. */
  constructor(most: number, make: () => T, made: readonly T[] = []) {
    this.#most = most;
    this.#make = make;
    this.#all = [...made];
    this.#free = [...made];
  }

  get made(): number {
    return this.#all.length;
  }

  /** Of all items together. */
  get bytes(): number {
    return this.#all.reduce((sum, item) => sum + item.bytes, 0);
  }

  get busy(): number {
    return this.made - this.#free.length;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  take(signal?: AbortSignal): T | Promise<T> {
    signal?.throwIfAborted();
    if (this.#closed) throw new DtesnError('ERR_DTESN_CLOSED', 'Expected an open processor but it was closed');
    const free = this.#free.pop();
    if (free) return free;
    if (this.made < this.#most) {
      const item = this.#make();
      this.#all.push(item);
      return item;
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(signal?.reason);
      };
      const turn = (item: T) => {
        signal?.removeEventListener('abort', abort);
        resolve(item);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(turn);
    });
  }

  give(item: T): void {
    const next = this.#waiting.shift();
    if (next) next(item);
    else this.#free.push(item);
  }

  /** Runs `body` with an item of its own. */
  async use<R>(body: (item: T) => Promise<R>, signal?: AbortSignal): Promise<R> {
    const item = await this.take(signal);
    try {
      return await body(item);
    } finally {
      this.give(item);
    }
  }

  /** Rejects further callers; returns all items, for the owner to free. */
  close(): readonly T[] {
    this.#closed = true;
    return this.#all;
  }
}
