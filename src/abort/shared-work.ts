/** One run of a piece of work for however many wait for it; it is aborted when the last of them stops waiting. */
import { ended, untilAborted } from './bounded-signal.js';

export class SharedWork<T> {
  readonly #start: (signal: AbortSignal) => Promise<T>;
  #run: { result: Promise<T>; stop: AbortController; waiting: number } | null = null;

  constructor(start: (signal: AbortSignal) => Promise<T>) {
    this.#start = start;
  }

  /** Whether no caller waits for it. */
  get idle(): boolean {
    return this.#run === null;
  }

  async result(signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const run = this.#run ?? this.#begin();
    run.waiting += 1;
    try {
      return await (signal ? untilAborted(signal, run.result) : run.result);
    } finally {
      run.waiting -= 1;
      if (run.waiting === 0) {
        run.stop.abort(ended);
        if (this.#run === run) this.#run = null;
      }
    }
  }

  #begin() {
    const stop = new AbortController();
    this.#run = { result: this.#start(stop.signal), stop, waiting: 0 };
    return this.#run;
  }
}
