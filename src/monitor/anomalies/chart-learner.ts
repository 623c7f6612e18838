/**
 * One learning window of a load-conditioned chart: what a load explains, how far normal traffic strays from it, and which loads
 * were seen at all.
 *
 *     first quarter   fit:        w of each target over the features, and the spread σ of the residuals
 *     the rest        calibrate:  the greatest CUSUM of (target - w·f)/σ of normal traffic, times its margin, is the limit
 *     afterwards      watch:      alarms above the limit, which learned-limit.ts keeps up to date
 *
 * Targets: ln of the seconds between tokens (slow), KV usage (leak). A target with fewer rows than ROWS_A_FEATURE a feature is not
 * judged.
 */
import { Cusum } from './cusum.js';
import { LearnedLimit } from './learned-limit.js';
import { LinearFit } from './linear-fit.js';

const ROWS_A_FEATURE = 10;
const FIT_SHARE = 0.25;
/** The greatest CUSUM of residuals whose noise is short differs more from day to day than that of memory, which is held for long. */
const MARGINS = { slow: 1.5, leak: 1.3 };
/** The least limit of a CUSUM, and the least spread of a target, for traffic that hardly varies. */
const LEAST_LIMIT = 8;
const LEAST_SPREAD = 0.01;
/** A load is known up to so many times the greatest average of the window. */
const RANGE_MARGIN = 1.1;
/** How much of the greatest CUSUM of the window before stays. */
const INHERITED = 0.9;

export const chartKinds = ['slow', 'leak'] as const;
export type ChartKind = (typeof chartKinds)[number];

/** One row: features of the load, its averages over a minute, and the targets; null where unknown. */
export interface ChartRow {
  features: ArrayLike<number>;
  averages: ArrayLike<number>;
  targets: Record<ChartKind, number | null>;
  time: number;
  seconds: number;
}

/** What a chart says of one target: its CUSUM, the limit, when the change began, and the mean residual since. */
export interface ChartReading {
  value: number;
  limit: number;
  residual: number;
  sinceSeconds: number;
}

class Target {
  readonly limit: LearnedLimit;
  readonly #cusum = new Cusum();
  /** Residuals since the CUSUM left 0. */
  #residuals = { sum: 0, count: 0 };
  #fit: LinearFit | null;
  #weights: Float64Array | null = null;
  #spread = LEAST_SPREAD;
  #reading: ChartReading | null = null;

  constructor(features: number, margin: number) {
    this.#fit = new LinearFit(features);
    this.limit = new LearnedLimit({ margin, floor: LEAST_LIMIT });
  }

  /** What the last watched row said; null where none was since the last reset. */
  get reading(): ChartReading | null {
    return this.#reading;
  }

  fit(features: ArrayLike<number>, target: number): void {
    this.#fit?.add(features, target);
  }

  /** Ends the fit; a target with too few rows stays without weights. */
  solve(): void {
    const fit = this.#fit!;
    this.#fit = null;
    const { weights, rms } = fit.solve();
    if (fit.rows < ROWS_A_FEATURE * weights.length || !weights.every(Number.isFinite)) return;
    this.#weights = weights;
    this.#spread = Math.max(LEAST_SPREAD, rms);
  }

  calibrate(row: ChartRow, target: number): void {
    if (this.#weights === null) return;
    this.limit.learn(this.#cusum.add(this.#strays(row, target), row.time));
  }

  watch(row: ChartRow, target: number): void {
    if (this.#weights === null) return;
    const limit = this.limit.value;
    const value = this.#cusum.add(this.#strays(row, target), row.time, 2 * limit);
    this.limit.watch(value, row.seconds);
    if (value === 0) this.#residuals = { sum: 0, count: 0 };
    const { sum, count } = this.#residuals;
    const sinceSeconds = this.#cusum.sinceSeconds ?? row.time;
    this.#reading = { value, limit, residual: count === 0 ? 0 : sum / count, sinceSeconds };
  }

  reset(): void {
    this.#cusum.reset();
    this.#residuals = { sum: 0, count: 0 };
    this.#reading = null;
  }

  /** The residual in units of its spread. */
  #strays({ features }: ChartRow, target: number): number {
    const weights = this.#weights!;
    let residual = target;
    for (let i = 0; i < weights.length; i++) residual -= weights[i]! * features[i]!;
    this.#residuals.sum += residual;
    this.#residuals.count++;
    return residual / this.#spread;
  }
}

export class ChartLearner {
  readonly #learnSeconds: number;
  readonly #targets: Record<ChartKind, Target>;
  readonly #greatest: Float64Array;
  #learned = 0;
  #fitted = false;

  constructor(sizes: { features: number; load: number }, learnSeconds: number) {
    this.#learnSeconds = learnSeconds;
    this.#greatest = new Float64Array(sizes.load);
    const target = (kind: ChartKind) => new Target(sizes.features, MARGINS[kind]);
    this.#targets = { slow: target('slow'), leak: target('leak') };
  }

  get isReady(): boolean {
    return this.#learned >= this.#learnSeconds;
  }

  /** Share of its window that it has learned, 0 to 1. */
  get learned(): number {
    return Math.min(1, this.#learned / this.#learnSeconds);
  }

  /** Whether the window held loads as great as this one. */
  knows(averages: ArrayLike<number>): boolean {
    return this.#greatest.every((greatest, i) => averages[i]! <= RANGE_MARGIN * greatest);
  }

  /** Takes a row of normal traffic. */
  learn(row: ChartRow): void {
    for (let i = 0; i < this.#greatest.length; i++) {
      this.#greatest[i] = Math.max(this.#greatest[i]!, row.averages[i]!);
    }
    for (const kind of chartKinds) {
      const value = row.targets[kind];
      if (value === null) continue;
      if (this.#fitted) this.#targets[kind].calibrate(row, value);
      else this.#targets[kind].fit(row.features, value);
    }
    this.#learned += row.seconds;
    if (this.#fitted || this.#learned < FIT_SHARE * this.#learnSeconds) return;
    for (const kind of chartKinds) this.#targets[kind].solve();
    this.#fitted = true;
  }

  /** Judges a row; only when it is ready. */
  watch(row: ChartRow): void {
    for (const kind of chartKinds) {
      const value = row.targets[kind];
      if (value !== null) this.#targets[kind].watch(row, value);
    }
  }

  reading(kind: ChartKind): ChartReading | null {
    return this.#targets[kind].reading;
  }

  /** Takes over most of the limits of the window before, so that one quiet window does not raise alarms. */
  inherit(before: ChartLearner): void {
    for (const kind of chartKinds) this.#targets[kind].limit.learn(INHERITED * before.#targets[kind].limit.greatest);
  }

  reset(): void {
    for (const kind of chartKinds) this.#targets[kind].reset();
  }
}
