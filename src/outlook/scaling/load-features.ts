/**
 * What the load of the next minutes is forecast from: moving averages of 30, 120 and 600 s, and the time of day.
 *
 *     f = [ m30, m30 - m120, m120 - m600, sin(kωt)/k, cos(kωt)/k for k = 1, 2, 3, 1 ],   ω = 2π / day
 *
 * Averages are in units of `scale`; t is UTC.
 */
import { Ewma } from '../online/index.js';

const AVERAGES = [30, 120, 600];
const HARMONICS = 3;

export const loadFeatureCount = AVERAGES.length + 2 * HARMONICS + 1;

export class LoadFeatures {
  readonly #averages = AVERAGES.map((seconds) => new Ewma(seconds));
  readonly #daySeconds: number;

  constructor(daySeconds: number) {
    this.#daySeconds = daySeconds;
  }

  /** The mean of a step that lasted `seconds`. */
  add(value: number, seconds: number): void {
    for (const average of this.#averages) average.add(value, seconds);
  }

  /** At a time of UTC; null before the first step. */
  at(timeSeconds: number, scale: number): Float64Array | null {
    const [fast, middle, slow] = this.#averages.map(({ value }) => value) as [number | null, number, number];
    if (fast === null) return null;
    const features = Float64Array.from({ length: loadFeatureCount }, () => 1);
    features.set([fast / scale, (fast - middle) / scale, (middle - slow) / scale]);
    for (let k = 1; k <= HARMONICS; k++) {
      const angle = (2 * Math.PI * k * timeSeconds) / this.#daySeconds;
      features.set([Math.sin(angle) / k, Math.cos(angle) / k], AVERAGES.length + 2 * (k - 1));
    }
    return features;
  }

  get averages(): (number | null)[] {
    return this.#averages.map(({ value }) => value);
  }

  /** Null: they begin with the next step. */
  set(averages: readonly (number | null)[]): void {
    for (const [i, average] of this.#averages.entries()) average.set(averages[i] ?? null);
  }
}
