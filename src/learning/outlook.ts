/** Outlooks that are trained: forecasts of telemetry, evaluated walk-forward against plain ones. */
import { z } from 'zod';
import { argumentError, checkOptions, DtesnError, rangeError, shapeError } from '../errors/index.js';
import type { Network } from '../network/index.js';
import { baselines } from './baselines/index.js';
import { coverageOf, marginsOf, type Pairs, pairsOf, planningLossOf, rmseOf } from './evaluate.js';
import { bankModel, lagModel, networkInputs, networkModel } from './feature-models.js';
import type { FeatureModel } from './forecaster.js';
import { type Lesson, lessonOf } from './lesson.js';
import { type OutlookLoss, type OutlookReport, type OutlookScore, reportOf } from './outlook-report.js';
import { type OutlookSeries, stepsOf, timeOf } from './telemetry-steps.js';
import { basesOf, type Fit, type Forecasts, featureRows, walkForward } from './walk-forward.js';

const RATES = ['arrivalsPerSecond', 'promptTokensPerSecond', 'generationTokensPerSecond'] as const;

const names = z.array(z.string().min(1)).min(1).max(64);
const outlookSchema = z.object({
  targets: names.default([...RATES]).describe('an array of names of columns'),
  inputs: names.optional().describe('an array of names of columns'),
  horizonsSeconds: z
    .array(z.number().gt(0))
    .min(1)
    .max(32)
    .default([10, 60, 300, 600])
    .describe('an array of numbers of seconds above 0'),
  stepSeconds: z.number().min(0.1).max(3600).default(10).describe('a number of seconds from 0.1 to 3600'),
  daySeconds: z.number().min(1).default(86_400).describe('a number of seconds, 1 or more'),
  network: z
    .custom<Network>((value) => typeof (value as Network | null)?.run === 'function')
    .nullable()
    .default(null)
    .describe('a network, or null'),
  ridges: z
    .array(z.number().gt(0).max(Number.MAX_VALUE))
    .min(1)
    .max(32)
    .default([1, 10, 100, 1000, 10_000])
    .describe('an array of finite numbers above 0'),
  folds: z.int().min(1).max(1000).default(20).describe('a whole number from 1 to 1000'),
  warmupShare: z.number().gt(0).lt(1).default(0.25).describe('a number in (0, 1)'),
});

/** Options of Outlook: what is forecast, from what, how far ahead, and by what. */
export interface OutlookModelOptions {
  /** Columns that are forecast. Default arrivalsPerSecond, promptTokensPerSecond and generationTokensPerSecond. */
  targets?: string[] | undefined;
  /** Columns that are forecast from. Default: the targets. */
  inputs?: string[] | undefined;
  /** How far ahead, multiples of `stepSeconds`. Default [10, 60, 300, 600]. */
  horizonsSeconds?: number[] | undefined;
  /** Seconds of a step, 0.1 to 3600: samples are averaged over it. Default 10. */
  stepSeconds?: number | undefined;
  /** Period of the time of day, which begins at 0:00 UTC. Default 86400. */
  daySeconds?: number | undefined;
  /** A network beside the bank of averages; its inputs are the columns of `inputs` and sine and cosine of the time of day. Default null. */
  network?: Network | null | undefined;
  /**
   * Candidates of λ of the regression, chosen for each target and horizon by the forecasts before; features and targets are in
   * units of their mean. Default [1, 10, 100, 1000, 10000].
   */
  ridges?: number[] | undefined;
  /** Folds of the evaluation, 1 to 1000: how often it is fitted again. Default 20. */
  folds?: number | undefined;
  /** Share of the time that is only learned from, in (0, 1). Default 0.25. */
  warmupShare?: number | undefined;
}

/** Options of Outlook.train: an abort and progress. */
export interface OutlookTrainOptions {
  /** Ends the training with its reason. Default: none. */
  signal?: AbortSignal | undefined;
  /** Called after each fold, with the stage `train`. Default: none. */
  onProgress?: ((progress: { done: number; total: number; stage: string }) => void) | undefined;
}

