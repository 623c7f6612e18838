/**
 * A load-conditioned chart: is the engine slower, or its KV memory fuller, than its load explains?
 *
 *     features f of the load (load-features.ts) -> ln(seconds between tokens), KV usage
 *     residuals -> CUSUM, against limits that are learned in operation (chart-learner.ts)
 *
 * It learns all the time: once a window is learned it replaces the one before, so a change that lasts longer than a window becomes normal.
 * Nothing is learned in the first hour of an anomaly. A load beyond those of the window is not judged; nor are the
 * first WARM_UP seconds after a start or a gap of GAP seconds, in which the averages fill.
 */
import { type ChartKind, ChartLearner, type ChartReading, type ChartRow } from './chart-learner.js';
import type { HealthSample } from './health-sample.js';
import { EwmaBank, LOAD_INPUTS, type LoadFeatures, loadOf } from './load-features.js';
import { MovingAverage } from './moving-average.js';

const WARM_UP = 180;
const GAP = 60;
const RANGE_SECONDS = 60;

export class LoadChart {
  readonly #features: LoadFeatures;
  readonly #learnSeconds: number;
  readonly #averages = Array.from({ length: LOAD_INPUTS }, () => new MovingAverage(RANGE_SECONDS));
  #current: ChartLearner | null = null;
  #next: ChartLearner;
  #warm = 0;
  #knowsLoad = false;

  constructor(learnSeconds: number, features: LoadFeatures = new EwmaBank()) {
    this.#features = features;
    this.#learnSeconds = learnSeconds;
    this.#next = this.#newLearner();
  }

  /** Share of the first window that is learned, 0 to 1; until it is 1 nothing is judged. */
  get learned(): number {
    return this.#current === null ? this.#next.learned : 1;
  }

  /** Whether the last load was within those learned. */
  get knowsLoad(): boolean {
    return this.#knowsLoad;
  }

  reading(kind: ChartKind): ChartReading | null {
    return this.#current?.reading(kind) ?? null;
  }

  /** One sample that covers `seconds`, read at `time`; `calm`: it may be learned (AnomalyLog). */
  observe(sample: HealthSample, { time, seconds, calm }: { time: number; seconds: number; calm: boolean }): void {
    const load = loadOf(sample);
    this.#knowsLoad = false;
    if (load === null || !(seconds > 0)) return;
    if (seconds > GAP) {
      this.reset();
      return;
    }
    const features = this.#features.next(load, seconds);
    const averages = this.#averages.map((average, i) => average.add(load[i]!, seconds));
    this.#warm += seconds;
    if (this.#warm <= WARM_UP) return;
    const row = { features, averages, targets: targetsOf(sample), time, seconds };
    this.#watch(row);
    if (calm) this.#learn(row);
  }

  /** Begins anew with averages and sums, as after a restart; what was learned stays. */
  reset(): void {
    this.#features.reset();
    for (const average of this.#averages) average.reset();
    this.#warm = 0;
    this.#current?.reset();
    this.#next.reset();
  }

  #watch(row: ChartRow): void {
    this.#knowsLoad = this.#current?.knows(row.averages) ?? false;
    if (this.#knowsLoad) this.#current?.watch(row);
  }

  #learn(row: ChartRow): void {
    this.#next.learn(row);
    if (!this.#next.isReady) return;
    if (this.#current !== null) this.#next.inherit(this.#current);
    this.#next.reset();
    this.#current = this.#next;
    this.#next = this.#newLearner();
  }

  #newLearner(): ChartLearner {
    return new ChartLearner({ features: this.#features.size, load: LOAD_INPUTS }, this.#learnSeconds);
  }
}

function targetsOf({ interTokenSeconds, kvUsage }: HealthSample): ChartRow['targets'] {
  const isKnown = interTokenSeconds !== null && interTokenSeconds > 0;
  return { slow: isKnown ? Math.log(interTokenSeconds) : null, leak: kvUsage };
}
