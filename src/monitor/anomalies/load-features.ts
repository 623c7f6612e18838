/**
 * What the load of an engine is described by, for a chart that predicts the health of the engine from it.
 *
 *     u = (running, arrivals, finishes, prompt tokens, generated tokens a second), scaled to the order of 1
 *     bank of moving averages: f = (1, u, EWMA_10 u, EWMA_60 u)
 */
import type { HealthSample } from './health-sample.js';
import { MovingAverage } from './moving-average.js';

export const LOAD_INPUTS = 5;
const TAU_SECONDS = [10, 60] as const;

/** Describes the load of one engine: an EwmaBank, or a reservoir. */
export interface LoadFeatures {
  /** Features that `next` returns. */
  readonly size: number;
  /** Takes the load of the last `seconds` seconds (5 inputs) and returns the features; the array may be used again. */
  next(load: ArrayLike<number>, seconds: number): ArrayLike<number>;
  /** Forgets what was before, as after a restart. */
  reset(): void;
}

/** The load of a sample; what the engine does not say counts as 0. Null where no rate of tokens is known, as after a restart. */
export function loadOf(sample: HealthSample): Float64Array | null {
  const { running, arrivalsPerSecond, finishesPerSecond, promptTokensPerSecond, generationTokensPerSecond } = sample;
  if (promptTokensPerSecond === null && generationTokensPerSecond === null) return null;
  return Float64Array.of(
    (running ?? 0) / 10,
    arrivalsPerSecond ?? 0,
    finishesPerSecond ?? 0,
    (promptTokensPerSecond ?? 0) / 1000,
    (generationTokensPerSecond ?? 0) / 100,
  );
}

/** The bank of moving averages: 1, the load, and its averages over 10 and 60 seconds; 16 features. */
export class EwmaBank implements LoadFeatures {
  readonly size = 1 + LOAD_INPUTS * (1 + TAU_SECONDS.length);
  readonly #averages = TAU_SECONDS.map((tau) => Array.from({ length: LOAD_INPUTS }, () => new MovingAverage(tau)));
  readonly #features = new Float64Array(this.size);

  next(load: ArrayLike<number>, seconds: number): Float64Array {
    this.#features[0] = 1;
    let at = 1;
    for (let i = 0; i < LOAD_INPUTS; i++) this.#features[at++] = load[i]!;
    for (const averages of this.#averages) {
      for (let i = 0; i < LOAD_INPUTS; i++) this.#features[at++] = averages[i]!.add(load[i]!, seconds);
    }
    return this.#features;
  }

  reset(): void {
    for (const averages of this.#averages) for (const average of averages) average.reset();
  }
}