const trainSchema = z.object({
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
  onProgress: z
    .custom<NonNullable<OutlookTrainOptions['onProgress']>>((value) => typeof value === 'function')
    .optional()
    .describe('a function'),
});

/** What is expected of one target at one horizon. */
export interface OutlookForecast {
  /** The figure. */
  target: string;
  /** How far ahead of the last step, seconds. */
  horizonSeconds: number;
  /** When: UTC, seconds since 1970; the end of a step. */
  timeSeconds: number;
  /** What is expected, in the unit of the target; not below 0 where no value of the training was. */
  value: number;
  /** Quantile 0.1: value and the quantile of the errors of the evaluation. */
  p10: number;
  /** Quantile 0.9. */
  p90: number;
  /** The model that erred least here in the evaluation. */
  model: string;
}

/** Forecasts of the evaluation beside what came: series of one length, engine after engine. */
export interface OutlookReplay {
  /** The model. */
  model: string;
  /** When the outcome came: UTC, seconds since 1970; the end of a step. */
  timeSeconds: number[];
  /** What was forecast for then. */
  forecast: number[];
  /** What came. */
  outcome: number[];
}

/** A model after its training. */
interface Candidate {
  name: string;
  /** Of each target at each horizon. */
  pairs: Pairs[][];
  trained: { model: FeatureModel; fit: Fit } | null;
}

/**
 * Outlooks that are trained: forecasts of telemetry, evaluated walk-forward against plain ones.
 *
 *     const outlook = new Outlook({ horizonsSeconds: [10, 60], network: new Reservoir({ units: 100, inputs: 5 }) });
 *     const report = await outlook.train(telemetryOf(text));         // or ring.since(), or an array of them: a fleet
 *     console.log(String(report));
 *     outlook.forecast(ring.since())                                  // by what erred least, for each target and horizon
 *
 * Each of `targets` is forecast at each horizon by
 *
 *     last value; a day ago; moving averages of 3 and 12 steps; Holt; Kalman with Dynamo's constants
 *     AR of 60 steps, bank of moving averages, each with the time of day; and the network's states beside the bank
 *
 * The last three are ridge regressions. The time after `warmupShare` is cut into folds; each is forecast by a fit to the steps before it,
 * never to what follows. The engines of a fleet share the weights, and each has its own averages and states.
 * Memory: 8 bytes x steps x features of a model.
 * Errors: TypeError and RangeError ERR_DTESN_ARGUMENT for options and series, also too short ones; RangeError ERR_DTESN_SHAPE for columns
 * whose lengths differ and a network with other inputs; DtesnError ERR_DTESN_STATE for a forecast before the training.
 */
export class Outlook {
  readonly #options: z.output<typeof outlookSchema> & { inputs: string[] };
  readonly #models: FeatureModel[];
  #lesson: Lesson | null = null;
  #candidates: Candidate[] = [];
  #report: OutlookReport | null = null;

  constructor(options: OutlookModelOptions = {}) {
    const checked = checkOptions(outlookSchema, options, 'Outlook');
    const { targets, inputs = targets, horizonsSeconds, stepSeconds, daySeconds, network } = checked;
    for (const [i, seconds] of horizonsSeconds.entries()) {
      const steps = seconds / stepSeconds;
      if (steps < 1 || Math.abs(steps - Math.round(steps)) > 1e-9) {
        throw rangeError(`a multiple of ${stepSeconds} (stepSeconds)`, `horizonsSeconds[${i}]`, seconds);
      }
    }
    if (network !== null && network.inputs !== networkInputs(inputs.length)) {
      throw shapeError(
        `a network with ${networkInputs(inputs.length)} inputs (columns, sine and cosine of the day)`,
        network.inputs,
      );
    }
    this.#options = { ...checked, inputs };
    const count = inputs.length;
    this.#models = [lagModel(count, daySeconds), bankModel(count, daySeconds)];
    if (network !== null) this.#models.push(networkModel(network, count, daySeconds));
  }

