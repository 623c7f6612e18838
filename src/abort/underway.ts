/** Counts calls under way, for who waits for the end of all. A Set of their promises keeps results until V8 collects all of its heap. */
export class Underway {
  #calls = 0;
  #waiting: (() => void)[] = [];

  /** The promise itself, counted until it settles. */
  async during<T>(call: Promise<T>): Promise<T> {
    this.#calls++;
    try {
      return await call;
    } finally {
      this.#calls--;
      if (this.#calls === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }

  /** Resolves once no call is under way. */
  async none(): Promise<void> {
    if (this.#calls > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
