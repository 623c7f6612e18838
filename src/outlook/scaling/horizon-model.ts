/**
 * The forecast at one horizon, learned from its own outcomes.
 *
 *     y(t + h) = m30(t) + scale w' f(t)        recursive least squares, forgetting over three days, w(0) = 0: the average of 30 s
 *
 * The learned forecast is given after 60 outcomes and while its squared error, decaying over 500 outcomes, is less than that of
 * m30; else m30 is given. An outcome is learned from when it is there, never before, with the features of when it was forecast.
 */
import { z } from 'zod';
import {
  QuantileMargin,
  type QuantileMarginSnapshot,
  RecursiveLeastSquares,
  type RecursiveLeastSquaresSnapshot,
} from '../online/index.js';
import { loadFeatureCount } from './load-features.js';
import type { LoadForecast } from './scale-hint.js';

const RIDGE = 1;
const FEWEST_OUTCOMES = 60;
const FEWEST_COVERED = 30;
const ERROR_SHARE = 0.002;
const LEVELS = [0.1, 0.5, 0.9] as const;

/** Plain JSON. */
export interface HorizonSnapshot {
  weights: RecursiveLeastSquaresSnapshot;
  margins: QuantileMarginSnapshot[];
  errors: { learned: number; average: number };
  samples: number;
}

const numbers = z.array(z.number());
const marginSchema = z.object({ margin: z.number(), scale: z.number(), covered: z.number(), count: z.number() });
export const horizonSnapshotSchema = z.object({
  weights: z.object({
    weights: numbers.length(loadFeatureCount),
    covariance: numbers.length(loadFeatureCount ** 2),
  }),
  margins: z.array(marginSchema).length(LEVELS.length),
  errors: z.object({ learned: z.number(), average: z.number() }),
  samples: z.number(),
});

/** What was forecast for a step that has not come yet. */
interface Pending {
  features: Float64Array;
  scale: number;
  average: number;
  learned: number;
  given: number;
  margins: number[];
}

export class HorizonModel {
  readonly #steps: number;
  readonly #weights: RecursiveLeastSquares;
  readonly #margins = LEVELS.map((level) => new QuantileMargin(level));
  #errors = { learned: 0, average: 0 };
  #samples = 0;
  /** Of the last `#steps` steps, the oldest first. */
  #pending: Pending[] = [];

  /** `steps`: how many steps ahead; `memory`: steps over which it forgets. */
  constructor(steps: number, memory: number) {
    this.#steps = steps;
    this.#weights = new RecursiveLeastSquares({
      features: loadFeatureCount,
      ridge: RIDGE,
      forgetting: 1 - 1 / memory,
    });
  }

  /** The mean of the step that has just ended. */
  outcome(value: number): void {
    if (this.#pending.length < this.#steps) return;
    const { features, scale, average, learned, given, margins } = this.#pending.shift()!;
    this.#samples++;
    const share = Math.max(ERROR_SHARE, 1 / this.#samples);
    this.#errors.learned += share * ((value - learned) ** 2 - this.#errors.learned);
    this.#errors.average += share * ((value - average) ** 2 - this.#errors.average);
    for (const [i, margin] of this.#margins.entries()) margin.observe(value - given, margins[i]);
    this.#weights.update(features, (value - average) / scale);
  }

  /** Forecasts from what is known after a step; called once a step, after `outcome`. */
  forecast(features: Float64Array, { scale, average }: { scale: number; average: number }): void {
    const learned = Math.max(0, average + scale * this.#weights.predict(features));
    const given = this.basis === 'learned' ? learned : average;
    const margins = this.#margins.map(({ margin }) => margin).sort((a, b) => a - b);
    this.#pending.push({ features, scale, average, learned, given, margins });
  }

  get basis(): LoadForecast['basis'] {
    const isBetter = this.#errors.learned < this.#errors.average;
    return this.#samples >= FEWEST_OUTCOMES && isBetter ? 'learned' : 'ewma';
  }

  /** The forecast of the last step. */
  read(horizonSeconds: number): LoadForecast {
    const last = this.#pending.at(-1);
    const [p10 = null, p50 = null, p90 = null] =
      last === undefined || this.#samples === 0 ? [] : last.margins.map((margin) => Math.max(0, last.given + margin));
    const [low, middle, high] = this.#margins.map(({ coverage }) => coverage ?? 0) as [number, number, number];
    return {
      horizonSeconds,
      requestsPerSecond: last?.given ?? null,
      p10,
      p50,
      p90,
      coverage: this.#samples < FEWEST_COVERED ? null : { p10: low, p50: middle, p90: high },
      basis: this.basis,
      samples: this.#samples,
    };
  }

  /** After a gap: what was forecast before it has no outcome. */
  forgetPending(): void {
    this.#pending = [];
  }

  snapshot(): HorizonSnapshot {
    return {
      weights: this.#weights.snapshot(),
      margins: this.#margins.map((margin) => margin.snapshot()),
      errors: { ...this.#errors },
      samples: this.#samples,
    };
  }

  restore({ weights, margins, errors, samples }: HorizonSnapshot): void {
    this.#weights.restore(weights);
    for (const [i, margin] of this.#margins.entries()) margin.restore(margins[i]!);
    this.#errors = { ...errors };
    this.#samples = samples;
    this.#pending = [];
  }
}
