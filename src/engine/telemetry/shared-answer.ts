/**
 * One request to an engine, whose answer all readers on one clock share:
 *
 *     known        an answer that came less than `maxAgeMs` ago (0) is given at once
 *     under way    a request that began at most JOIN_MS ago is waited for together
 *     else         a new request
 *
 * A request ends when its last reader stops waiting; the abort of one reader does not end the request of another. A request
 * that fails discards the known answer. Errors: those of the request, to each reader that waits; the reason of the reader's signal.
 */
import { type Clock, SharedWork } from '../../abort/index.js';
import type { RequestOptions } from '../engine.js';

/** So that a request that hangs is not joined for ever. */
const JOIN_MS = 1000;

export interface SharedOptions extends RequestOptions {
  maxAgeMs?: number;
}

/** An answer, and when it came: milliseconds of the clock. */
export interface Timed<T> {
  value: T;
  at: number;
}

export class SharedAnswer<T> {
  readonly #clock: Clock;
  readonly #ask: (signal: AbortSignal) => Promise<Timed<T>>;
  #known: Timed<T> | null = null;
  #request: { work: SharedWork<Timed<T>>; begun: number } | null = null;

  constructor(clock: Clock, ask: (signal: AbortSignal) => Promise<Timed<T>>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** The last answer, where it came less than so long ago. */
  known(maxAgeMs: number): Timed<T> | null {
    return this.#known !== null && this.#clock.now() - this.#known.at < maxAgeMs ? this.#known : null;
  }

  async read({ maxAgeMs = 0, signal }: SharedOptions = {}): Promise<Timed<T>> {
    signal?.throwIfAborted();
    return this.known(maxAgeMs) ?? this.#joined().result(signal);
  }

  #joined(): SharedWork<Timed<T>> {
    const begun = this.#clock.now();
    const under = this.#request;
    if (under !== null && !under.work.idle && begun - under.begun <= JOIN_MS) return under.work;
    const request = { work: new SharedWork((signal) => this.#run(signal, () => this.#forget(request))), begun };
    this.#request = request;
    return request.work;
  }

  async #run(signal: AbortSignal, ended: () => void): Promise<Timed<T>> {
    try {
      const answer = await this.#ask(signal);
      if (this.#known === null || answer.at >= this.#known.at) this.#known = answer;
      return answer;
    } catch (error) {
      if (!signal.aborted) this.#known = null;
      throw error;
    } finally {
      ended();
    }
  }

  /** The next who asks does not join what has ended. */
  #forget(request: object): void {
    if (this.#request === request) this.#request = null;
  }
}
