/**
 * Running baseline of a figure: mean and deviation, with exponential decay of older values (time constant TAU).
 *
 *     w = 1 - exp(-dt / TAU),  d = x - mean,  mean += w d,  variance = (1 - w)(variance + w d²)
 *
 * Units: seconds. Source: Finch (2009), "Incremental calculation of weighted mean and variance", section 9.
 */
const TAU = 600;
/** The baseline is unknown before so many values over so long a time. */
const ENOUGH = { values: 30, seconds: 60 };

export class RunningBaseline {
  #mean = 0;
  #variance = 0;
  #values = 0;
  #first = 0;
  #last = 0;

  add(value: number, time: number): void {
    if (this.#values++ === 0) {
      this.#first = time;
      this.#mean = value;
    } else {
      const weight = 1 - Math.exp(-(time - this.#last) / TAU);
      const difference = value - this.#mean;
      this.#mean += weight * difference;
      this.#variance = (1 - weight) * (this.#variance + weight * difference ** 2);
    }
    this.#last = time;
  }

  /** Two deviations above the mean; null while too little is known. */
  get high(): number | null {
    if (this.#values < ENOUGH.values || this.#last - this.#first < ENOUGH.seconds) return null;
    return this.#mean + 2 * Math.sqrt(this.#variance);
  }
}
