/**
 * Exponentially weighted moving average over irregular times, without a bias towards its first value.
 *
 *     w = e^(-Δt/τ);   m = Σ w^k x / Σ w^k
 *
 * τ seconds. Until about τ has passed it is the plain mean of what came.
 */
export class MovingAverage {
  readonly #tau: number;
  #sum = 0;
  #weight = 0;

  constructor(tau: number) {
    this.#tau = tau;
  }

  /** Null before the first value. */
  get value(): number | null {
    return this.#weight === 0 ? null : this.#sum / this.#weight;
  }

  /** Takes the mean of the last `seconds` seconds and returns the average. */
  add(value: number, seconds: number): number {
    const keep = Math.exp(-seconds / this.#tau);
    this.#sum = keep * this.#sum + (1 - keep) * value;
    this.#weight = keep * this.#weight + (1 - keep);
    return this.value ?? value;
  }

  reset(): void {
    this.#sum = 0;
    this.#weight = 0;
  }
}
