/**
 * An exponentially weighted moving average of values that come at any intervals.
 *
 *     m += (1 - exp(-dt / τ)) (y - m),   m = y at the first value
 *
 * Units: seconds; those of the value.
 */
export class Ewma {
  readonly #seconds: number;
  #value: number | null = null;

  /** `seconds`: the time constant τ. */
  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** Null before the first value. */
  get value(): number | null {
    return this.#value;
  }

  /** A value that held for `seconds`. */
  add(value: number, seconds: number): number {
    const before = this.#value;
    this.#value = before === null ? value : before + (1 - Math.exp(-seconds / this.#seconds)) * (value - before);
    return this.#value;
  }

  /** The average goes on from here; null: from the next value. */
  set(value: number | null): void {
    this.#value = value;
  }
}
