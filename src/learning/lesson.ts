/** What one outlook learns from: engines in steps, and where their evaluation begins and is cut into folds. */
import { rangeError } from '../errors/index.js';
import { movingAverage } from './baselines/index.js';
import { type OutlookSeries, stepsOf, type TelemetrySteps } from './telemetry-steps.js';

export interface LessonOptions {
  targets: readonly string[];
  inputs: readonly string[];
  horizonsSeconds: readonly number[];
  stepSeconds: number;
  daySeconds: number;
  folds: number;
  warmupShare: number;
}

/** One engine. */
export interface Pupil {
  steps: TelemetrySteps;
  /** Its first step, counted from the first step of all engines. */
  offset: number;
}

/** Steps counted from the first step of all engines. */
export interface Lesson {
  pupils: readonly Pupil[];
  /** Steps ahead. */
  horizons: readonly number[];
  daySteps: number;
  /** Begin of each fold, and the end of the last one; the first fold begins after the warm-up. */
  bounds: readonly number[];
  /** Mean size of each column in the warm-up. */
  scale: ReadonlyMap<string, number>;
}

/** What a trained forecast is added to. */
export const base = movingAverage(3);

export function lessonOf(series: readonly OutlookSeries[], options: LessonOptions): Lesson {
  const { targets, inputs, horizonsSeconds, stepSeconds, daySeconds, folds, warmupShare } = options;
  const columns = [...new Set([...targets, ...inputs])];
  const all = series.map((one) => stepsOf(one, columns, stepSeconds)).filter(({ count }) => count > 0);
  const indices = all.map(({ startSeconds }) => Math.round(startSeconds / stepSeconds));
  const first = Math.min(...indices);
  const pupils = all.map((steps, i) => ({ steps, offset: indices[i]! - first }));
  const total = Math.max(0, ...pupils.map(({ steps, offset }) => offset + steps.count));
  const horizons = horizonsSeconds.map((seconds) => Math.round(seconds / stepSeconds));
  const furthest = Math.max(...horizons);
  const warmup = Math.floor(total * warmupShare);
  const least = Math.ceil((furthest + 20) / Math.min(warmupShare, 1 - warmupShare));
  if (total < least) throw rangeError(`at least ${least} steps of ${stepSeconds} s`, 'series', total);
  const end = total - furthest;
  return {
    pupils,
    horizons,
    daySteps: Math.round(daySeconds / stepSeconds),
    bounds: Array.from({ length: folds + 1 }, (_, i) => Math.round(warmup + (i * (end - warmup)) / folds)),
    scale: new Map(columns.map((name) => [name, meanSize(pupils, name, warmup)])),
  };
}

/** 1 for a column that is 0 or unknown throughout. */
function meanSize(pupils: readonly Pupil[], name: string, warmup: number): number {
  let [sum, count] = [0, 0];
  for (const { steps, offset } of pupils) {
    const { values, known } = steps.columns.get(name)!;
    for (let t = 0; t < values.length && offset + t < warmup; t++) {
      if (known[t] === 0) continue;
      sum += Math.abs(values[t]!);
      count++;
    }
  }
  return count > 0 && sum > 0 ? sum / count : 1;
}
