/**
 * The sums of a ridge regression, in native memory: rows are added from memory or from a running network, and solving
 * returns a readout, on this thread or another. See ridge.ts for the law and the errors.
 */
import { z } from 'zod';
import { argumentError, checkOptions, checkWhole, DtesnError, rangeError, shapeError } from '../errors/index.js';
import {
  addon,
  type Floats,
  type LongRunOptions,
  longRun,
  type NativeRidgeTrainer,
  type ReadoutShape,
} from '../native/index.js';
import type { State } from '../network/index.js';
import { checkMemory, matrix } from '../numeric/index.js';
import type { Features } from './features.js';
import { LinearReadout } from './linear-readout.js';
import { precisionLimit } from './precision.js';
import { ReadoutSpectrum } from './spectrum.js';
import { Usage } from './usage.js';

/** Steps whose states are in memory at once: few enough to stay in the L2 cache until the sums have read them. */
export const BLOCK_STEPS = 240;

export const solvers = ['qr', 'cholesky', 'svd', 'dual'] as const;
export type Solver = (typeof solvers)[number];

/** Squares of a constant after its mean is taken away are below this part of those before. */
const ROUNDING = 1e-28;

export const ridgeNumber = z.number().min(0).max(Number.MAX_VALUE);
export const ridgeFields = {
  ridge: ridgeNumber.default(1e-8).describe('a finite number, 0 or more,'),
  solver: z.enum(solvers).default('qr').describe("'qr', 'cholesky', 'svd' or 'dual'"),
};
const ridgeSchema = z.object({ ridge: ridgeNumber.describe('a finite number, 0 or more,') });

/** Errors: RangeError or TypeError ERR_DTESN_ARGUMENT for one that is no ridge. */
export function checkRidges(ridges: readonly number[]): void {
  for (const ridge of ridges) checkOptions(ridgeSchema, { ridge }, 'ridges');
}

/** A series to add: `series` steps x inputs, `targets` steps x outputs, `block` 240 x features of scratch. */
export interface Lesson {
  state: State;
  series: Floats;
  targets: Float64Array;
  /** One a step, or null for ones. */
  weights: Float64Array | null;
  steps: number;
  washout: number;
  block: Floats;
}

/** Readouts of the first features, and the sums of squares that they leave; null where the solver does not know them. */
export interface Solved {
  readouts: LinearReadout[];
  errors: Float64Array[] | null;
  condition: number;
}

/** Memory for the readouts of the first features. */
interface Unsolved {
  checked: number;
  features: number[];
  weights: Float64Array;
  bias: Float64Array;
  errors: Float64Array | null;
}

export class RidgeSums {
  readonly shape: ReadoutShape;
  readonly solver: Solver;
  readonly folds: number;
  readonly #native: NativeRidgeTrainer;
  readonly #usage: Usage;
  #given = 0;
  #rows = 0;
  /** Σ weight y² of each output. */
  readonly #squares: Float64Array;
  #isNarrow = false;
  #spectrum: ReadoutSpectrum | null = null;
  #warned = false;

  /** `owner` for errors: 'Ridge'. */
  constructor(shape: ReadoutShape, solver: Solver, owner: string, folds = 1) {
    const features = shape.states + shape.inputs;
    // The dual solver keeps the rows themselves, and Cholesky one sum of squares whatever the folds.
    const triangles = solver === 'dual' ? 0 : solver === 'cholesky' ? 1 : folds;
    checkMemory(8 * triangles * features * (features / 2 + shape.outputs), `sums of ${features} features`);
    this.shape = shape;
    this.solver = solver;
    this.folds = folds;
    this.#squares = new Float64Array(shape.outputs);
    this.#native = new (addon().RidgeTrainer)(shape, solver === 'svd' ? 'qr' : solver, folds);
    this.#usage = new Usage(owner);
  }

  /** Rows added so far that count. */
  get rows(): number {
    return this.#rows;
  }

  /** Rows added so far that do not count: those with a target that is NaN. */
  get dropped(): number {
    return this.#given - this.#rows;
  }

