/**
 * Walk-forward training: each fold is forecast by what was fitted to the steps before it.
 *
 *     fold i: rows t of [bound_i, bound_i+1);  fitted to the rows whose furthest target lies before bound_i
 *     target: (y(t + h) - base(t)) / scale, all targets and horizons at once; ridge regression with an intercept
 *
 * `base` is the moving average over 3 steps, so that a fit that has learned nothing forecasts that.
 */
import { setImmediate } from 'node:timers/promises';
import { type LinearReadout, Ridge } from '../readout/index.js';
import type { FeatureModel } from './forecaster.js';
import { base, type Lesson, type Pupil } from './lesson.js';

export interface FitOptions {
  targets: readonly string[];
  inputs: readonly string[];
  ridge: number;
  signal?: AbortSignal | undefined;
  onFold: () => void;
}

/** steps x horizons of each target, for each engine; NaN where nothing was forecast. */
export type Forecasts = Float64Array[][];

export interface Fit {
  forecasts: Forecasts;
  /** Fitted to every step. */
  readout: LinearReadout;
}

export async function walkForward(model: FeatureModel, lesson: Lesson, options: FitOptions): Promise<Fit> {
  const outputs = options.targets.length * lesson.horizons.length;
  const sums = new Ridge({ states: model.size, outputs, ridge: options.ridge, solver: 'cholesky' });
  try {
    const desks = lesson.pupils.map((pupil) => new Desk(pupil, model, lesson, options));
    await examineFolds(sums, desks, lesson, options);
    for (const desk of desks) desk.teach(sums, Number.POSITIVE_INFINITY);
    return { forecasts: desks.map(({ forecasts }) => forecasts), readout: sums.solve() };
  } finally {
    sums.close();
  }
}

async function examineFolds(
  sums: Ridge,
  desks: readonly Desk[],
  { horizons, bounds }: Lesson,
  { signal, onFold }: FitOptions,
): Promise<void> {
  const furthest = Math.max(...horizons);
  for (const [i, begin] of bounds.slice(0, -1).entries()) {
    signal?.throwIfAborted();
    for (const desk of desks) desk.teach(sums, begin - furthest);
    if (sums.steps > 0) {
      const readout = sums.solve();
      for (const desk of desks) desk.examine(readout, begin, bounds[i + 1]!);
    }
    onFold();
    await setImmediate();
  }
}

/** One engine with its features and targets. */
class Desk {
  readonly forecasts: Float64Array[];
  readonly #rows: Float64Array;
  readonly #bases: Float64Array[];
  #taught = 0;

  constructor(
    readonly pupil: Pupil,
    readonly model: FeatureModel,
    readonly lesson: Lesson,
    readonly options: FitOptions,
  ) {
    const { steps } = pupil;
    const { horizons } = lesson;
    this.#rows = featureRows(model, pupil, lesson, options.inputs);
    this.#bases = options.targets.map((name) => basesOf(steps.columns.get(name)!.values));
    this.forecasts = options.targets.map(() => new Float64Array(steps.count * horizons.length).fill(Number.NaN));
  }

  /** Adds the rows before `end` that are not added yet and whose targets are all known. */
  teach(sums: Ridge, end: number): void {
    const { steps, offset } = this.pupil;
    const last = Math.min(steps.count - Math.max(...this.lesson.horizons), end - offset);
    const states: number[] = [];
    const targets: number[] = [];
    const { size } = this.model;
    for (; this.#taught < last; this.#taught++) {
      const target = this.#target(this.#taught);
      if (target === null) continue;
      targets.push(...target);
      for (let i = 0; i < size; i++) states.push(this.#rows[this.#taught * size + i]!);
    }
    if (targets.length > 0) sums.add(Float64Array.from(states), Float64Array.from(targets));
  }

  /** Forecasts from the rows from `begin` to before `end`. */
  examine(readout: LinearReadout, begin: number, end: number): void {
    const { steps, offset } = this.pupil;
    const from = Math.max(0, begin - offset);
    const to = Math.min(steps.count, end - offset);
    if (from >= to) return;
    const { size } = this.model;
    const outputs = readout.apply(this.#rows.subarray(from * size, to * size)).data;
    const { horizons, scale } = this.lesson;
    const width = this.options.targets.length * horizons.length;
    for (const [j, name] of this.options.targets.entries()) {
      for (let t = from; t < to; t++) {
        for (let k = 0; k < horizons.length; k++) {
          const output = outputs[(t - from) * width + j * horizons.length + k]!;
          this.forecasts[j]![t * horizons.length + k] = this.#bases[j]![t]! + scale.get(name)! * output;
        }
      }
    }
  }

  /** Null where one of them is not known. */
  #target(t: number): number[] | null {
    const out: number[] = [];
    for (const [j, name] of this.options.targets.entries()) {
      const { values, known } = this.pupil.steps.columns.get(name)!;
      for (const ahead of this.lesson.horizons) {
        if (known[t + ahead] !== 1) return null;
        out.push((values[t + ahead]! - this.#bases[j]![t]!) / this.lesson.scale.get(name)!);
      }
    }
    return out;
  }
}

export function featureRows(
  model: FeatureModel,
  { steps }: Pupil,
  { scale }: Pick<Lesson, 'scale'>,
  inputs: readonly string[],
): Float64Array {
  return model.rows(
    steps,
    inputs,
    inputs.map((name) => scale.get(name)!),
  );
}

/** The base at each step. */
export function basesOf(values: Float64Array): Float64Array {
  return base.forecasts(values, { horizons: [1], daySteps: 0 }, 0);
}
