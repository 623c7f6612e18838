/**
 * A rate of things that are counted one at a time, by an exponential window.
 *
 *     rate(t) = Σ amount_i exp(-(t - t_i)/τ) / (τ (1 - exp(-(t - t_0)/τ)))        t_0: when counting began
 *
 * The divisor makes the rate of the first seconds unbiased. Units: amount a second, seconds.
 */
export class DecayedRate {
  readonly #window: number;
  #sum = 0;
  #at: number | null = null;
  #since = 0;

  /** `window`: τ, seconds. */
  constructor(window: number) {
    this.#window = window;
  }

  /** Counting begins at `now`, unless it has. */
  begin(now: number): void {
    if (this.#at !== null) return;
    this.#at = now;
    this.#since = now;
  }

  add(amount: number, now: number): void {
    this.begin(now);
    const passed = Math.max(0, now - this.#at!);
    this.#sum = this.#sum * Math.exp(-passed / this.#window) + amount;
    this.#at! += passed;
  }

  /** Null until half a window was counted. */
  at(now: number): number | null {
    if (this.#at === null || now - this.#since < this.#window / 2) return null;
    const passed = Math.max(0, now - this.#at);
    const covered = 1 - Math.exp(-(now - this.#since) / this.#window);
    return (this.#sum * Math.exp(-passed / this.#window)) / (this.#window * covered);
  }

  snapshot(): DecayedRateSnapshot {
    return { sum: this.#sum, at: this.#at, since: this.#since };
  }

  restore({ sum, at, since }: DecayedRateSnapshot): void {
    this.#sum = sum;
    this.#at = at;
    this.#since = since;
  }
}

export interface DecayedRateSnapshot {
  sum: number;
  at: number | null;
  since: number;
}