  /** Of each output, a sum of squares about the mean that is no more than the rounding of a constant. */
  get rounding(): Float64Array {
    return this.#squares.map((square) => ROUNDING * square);
  }

  /** Throws while an asynchronous call uses the sums, or once they are closed. */
  checkUsable(): void {
    this.#usage.check();
  }

  /** Where the rows that follow go. */
  enter(fold: number): void {
    this.#usage.check();
    if (this.folds > 1) this.#native.enter(fold);
  }

  add({ states, inputs }: Features, targets: Float64Array, weights: Float64Array | null = null): void {
    this.#usage.check();
    this.#count(states, this.#native.add(states, inputs, targets, weights));
    this.#countSquares(targets, weights);
  }

  async addAsync(features: Features, targets: Float64Array, run: LongRunOptions, weights: Float64Array | null = null) {
    const { states, inputs, steps } = features;
    const start = async (control: Int32Array) => {
      const done = await this.#native.addAsync(states, inputs, targets, weights, control);
      this.#count(states, done);
      this.#countSquares(targets.subarray(0, done * this.shape.outputs), weights);
      return done;
    };
    await this.#usage.during(() => longRun(start, run, { stage: 'train', total: steps }));
  }

  #count(states: Floats, given: number): void {
    this.#given += given;
    this.#rows = this.#native.counted;
    this.#isNarrow ||= states instanceof Float32Array;
    this.#spectrum = null;
  }

  #countSquares(targets: Float64Array, weights: Float64Array | null, first = 0): void {
    const { outputs } = this.shape;
    for (let i = first * outputs; i < targets.length; i++) {
      const y = targets[i]!;
      if (!Number.isNaN(y)) this.#squares[i % outputs]! += (weights?.[Math.floor(i / outputs)] ?? 1) * y * y;
    }
  }

  /** Runs the state over the series and adds the rows after the washout. */
  train(lesson: Lesson): void {
    this.#usage.check();
    if (!isOwn(lesson.state)) {
      this.#trainByRuns(lesson);
      return;
    }
    const { state, series, targets, washout, block, weights } = lesson;
    this.#countSquares(targets, weights, washout);
    this.#countSteps(lesson, this.#native.train(state.native, series, targets, washout, block, weights), false);
  }

  async trainAsync(lesson: Lesson, run: LongRunOptions): Promise<void> {
    if (!isOwn(lesson.state)) {
      const expected = 'a network of this copy of dtesn (that of a copy with a binary of its own trains synchronously)';
      throw argumentError(expected, 'network', lesson.state.network);
    }
    const { state, series, targets, washout, block, steps, weights } = lesson;
    this.#countSquares(targets, weights, washout);
    const start = async (control: Int32Array) => {
      const done = await this.#native.trainAsync(state.native, series, targets, washout, block, weights, control);
      return this.#countSteps(lesson, done, Atomics.load(control, 0) !== 0);
    };
    await this.#usage.during(() => longRun(start, run, { stage: 'train', total: steps }));
  }

  /** The same for a state of another addon: its network runs one block of steps at a time. */
  #trainByRuns({ state, series, targets, weights, steps, washout, block }: Lesson): void {
    const { network } = state;
    const { inputs, featureSize } = network;
    const { outputs } = this.shape;
    this.#countSquares(targets, weights, washout);
    for (let start = 0; start < steps; start += BLOCK_STEPS) {
      const end = Math.min(start + BLOCK_STEPS, steps);
      const rows = block.subarray(0, (end - start) * featureSize);
      network.run(series.subarray(start * inputs, end * inputs), { state, out: rows });
      const first = Math.max(start, washout);
      if (first >= end) continue;
      const seen = this.shape.inputs > 0 ? series.subarray(first * inputs, end * inputs) : undefined;
      const wanted = targets.subarray(first * outputs, end * outputs);
      const at = rows.findIndex((value: number) => !Number.isFinite(value));
      if (at >= 0) {
        const place = `states (step ${start + Math.floor(at / featureSize)}, feature ${at % featureSize})`;
        throw rangeError('finite numbers', place, rows[at]);
      }
      const states = rows.subarray((first - start) * featureSize);
      this.#count(states, this.#native.add(states, seen, wanted, weights?.subarray(first, end) ?? null));
    }
  }

  /** Readouts of the first so many features each; of all where left out. */
  solve(ridge: number, prefixes?: readonly number[]): Solved {
    this.#usage.check();
    const unsolved = this.#unsolved(ridge, prefixes);
    if (this.#hasSpectrum) return this.#ofSpectrum(unsolved.checked, this.spectrum());
    const { checked, weights, bias, features, errors } = unsolved;
    return this.#solved(unsolved, this.#native.solve(checked, weights, bias, features, errors));
  }

  async solveAsync(ridge: number, run: LongRunOptions, prefixes?: readonly number[]): Promise<Solved> {
    const unsolved = this.#unsolved(ridge, prefixes);
    if (this.#hasSpectrum) return this.#ofSpectrum(unsolved.checked, await this.spectrumAsync(run));
    const { checked, weights, bias, features, errors } = unsolved;
    const start = (control: Int32Array) => this.#native.solveAsync(checked, weights, bias, features, errors, control);
    return this.#solved(unsolved, await this.#solving(start, run));
  }

  /**
   * Sums of squares of each fold by the readouts of the others, of the first so many features each: folds x ridges x prefixes
   * x outputs.
   */
  validate(ridges: readonly number[], prefixes: readonly number[] = [this.#features]): Float64Array {
    this.#usage.check();
    checkRidges(ridges);
    const errors = this.#errors(ridges.length * prefixes.length);
    this.#native.validate(Float64Array.from(ridges), errors, [...prefixes]);
    return errors;
  }

  async validateAsync(
    ridges: readonly number[],
    run: LongRunOptions,
    prefixes: readonly number[] = [this.#features],
  ): Promise<Float64Array> {
    checkRidges(ridges);
    const errors = this.#errors(ridges.length * prefixes.length);
    const path = Float64Array.from(ridges);
    await this.#solving((control) => this.#native.validateAsync(path, errors, [...prefixes], control), run);
    return errors;
  }

  get #features(): number {
    return this.shape.states + this.shape.inputs;
  }

  /** Of all rows so far; kept until more are added. */
  spectrum(): ReadoutSpectrum {
    this.#usage.check();
    if (this.#spectrum !== null) return this.#spectrum;
    const spectrum = this.#newSpectrum();
    this.#native.spectrum(spectrum.parts);
    this.#spectrum = spectrum;
    return spectrum;
  }

  async spectrumAsync(run: LongRunOptions): Promise<ReadoutSpectrum> {
    if (this.#spectrum !== null) return this.#spectrum;
    const spectrum = this.#newSpectrum();
    await this.#solving((control) => this.#native.spectrumAsync(spectrum.parts, control), run);
    this.#spectrum = spectrum;
    return spectrum;
  }

  /** Frees the sums at once, or after the asynchronous call under way, which then rejects. */
  close(): void {
    this.#usage.close();
    this.#native.close();
  }

  /** Rows of the steps done, which were all of them unless the run was stopped or a state is not finite. */
  #countSteps({ state, steps, washout, block }: Lesson, done: number, isStopped: boolean): number {
    this.#count(block, Math.max(0, done - washout));
    if (done === steps || isStopped) return done;
    const { featureSize } = state.network;
    const at = block.findIndex((value: number) => !Number.isFinite(value));
    const step = Math.max(done, washout) + Math.floor(at / featureSize);
    throw rangeError('finite numbers', `states (step ${step}, feature ${at % featureSize})`, block[at]);
  }

  get #hasSpectrum(): boolean {
    return this.solver === 'svd' || this.solver === 'dual';
  }

  #solving(start: (control: Int32Array) => Promise<number>, run: LongRunOptions): Promise<number> {
    return this.#usage.during(() => longRun(start, run, { stage: 'solve', total: 1 }));
  }

  #errors(readouts: number): Float64Array {
    if (this.solver === 'cholesky' || this.solver === 'dual') {
      throw rangeError("the solver 'qr' or 'svd', which keeps the folds apart,", 'solver', this.solver);
    }
    return new Float64Array(this.folds * readouts * this.shape.outputs);
  }

  #newSpectrum(): ReadoutSpectrum {
    const { states, inputs, outputs } = this.shape;
    if (this.solver === 'cholesky') throw rangeError("the solver 'qr', 'svd' or 'dual'", 'solver', this.solver);
    if (this.#rows === 0) throw this.#singular(0);
    const features = states + inputs;
    const values = this.solver === 'dual' ? this.#rows : features;
    checkMemory(8 * values * (features + outputs + values), `the spectrum of ${features} features`);
    return new ReadoutSpectrum(this.shape, values, this.solver === 'dual');
  }

  #unsolved(ridge: number, prefixes?: readonly number[]): Unsolved {
    const { states, inputs, outputs } = this.shape;
    const all = states + inputs;
    const { ridge: checked } = checkOptions(ridgeSchema, { ridge }, 'solve');
    const features = [...(prefixes ?? [all])];
    if (features.length === 0) throw shapeError('at least one number of features', 0);
    for (const count of features) checkWhole(count, 'features', 1, all);
    if (prefixes !== undefined && this.#hasSpectrum) {
      throw rangeError("the solver 'qr' or 'cholesky' (the first features alone)", 'solver', this.solver);
    }
    const rows = features.reduce((sum, count) => sum + count, 0);
    const errors = this.solver === 'cholesky' ? null : new Float64Array(features.length * outputs);
    const of = { weights: new Float64Array(rows * outputs), bias: new Float64Array(features.length * outputs), errors };
    return { checked, features, ...of };
  }

  #solved(unsolved: Unsolved, condition: number): Solved {
    const { checked, features, weights, bias, errors } = unsolved;
    const { outputs } = this.shape;
    if (this.#rows === 0 || condition === 0) throw this.#singular(checked);
    this.#warn(checked, condition);
    let from = 0;
    const readouts = features.map((count, i) => {
      const some = weights.slice(from * outputs, (from + count) * outputs);
      from += count;
      return this.#readout(count, some, bias.slice(i * outputs, (i + 1) * outputs));
    });
    const split = errors && features.map((_, i) => errors.slice(i * outputs, (i + 1) * outputs));
    return { readouts, errors: split, condition };
  }

  #ofSpectrum(ridge: number, spectrum: ReadoutSpectrum): Solved {
    const { weights, bias } = spectrum.solve(ridge);
    const condition = spectrum.condition(ridge);
    this.#warn(ridge, condition);
    const readouts = [this.#readout(this.shape.states + this.shape.inputs, weights, bias)];
    return { readouts, errors: [spectrum.residuals(ridge)], condition };
  }

  #readout(features: number, weights: Float64Array, bias: Float64Array): LinearReadout {
    const { states, outputs } = this.shape;
    const own = Math.min(states, features);
    return new LinearReadout({
      states: own,
      inputs: features - own,
      weights: matrix(features, outputs, weights),
      bias,
    });
  }

  /** What the precision of the sums or of the states cannot carry, once for each object. */
  #warn(ridge: number, condition: number): void {
    if (this.#warned) return;
    const limit = precisionLimit({ ridge, condition, solver: this.solver, isNarrow: this.#isNarrow });
    if (limit === null) return;
    this.#warned = true;
    process.emitWarning(limit, { type: 'DtesnWarning', code: 'DTESN_PRECISION' });
  }

  #singular(ridge: number): DtesnError {
    const { states, inputs } = this.shape;
    const remedy = this.solver !== 'cholesky' ? 'give a larger ridge' : "give a larger ridge, or the solver 'qr'";
    return new DtesnError(
      'ERR_DTESN_SINGULAR',
      `The ${states + inputs} features are linearly dependent to machine precision over ${this.#rows} steps ` +
        `with ridge ${ridge}: ${remedy}`,
    );
  }
}

/** Whether the addon of this copy of the package made the state. */
function isOwn(state: State): boolean {
  const { State32, State64 } = addon();
  return [State32, State64].some((made: unknown) => state.native.constructor === made);
}
