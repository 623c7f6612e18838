/** The load of the next minutes from a bank of moving averages and the time of day, and the replicas that it needs. */
import { z } from 'zod';
import { argumentError, checkOptions, rangeError } from '../../errors/index.js';
import { Ewma } from '../online/index.js';
import { HorizonModel, type HorizonSnapshot, horizonSnapshotSchema } from './horizon-model.js';
import { LoadFeatures } from './load-features.js';
import {
  hintSchema,
  type LoadForecast,
  type LoadObservation,
  type ScaleHint,
  type ScaleHintOptions,
} from './scale-hint.js';

const STEP_SECONDS = 10;
const HORIZONS = [10, 60, 300, 600];
/** Longer than this without an observation: averages begin again. */
const GAP_SECONDS = 60;
const SCALE_STEPS = 30;
const MEMORY_DAYS = 3;
const FAST_SECONDS = 30;

const forecasterSchema = z.object({
  daySeconds: z.number().min(600).max(86_400).default(86_400).describe('a number of seconds from 600 to 86400'),
});

const forecasterSnapshotSchema = z.object({
  version: z.literal(1),
  timeSeconds: z.number().nullable(),
  scale: z.object({ sum: z.number(), steps: z.number() }),
  averages: z.array(z.number().nullable()),
  capacity: z.number().nullable(),
  horizons: z.array(horizonSnapshotSchema).length(HORIZONS.length),
});

/** Options of ScaleForecaster. */
export interface ScaleForecasterOptions {
  /** Period of the pattern of a day, 600 to 86,400 s: shorter for the replay of a day in less time. Default 86400. */
  daySeconds?: number | undefined;
}

/** What a ScaleForecaster has learned: plain JSON. */
export interface ScaleForecasterSnapshot {
  version: 1;
  /** Time of the last observation. */
  timeSeconds: number | null;
  /** Sum of the loads of the first steps, whose mean is the unit of the features. */
  scale: { sum: number; steps: number };
  /** Moving averages of 30, 120 and 600 s. */
  averages: (number | null)[];
  /** The last known capacity of a replica. */
  capacity: number | null;
  /** What was learned at each horizon. */
  horizons: HorizonSnapshot[];
}

/**
 * The load of the next minutes from a bank of moving averages and the time of day, and the replicas that it needs.
 *
 *     steps of 10 s of UTC; y: requests a second of a step
 *     forecast(h)  = m30 + w_h' f,  h = 10, 60, 300, 600 s      load-features.ts, horizon-model.ts; recursive least squares
 *     load         = max(forecast(startup), m30)                linear between the horizons, held beyond the last one
 *     replicas     = max(1, ceil(load / capacity / targetUse))
 *
 *     const forecaster = new ScaleForecaster();
 *     forecaster.observe({ timeSeconds, requestsPerSecond, capacity });       // at each scrape
 *     forecaster.hint({ startupSeconds: 60, targetUse: 0.7 })
 *
 * The forecast never falls below the moving average of 30 s: in a flash crowd a learned pattern is slower than the load. A gap of more
 * than 60 s starts the averages again; what was learned is kept. Times are of UTC, so that the time of day is.
 * Errors: TypeError and RangeError ERR_DTESN_ARGUMENT for wrong options, a time before the last one, a rate below 0.
 */
export class ScaleForecaster {
  readonly #features: LoadFeatures;
  readonly #horizons: HorizonModel[];
  /** Fed with each observation, while the bank is fed with each step. */
  readonly #fast = new Ewma(FAST_SECONDS);
  #time: number | null = null;
  #step = { requests: 0, seconds: 0 };
  #lastStep: number | null = null;
  #scale = { sum: 0, steps: 0 };
  #capacity: number | null = null;

  constructor(options: ScaleForecasterOptions = {}) {
    const { daySeconds } = checkOptions(forecasterSchema, options, 'ScaleForecaster');
    this.#features = new LoadFeatures(daySeconds);
    const memory = (MEMORY_DAYS * daySeconds) / STEP_SECONDS;
    this.#horizons = HORIZONS.map((seconds) => new HorizonModel(seconds / STEP_SECONDS, memory));
  }

  /** One look at the engines: what came since the last one. */
  observe({ timeSeconds, requestsPerSecond, capacity }: LoadObservation): void {
    const last = this.#time;
    if (!Number.isFinite(timeSeconds) || timeSeconds < (last ?? timeSeconds)) {
      throw rangeError(`a time of at least ${last ?? 0}`, 'timeSeconds', timeSeconds);
    }
    checkRate(requestsPerSecond, 'requestsPerSecond');
    checkRate(capacity, 'capacity');
    if (capacity !== null && capacity > 0) this.#capacity = capacity;
    if (last === null || timeSeconds - last > GAP_SECONDS) this.#begin();
    if (last !== null && requestsPerSecond === null) return;
    this.#time = timeSeconds;
    if (last === null || timeSeconds - last > GAP_SECONDS || requestsPerSecond === null) return;
    this.#fast.add(requestsPerSecond, timeSeconds - last);
    this.#spread(requestsPerSecond, last, timeSeconds);
  }

