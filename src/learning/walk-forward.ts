/**
 * Walk-forward training: each fold is forecast by what was fitted to the steps before it.
 *
 *     fold i: rows t of [bound_i, bound_i+1);  fitted to the rows whose furthest target lies before bound_i
 *     target: (y(t + h) - base(t)) / scale, all targets and horizons at once; ridge regression with an intercept
 *     ridge of a target and horizon: the one with the least squared error of the forecasts whose outcome came before bound_i;
 *     the greatest one until there are any
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
  /** Candidates. */
  ridges: readonly number[];
  signal?: AbortSignal | undefined;
  onFold: () => void;
}

/** steps x horizons of each target, for each engine; NaN where nothing was forecast. */
export type Forecasts = Float64Array[][];

export interface Fit {
  forecasts: Forecasts;
  /** Fitted to every step, of each ridge. */
  readouts: LinearReadout[];
  /** Of each output (target by target, its horizons in order), which of them forecasts it. */
  chosen: number[];
}

export async function walkForward(model: FeatureModel, lesson: Lesson, options: FitOptions): Promise<Fit> {
  const outputs = options.targets.length * lesson.horizons.length;
  const sums = new Ridge({ states: model.size, outputs, solver: 'cholesky' });
  try {
    const desks = lesson.pupils.map((pupil) => new Desk(pupil, model, lesson, options));
    await examineFolds(sums, desks, lesson, options);
    for (const desk of desks) desk.teach(sums, Number.POSITIVE_INFINITY);
    return {
      forecasts: desks.map(({ forecasts }) => forecasts),
      readouts: options.ridges.map((ridge) => sums.solve(ridge)),
      chosen: choose(desks, options.ridges, outputs, Number.POSITIVE_INFINITY),
    };
  } finally {
    sums.close();
  }
}

async function examineFolds(
  sums: Ridge,
  desks: readonly Desk[],
  { horizons, bounds }: Lesson,
  { targets, ridges, signal, onFold }: FitOptions,
): Promise<void> {
  const furthest = Math.max(...horizons);
  for (const [i, begin] of bounds.slice(0, -1).entries()) {
    signal?.throwIfAborted();
    for (const desk of desks) desk.teach(sums, begin - furthest);
    if (sums.steps > 0) {
      const readouts = ridges.map((ridge) => sums.solve(ridge));
      const chosen = choose(desks, ridges, targets.length * horizons.length, begin);
      for (const desk of desks) desk.examine(readouts, chosen, begin, bounds[i + 1]!);
    }
    onFold();
    await setImmediate();
  }
}

/** For each output the index of the ridge that erred least where the outcome came before `begin`. */
function choose(desks: readonly Desk[], ridges: readonly number[], outputs: number, begin: number): number[] {
  const greatest = ridges.indexOf(Math.max(...ridges));
  return Array.from({ length: outputs }, (_, output) => {
    const errors = ridges.map((__, r) => desks.reduce((sum, desk) => sum + desk.errorOf(r, output, begin), 0));
    const least = Math.min(...errors);
    return least > 0 ? errors.indexOf(least) : greatest;
  });
}

/** One engine with its features and targets. */
class Desk {
  readonly forecasts: Float64Array[];
  /** Of each ridge. */
  readonly #tried: Float64Array[][];
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
    const { targets, inputs, ridges } = options;
    const nothing = () => targets.map(() => new Float64Array(steps.count * horizons.length).fill(Number.NaN));
    this.#rows = featureRows(model, pupil, lesson, inputs);
    this.#bases = targets.map((name) => basesOf(steps.columns.get(name)!.values));
    this.forecasts = nothing();
    this.#tried = ridges.map(nothing);
  }

  /** Adds the rows before `end` that are not added yet and whose targets are all known. */
  teach(sums: Ridge, end: number): void {
    const { steps, offset } = this.pupil;
    const last = Math.min(steps.count - Math.max(...this.lesson.horizons), end - offset);
    const lessons: { t: number; target: number[] }[] = [];
    for (; this.#taught < last; this.#taught++) {
      const target = this.#target(this.#taught);
      if (target !== null) lessons.push({ t: this.#taught, target });
    }
    if (lessons.length === 0) return;
    const { size } = this.model;
    const states = new Float64Array(lessons.length * size);
    for (const [i, { t }] of lessons.entries()) states.set(this.#rows.subarray(t * size, (t + 1) * size), i * size);
    sums.add(states, Float64Array.from(lessons.flatMap(({ target }) => target)));
  }

  /** Forecasts from the rows from `begin` to before `end` with each ridge, and keeps those of the chosen one of each output. */
  examine(readouts: readonly LinearReadout[], chosen: readonly number[], begin: number, end: number): void {
    const { steps, offset } = this.pupil;
    const from = Math.max(0, begin - offset);
    const to = Math.min(steps.count, end - offset);
    if (from >= to) return;
    const { size } = this.model;
    const { horizons } = this.lesson;
    const rows = this.#rows.subarray(from * size, to * size);
    for (const [r, readout] of readouts.entries()) {
      const outputs = readout.apply(rows).data;
      this.#eachOutput((j, k, output, width) => {
        for (let t = from; t < to; t++) {
          const value = this.#value(j, t, outputs[(t - from) * width + output]!);
          this.#tried[r]![j]![t * horizons.length + k] = value;
          if (chosen[output] === r) this.forecasts[j]![t * horizons.length + k] = value;
        }
      });
    }
  }

  /** Sum of the squared errors of a ridge at an output, where the outcome came before `begin`; 0 without any. */
  errorOf(ridge: number, output: number, begin: number): number {
    const { steps, offset } = this.pupil;
    const { horizons } = this.lesson;
    const [j, k] = [Math.floor(output / horizons.length), output % horizons.length];
    const { values, known } = steps.columns.get(this.options.targets[j]!)!;
    const tried = this.#tried[ridge]![j]!;
    const ahead = horizons[k]!;
    let sum = 0;
    for (let t = 0; t + ahead < Math.min(steps.count, begin - offset); t++) {
      const forecast = tried[t * horizons.length + k]!;
      if (known[t + ahead] === 1 && !Number.isNaN(forecast)) sum += (forecast - values[t + ahead]!) ** 2;
    }
    return sum;
  }

  #eachOutput(visit: (target: number, horizon: number, output: number, width: number) => void): void {
    const { targets } = this.options;
    const { horizons } = this.lesson;
    const width = targets.length * horizons.length;
    for (let output = 0; output < width; output++) {
      visit(Math.floor(output / horizons.length), output % horizons.length, output, width);
    }
  }

  #value(target: number, t: number, output: number): number {
    return this.#bases[target]![t]! + this.lesson.scale.get(this.options.targets[target]!)! * output;
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