  /** Trains on the telemetry of one engine, or of several, and evaluates; a second call begins again. */
  async train(
    series: OutlookSeries | readonly OutlookSeries[],
    options: OutlookTrainOptions = {},
  ): Promise<OutlookReport> {
    const { signal, onProgress } = checkOptions(trainSchema, options, 'train');
    const all = Array.isArray(series) ? (series as readonly OutlookSeries[]) : [series as OutlookSeries];
    if (all.length === 0) throw argumentError('one series or more', 'series', all);
    const { targets, inputs, ridges, folds } = this.#options;
    const lesson = lessonOf(all, this.#options);
    const total = folds * this.#models.length;
    let done = 0;
    const onFold = () => onProgress?.({ done: ++done, total, stage: 'train' });
    const plain = baselines.map(({ name, forecasts }) => {
      const made = lesson.pupils.map(({ steps, offset }) =>
        targets.map((target) =>
          forecasts(steps.columns.get(target)!.values, lesson, Math.max(0, lesson.bounds[0]! - offset)),
        ),
      );
      return this.#candidate(name, made, lesson, null);
    });
    const trained: Candidate[] = [];
    for (const model of this.#models) {
      const fit = await walkForward(model, lesson, { targets, inputs, ridges, signal, onFold });
      trained.push(this.#candidate(model.name, fit.forecasts, lesson, { model, fit }));
    }
    this.#lesson = lesson;
    this.#candidates = [...plain, ...trained];
    this.#report = this.#evaluate(lesson);
    return this.#report;
  }

  /** The table of the last training; errors as forecast's. */
  table(): string {
    return String(this.#trained().report);
  }

  /** From the last step of a series on, by the model that erred least in the evaluation, for each target and horizon. */
  forecast(series: OutlookSeries): OutlookForecast[] {
    const { lesson } = this.#trained();
    const { targets, inputs, horizonsSeconds, stepSeconds } = this.#options;
    const steps = stepsOf(series, [...new Set([...targets, ...inputs])], stepSeconds);
    if (steps.count === 0) throw rangeError('one sample or more', 'series', 0);
    const last = steps.count - 1;
    return targets.flatMap((target, j) =>
      horizonsSeconds.map((horizonSeconds, k) => {
        const best = this.#best(j, k);
        const pairs = best.pairs[j]![k]!;
        const floor = pairs.outcome.every((value) => value >= 0) ? 0 : Number.NEGATIVE_INFINITY;
        const value = Math.max(floor, this.#value(best, { steps, lesson, j, k }));
        const [down, up] = marginsOf(pairs);
        const timeSeconds = timeOf(steps, last) + horizonSeconds;
        const [p10, p90] = [Math.max(floor, value + down), Math.max(floor, value + up)];
        return { target, horizonSeconds, timeSeconds, value, p10, p90, model: best.name };
      }),
    );
  }

  /**
   * What the evaluation forecast of a target at a horizon, beside what came: by the model that erred least, or by the one named.
   * Errors: RangeError ERR_DTESN_ARGUMENT for a target, horizon or model that was not evaluated.
   */
  replay(target: string, horizonSeconds: number, model?: string): OutlookReplay {
    const { lesson } = this.#trained();
    const { targets, horizonsSeconds, stepSeconds } = this.#options;
    const [j, k] = [targets.indexOf(target), horizonsSeconds.indexOf(horizonSeconds)];
    if (j < 0) throw rangeError(`one of ${targets.join(', ')}`, 'target', target);
    if (k < 0) throw rangeError(`one of ${horizonsSeconds.join(', ')}`, 'horizonSeconds', horizonSeconds);
    const found = model === undefined ? this.#best(j, k) : this.#candidates.find(({ name }) => name === model);
    if (found === undefined) {
      throw rangeError(`one of ${this.#candidates.map(({ name }) => name).join(', ')}`, 'model', model);
    }
    const { steps, forecast, outcome } = found.pairs[j]![k]!;
    const first = Math.min(...lesson.pupils.map(({ steps: own, offset }) => own.startSeconds - offset * stepSeconds));
    const timeSeconds = steps.map((step) => first + step * stepSeconds + horizonSeconds);
    return { model: found.name, timeSeconds, forecast: [...forecast], outcome: [...outcome] };
  }

  #value(
    { name, trained }: Candidate,
    { steps, lesson, j, k }: { steps: ReturnType<typeof stepsOf>; lesson: Lesson; j: number; k: number },
  ): number {
    const { targets, inputs } = this.#options;
    const { values } = steps.columns.get(targets[j]!)!;
    const width = lesson.horizons.length;
    const last = steps.count - 1;
    if (trained === null) {
      const { forecasts } = baselines.find((one) => one.name === name)!;
      return forecasts(values, lesson, steps.count)[last * width + k]!;
    }
    const { model, fit } = trained;
    const rows = featureRows(model, { steps, offset: 0 }, lesson, inputs);
    const readout = fit.readouts[fit.chosen[j * width + k]!]!;
    const output = readout.apply(rows.subarray(last * model.size)).data[j * width + k]!;
    return basesOf(values)[last]! + lesson.scale.get(targets[j]!)! * output;
  }

  #best(j: number, k: number): Candidate {
    const errors = this.#candidates.map(({ pairs }) => rmseOf(pairs[j]![k]!) ?? Number.POSITIVE_INFINITY);
    return this.#candidates[errors.indexOf(Math.min(...errors))]!;
  }

  #candidate(name: string, forecasts: Forecasts, lesson: Lesson, trained: Candidate['trained']): Candidate {
    const { targets } = this.#options;
    const pairs = targets.map((_, j) => lesson.horizons.map((__, k) => pairsOf(forecasts, lesson, targets, [j, k])));
    return { name, pairs, trained };
  }

  #evaluate(lesson: Lesson): OutlookReport {
    const { targets, horizonsSeconds, stepSeconds } = this.#options;
    const scores = targets.flatMap((target, j) =>
      this.#candidates.flatMap(({ name, pairs, trained }) =>
        horizonsSeconds.map((horizonSeconds, k): OutlookScore => {
          const error = rmseOf(pairs[j]![k]!);
          const plain = rmseOf(this.#candidates[0]!.pairs[j]![k]!);
          const skill = error === null || plain === null || plain === 0 ? null : 1 - error / plain;
          const within = trained === null ? null : coverageOf(pairs[j]![k]!, lesson.bounds, lesson.horizons[k]!);
          return { target, model: name, horizonSeconds, rmse: error, skill, coverage: within };
        }),
      ),
    );
    const steps = Math.max(...this.#candidates[0]!.pairs.flat().map((pairs) => pairs.steps.length));
    return reportOf({ steps, stepSeconds, engines: lesson.pupils.length, scores, losses: this.#losses() });
  }

  #losses(): OutlookLoss[] {
    const { targets, horizonsSeconds, stepSeconds } = this.#options;
    const rates = RATES.map((name) => targets.indexOf(name));
    if (rates.includes(-1)) return [];
    return this.#candidates.flatMap(({ name, pairs }) =>
      horizonsSeconds.map((horizonSeconds, k) => {
        const [requests, prompt, generated] = rates.map((j) => pairs[j]![k]!) as [Pairs, Pairs, Pairs];
        return { model: name, horizonSeconds, loss: planningLossOf([requests, prompt, generated], stepSeconds) };
      }),
    );
  }

  #trained(): { lesson: Lesson; report: OutlookReport } {
    if (this.#lesson === null || this.#report === null) {
      throw new DtesnError('ERR_DTESN_STATE', 'The outlook is not trained: call train() first');
    }
    return { lesson: this.#lesson, report: this.#report };
  }
}
