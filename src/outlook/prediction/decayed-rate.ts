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
  rate: number | null = null;

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
    this.moveTo(now);
    this.#sum += amount;
    this.moveTo(now);
  }

  /** The rate at `now`; between two calls it stays, so that reading it costs nothing. Null until half a window was counted. */
  moveTo(now: number): void {
    if (this.#at === null) return;
    const passed = Math.max(0, now - this.#at);
    this.#at += passed;
    this.#sum *= Math.exp(-passed / this.#window);
    const counted = this.#at - this.#since;
    const covered = this.#window * (1 - Math.exp(-counted / this.#window));
    this.rate = counted < this.#window / 2 ? null : this.#sum / covered;
  }

  snapshot(): DecayedRateSnapshot {
    return { sum: this.#sum, at: this.#at, since: this.#since, rate: this.rate };
  }

  restore({ sum, at, since, rate }: DecayedRateSnapshot): void {
    this.#sum = sum;
    this.#at = at;
    this.#since = since;
    this.rate = rate;
  }
}

export interface DecayedRateSnapshot {
  sum: number;
  at: number | null;
  since: number;
  rate: number | null;
}
