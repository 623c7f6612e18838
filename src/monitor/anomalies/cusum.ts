/**
 * One-sided cumulative sum: how far a standardised residual has stayed above what it may be.
 *
 *     S' = max(0, S + min(z, CLIP) - k)
 *
 * `k` = 0.75 standard deviations, so that it looks for shifts of 1.5 or more; CLIP = 4, so that one wild sample is no alarm. The change began when
 * S was last 0.
 * Source: Page (1954), "Continuous inspection schemes", Biometrika 41.
 */
const SLACK = 0.75;
const CLIP = 4;

export class Cusum {
  #sum = 0;
  #since: number | null = null;

  /** The sum. */
  get value(): number {
    return this.#sum;
  }

  /** When the sum left 0, seconds; null where it is 0. */
  get sinceSeconds(): number | null {
    return this.#since;
  }

  /** Takes a residual; the sum stays below `most`, so that an alarm can end after its cause. */
  add(residual: number, time: number, most = Number.POSITIVE_INFINITY): number {
    if (Number.isNaN(residual)) return this.#sum;
    this.#sum = Math.min(most, Math.max(0, this.#sum + Math.min(residual, CLIP) - SLACK));
    this.#since = this.#sum === 0 ? null : (this.#since ?? time);
    return this.#sum;
  }

  reset(): void {
    this.#sum = 0;
    this.#since = null;
  }
}