  /** Forecasts 10 s, 1, 5 and 10 min ahead, as of the last step of 10 s. */
  forecasts(): LoadForecast[] {
    return this.#horizons.map((horizon, i) => horizon.read(HORIZONS[i]!));
  }

  /** How many replicas to have now, so that there are enough when one that starts now can serve. */
  hint(options: ScaleHintOptions = {}): ScaleHint {
    const { startupSeconds, targetUse } = checkOptions(hintSchema, options, 'scaleHint');
    const horizons = this.forecasts();
    const capacity = this.#capacity;
    const at = (name: 'requestsPerSecond' | 'p10' | 'p90') => between(horizons, startupSeconds, name);
    const inReplicas = (load: number | null) => (load === null || capacity === null ? null : load / capacity);
    const floor = this.#fast.value;
    const forecast = inReplicas(floor === null ? null : Math.max(floor, at('requestsPerSecond') ?? 0));
    const [low, high] = [inReplicas(at('p10')), inReplicas(at('p90'))];
    return {
      replicas: forecast === null ? null : Math.max(1, Math.ceil(forecast / targetUse - 1e-9)),
      forecast,
      persistence: inReplicas(this.#lastStep),
      interval: low === null || high === null ? null : [low, high],
      capacity,
      horizons,
      unknown: [...(floor === null ? ['load' as const] : []), ...(capacity === null ? ['capacity' as const] : [])],
    };
  }

  /** What was learned, as plain JSON; forecasts whose outcome is still to come are not in it. */
  snapshot(): ScaleForecasterSnapshot {
    return {
      version: 1,
      timeSeconds: this.#time,
      scale: { ...this.#scale },
      averages: this.#features.averages,
      capacity: this.#capacity,
      horizons: this.#horizons.map((horizon) => horizon.snapshot()),
    };
  }

  /** Goes on from a snapshot. Errors: TypeError ERR_DTESN_ARGUMENT for what is none; nothing is changed then. */
  restore(snapshot: ScaleForecasterSnapshot): void {
    const checked = forecasterSnapshotSchema.safeParse(snapshot);
    if (!checked.success) throw argumentError('a snapshot of a ScaleForecaster', 'snapshot', snapshot);
    const { timeSeconds, scale, averages, capacity, horizons } = checked.data;
    this.#begin();
    this.#time = timeSeconds;
    this.#scale = scale;
    this.#features.set(averages);
    this.#fast.set(averages[0] ?? null);
    this.#capacity = capacity;
    for (const [i, horizon] of this.#horizons.entries()) horizon.restore(horizons[i]!);
  }

  #begin(): void {
    this.#step = { requests: 0, seconds: 0 };
    this.#lastStep = null;
    this.#fast.set(null);
    this.#features.set([]);
    for (const horizon of this.#horizons) horizon.forgetPending();
  }

  /** Divides a rate that held from `from` to `to` among the steps. */
  #spread(rate: number, from: number, to: number): void {
    let at = from;
    while (at < to) {
      const end = (Math.floor(at / STEP_SECONDS) + 1) * STEP_SECONDS;
      const seconds = Math.min(end, to) - at;
      this.#step.requests += rate * seconds;
      this.#step.seconds += seconds;
      at += seconds;
      if (at < end) return;
      at = end;
      this.#close(end);
    }
  }

  #close(end: number): void {
    const { requests, seconds } = this.#step;
    this.#step = { requests: 0, seconds: 0 };
    const value = requests / seconds;
    this.#lastStep = value;
    this.#features.add(value, STEP_SECONDS);
    for (const horizon of this.#horizons) horizon.outcome(value);
    if (this.#scale.steps < SCALE_STEPS) {
      this.#scale.sum += value;
      this.#scale.steps++;
    }
    // A load of 0 so far is no unit.
    const scale = this.#scale.sum / this.#scale.steps || 1;
    const features = this.#features.at(end, scale)!;
    const average = this.#features.averages[0]!;
    for (const horizon of this.#horizons) horizon.forecast(features, { scale, average });
  }
}

function checkRate(rate: number | null, name: string): void {
  if (rate !== null && !(rate >= 0 && Number.isFinite(rate)))
    throw rangeError('a rate, 0 or more, or null', name, rate);
}

/** Linear between the horizons around `seconds`, held beyond the first and the last. */
function between(
  forecasts: readonly LoadForecast[],
  seconds: number,
  name: 'requestsPerSecond' | 'p10' | 'p90',
): number | null {
  const after = forecasts.findIndex(({ horizonSeconds }) => horizonSeconds >= seconds);
  if (after <= 0) return forecasts.at(after)![name];
  const [a, b] = [forecasts[after - 1]!, forecasts[after]!];
  const [from, to] = [a[name], b[name]];
  if (from === null || to === null) return from;
  return from + ((seconds - a.horizonSeconds) / (b.horizonSeconds - a.horizonSeconds)) * (to - from);
}
