/** A clock that stands still until `pass`; then its calls come in the order of their times. */
import type { Clock } from '../src/abort/index.js';

export class ManualClock implements Clock {
  #now = 0;
  #calls: { at: number; call: () => void }[] = [];
  /** Awaited before time moves on: what must have come by then. */
  readonly #settled: () => Promise<unknown>;

  constructor(settled: () => Promise<unknown> = () => new Promise((turn) => setImmediate(turn))) {
    this.#settled = settled;
  }

  now(): number {
    return this.#now;
  }

  get waiting(): number {
    return this.#calls.length;
  }

  after(ms: number, call: () => void): () => void {
    const one = { at: this.#now + ms, call };
    this.#calls.push(one);
    return () => {
      this.#calls = this.#calls.filter((other) => other !== one);
    };
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await this.#settled();
      const next = this.#calls.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#calls = this.#calls.filter((other) => other !== next);
      next.call();
    }
    this.#now = end;
  }
}
