/** Counts calls under way, so that the end of all can be awaited. In a Set of promises V8 keeps results until it collects all of its heap. */
export class Underway {
  #calls = 0;
  #waiting: (() => void)[] = [];

  /** Settles as `call` does, which is counted until then. */
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
