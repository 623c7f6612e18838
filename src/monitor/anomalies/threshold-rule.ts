/**
 * Thresholds over one figure: its average over 10 seconds against a limit that is learned in operation (learned-limit.ts).
 *
 *     slow     seconds between tokens
 *     storm    preemptions a second, at least LEAST_STORM
 *
 * The limit is MARGIN times the greatest of normal traffic. KV usage has no threshold: it found leaks minutes after the chart did, and
 * rose above its limit in normal traffic.
 * A load beyond those learned is not judged, except for a storm. Until a window of `learnSeconds` is over the rule says nothing; each
 * further window replaces the one before.
 */
import type { AnomalyKind, Verdict } from './anomaly.js';
import type { HealthSample } from './health-sample.js';
import { LearnedLimit } from './learned-limit.js';
import { MovingAverage } from './moving-average.js';

const AVERAGE_SECONDS = 10;
const MARGIN = 1.2;
const LEAST_STORM = 0.5;
/** How much of the greatest value of the window before stays. */
const INHERITED = 0.9;

interface Figure {
  kind: AnomalyKind;
  of: (sample: HealthSample) => number | null;
  floor: number;
  /** Whether a greater load explains a greater figure. */
  byLoad: boolean;
  says: (value: string, limit: string) => string;
}

const figures: Figure[] = [
  {
    kind: 'slow',
    of: ({ interTokenSeconds }) => interTokenSeconds,
    floor: 0,
    byLoad: true,
    says: (value, limit) => `${value} s between tokens over 10 s, more than the limit of ${limit} s`,
  },
  {
    kind: 'storm',
    of: ({ preemptionsPerSecond }) => preemptionsPerSecond,
    floor: LEAST_STORM,
    byLoad: false,
    says: (value, limit) => `${value} preemptions a second over 10 s, more than the limit of ${limit}`,
  },
];

export class ThresholdRule {
  readonly #figure: Figure;
  readonly #learnSeconds: number;
  readonly #average = new MovingAverage(AVERAGE_SECONDS);
  #limit: LearnedLimit | null = null;
  #next: LearnedLimit;
  #learned = 0;
  #filled = 0;

  constructor(figure: Figure, learnSeconds: number) {
    this.#figure = figure;
    this.#learnSeconds = learnSeconds;
    this.#next = this.#newLimit();
  }

  observe(
    sample: HealthSample,
    { time, seconds, calm, knowsLoad }: { time: number; seconds: number; calm: boolean; knowsLoad: boolean },
  ): Verdict {
    const { kind, of, byLoad, says } = this.#figure;
    const figure = of(sample);
    const silent: Verdict = { kind, rule: 'threshold', alarm: null, evidence: '', since: time };
    if (figure === null) return silent;
    const value = this.#average.add(figure, seconds);
    this.#filled += seconds;
    if (this.#filled < AVERAGE_SECONDS) return silent;
    const before = this.#limit;
    if (calm) this.#learn(value, seconds);
    if (before === null || (byLoad && !knowsLoad)) return silent;
    const limit = before.value;
    const alarm = before.watch(value, seconds);
    return { ...silent, alarm, evidence: alarm ? says(value.toPrecision(3), limit.toPrecision(3)) : '' };
  }

  reset(): void {
    this.#average.reset();
    this.#filled = 0;
  }

  #learn(value: number, seconds: number): void {
    this.#next.learn(value);
    this.#learned += seconds;
    if (this.#learned < this.#learnSeconds) return;
    this.#next.learn(INHERITED * (this.#limit?.greatest ?? 0));
    this.#limit = this.#next;
    this.#next = this.#newLimit();
    this.#learned = 0;
  }

  #newLimit(): LearnedLimit {
    return new LearnedLimit({ margin: MARGIN, floor: this.#figure.floor });
  }
}

export function thresholdRules(learnSeconds: number): ThresholdRule[] {
  return figures.map((figure) => new ThresholdRule(figure, learnSeconds));
}
