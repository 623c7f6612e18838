/**
 * Telemetry in steps of one length: what outlooks are trained on.
 *
 *     step i = (start + (i - 1) step, start + i step], multiples of `stepSeconds` of UTC; its value: mean of the known samples in it
 *
 * A step without a known sample, or in which the engine restarted, keeps the value before it and is not `known`: it is neither learned
 * from nor scored.
 */
import { argumentError, rangeError, shapeError } from '../errors/index.js';

/**
 * Series of one length, a sample at each time: what TelemetryRing.since() gives and telemetryOf() of a trace, or your own. Any further
 * field of that length may be forecast by its name.
 */
export interface OutlookSeries {
  /** When each sample was taken: UTC, seconds since 1970, never stepping back. */
  time: ArrayLike<number>;
  /** When the engine was seen to have restarted, seconds. */
  restarts?: ArrayLike<number>;
  /** Values of a figure, null where it is not known. */
  [column: string]: ArrayLike<unknown> | undefined;
}

/** One figure in steps. */
export interface StepColumn {
  values: Float64Array;
  /** 1 where the value was observed. */
  known: Uint8Array;
}

export interface TelemetrySteps {
  stepSeconds: number;
  /** End of the first step, UTC. */
  startSeconds: number;
  count: number;
  columns: Map<string, StepColumn>;
}

/** `columns`: the names that are read; each must be there. */
export function stepsOf(series: OutlookSeries, columns: readonly string[], stepSeconds: number): TelemetrySteps {
  const time = checkTimes(series);
  const restarts = Array.from(series.restarts ?? []);
  const stepOf = (seconds: number) => Math.ceil(seconds / stepSeconds - 1e-9);
  const first = time.length === 0 ? 0 : stepOf(time[0]!);
  const count = time.length === 0 ? 0 : stepOf(time.at(-1)!) - first + 1;
  const restarted = new Set(restarts.map((seconds) => stepOf(seconds) - first));
  const column = (name: string): StepColumn => {
    const samples = samplesOf(series, name, time.length);
    const sums = new Float64Array(count);
    const counts = new Float64Array(count);
    for (const [i, seconds] of time.entries()) {
      const value = samples[i];
      if (typeof value !== 'number' || !Number.isFinite(value)) continue;
      const step = stepOf(seconds) - first;
      sums[step]! += value;
      counts[step]! += 1;
    }
    return held(sums, counts, restarted);
  };
  return {
    stepSeconds,
    startSeconds: first * stepSeconds,
    count,
    columns: new Map(columns.map((name) => [name, column(name)])),
  };
}

/** UTC of the end of a step. */
export function timeOf({ startSeconds, stepSeconds }: TelemetrySteps, step: number): number {
  return startSeconds + step * stepSeconds;
}

function held(sums: Float64Array, counts: Float64Array, restarted: ReadonlySet<number>): StepColumn {
  const values = new Float64Array(sums.length);
  const known = new Uint8Array(sums.length);
  for (let i = 0; i < sums.length; i++) {
    const isKnown = counts[i]! > 0 && !restarted.has(i);
    values[i] = isKnown ? sums[i]! / counts[i]! : (values[i - 1] ?? 0);
    known[i] = isKnown ? 1 : 0;
  }
  return { values, known };
}

function checkTimes(series: OutlookSeries): number[] {
  if (typeof series !== 'object' || series === null || typeof series.time?.length !== 'number') {
    throw argumentError('an object of series with their `time`', 'series', series);
  }
  const time = Array.from(series.time);
  for (const [i, seconds] of time.entries()) {
    if (typeof seconds !== 'number') throw argumentError('numbers', 'time', seconds);
    if (!(seconds >= (time[i - 1] ?? Number.NEGATIVE_INFINITY) && Number.isFinite(seconds))) {
      throw rangeError(`a time of at least ${time[i - 1] ?? 0}`, `time[${i}]`, seconds);
    }
  }
  return time;
}

function samplesOf(series: OutlookSeries, name: string, length: number): ArrayLike<unknown> {
  const samples = Object.hasOwn(series, name) ? series[name] : undefined;
  if (typeof samples?.length !== 'number') throw argumentError('a series', `column ${name}`, samples);
  if (samples.length !== length)
    throw shapeError(`column ${name} with ${length} values (one for each time)`, samples.length);
  return samples;
}
