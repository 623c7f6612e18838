/**
 * The sums of a ridge regression, in native memory: rows are added from memory or from a running network, and solving
 * returns a readout, on this thread or another. See ridge.ts for the law and the errors.
 */
import { z } from 'zod';
import { argumentError, checkOptions, DtesnError, rangeError } from '../errors/index.js';
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
import { Usage } from './usage.js';

/** Steps whose states are in memory at once: few enough to stay in the L2 cache until the sums have read them. */
export const BLOCK_STEPS = 240;

export const ridgeFields = {
  ridge: z.number().min(0).max(Number.MAX_VALUE).default(1e-8).describe('a finite number, 0 or more,'),
  solver: z.enum(['qr', 'cholesky']).default('qr').describe("'qr' or 'cholesky'"),
};
const ridgeSchema = z.object({ ridge: ridgeFields.ridge });

/** A series to add: `series` steps x inputs, `targets` steps x outputs, `block` 240 x features of scratch. */
export interface Lesson {
  state: State;
  series: Floats;
  targets: Float64Array;
  steps: number;
  washout: number;
  block: Floats;
}

export class RidgeSums {
  readonly shape: ReadoutShape;
  readonly solver: 'qr' | 'cholesky';
  readonly #native: NativeRidgeTrainer;
  readonly #usage: Usage;
  #rows = 0;

  /** `owner` for errors: 'Ridge'. */
  constructor(shape: ReadoutShape, solver: 'qr' | 'cholesky', owner: string) {
    const features = shape.states + shape.inputs;
    checkMemory(8 * features * (features / 2 + shape.outputs), `sums of ${features} features`);
    this.shape = shape;
    this.solver = solver;
    this.#native = new (addon().RidgeTrainer)(shape, solver === 'qr');
    this.#usage = new Usage(owner);
  }

  /** Rows added so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Throws while an asynchronous call uses the sums, or once they are closed. */
  checkUsable(): void {
    this.#usage.check();
  }

  add({ states, inputs }: Features, targets: Float64Array): void {
    this.#usage.check();
    this.#rows += this.#native.add(states, inputs, targets);
  }

  async addAsync({ states, inputs, steps }: Features, targets: Float64Array, run: LongRunOptions): Promise<void> {
    const start = async (control: Int32Array) => {
      const done = await this.#native.addAsync(states, inputs, targets, control);
      this.#rows += done;
      return done;
    };
    await this.#usage.during(() => longRun(start, run, { stage: 'train', total: steps }));
  }

  /** Runs the state over the series and adds the rows after the washout. */
  train(lesson: Lesson): void {
    this.#usage.check();
    if (!isOwn(lesson.state)) {
      this.#trainByRuns(lesson);
      return;
    }
    const { state, series, targets, washout, block } = lesson;
    this.#count(lesson, this.#native.train(state.native, series, targets, washout, block), false);
  }

  async trainAsync(lesson: Lesson, run: LongRunOptions): Promise<void> {
    if (!isOwn(lesson.state)) {
      const expected = 'a network of this copy of dtesn (that of a copy with a binary of its own trains synchronously)';
      throw argumentError(expected, 'network', lesson.state.network);
    }
    const { state, series, targets, washout, block, steps } = lesson;
    const start = async (control: Int32Array) => {
      const done = await this.#native.trainAsync(state.native, series, targets, washout, block, control);
      return this.#count(lesson, done, Atomics.load(control, 0) !== 0);
    };
    await this.#usage.during(() => longRun(start, run, { stage: 'train', total: steps }));
  }

  /** The same for a state of another addon: its network runs one block of steps at a time. */
  #trainByRuns({ state, series, targets, steps, washout, block }: Lesson): void {
    const { network } = state;
    const { inputs, featureSize } = network;
    const { outputs } = this.shape;
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
      this.#rows += this.#native.add(rows.subarray((first - start) * featureSize), seen, wanted);
    }
  }

  solve(ridge: number): LinearReadout {
    this.#usage.check();
    const { checked, weights, bias } = this.#unsolved(ridge);
    return this.#solved(checked, weights, bias, this.#native.solve(checked, weights, bias));
  }

  async solveAsync(ridge: number, run: LongRunOptions): Promise<LinearReadout> {
    const { checked, weights, bias } = this.#unsolved(ridge);
    const start = (control: Int32Array) => this.#native.solveAsync(checked, weights, bias, control);
    const isSolved = await this.#usage.during(() => longRun(start, run, { stage: 'solve', total: 1 }));
    return this.#solved(checked, weights, bias, isSolved === 1);
  }

  /** Frees the sums at once, or after the asynchronous call under way, which then rejects. */
  close(): void {
    this.#usage.close();
    this.#native.close();
  }

  /** Rows of the steps done, which were all of them unless the run was stopped or a state is not finite. */
  #count({ state, steps, washout, block }: Lesson, done: number, isStopped: boolean): number {
    this.#rows += Math.max(0, done - washout);
    if (done === steps || isStopped) return done;
    const { featureSize } = state.network;
    const at = block.findIndex((value: number) => !Number.isFinite(value));
    const step = Math.max(done, washout) + Math.floor(at / featureSize);
    throw rangeError('finite numbers', `states (step ${step}, feature ${at % featureSize})`, block[at]);
  }

  #unsolved(ridge: number) {
    const { states, inputs, outputs } = this.shape;
    const checked = checkOptions(ridgeSchema, { ridge }, 'solve').ridge;
    return { checked, weights: new Float64Array((states + inputs) * outputs), bias: new Float64Array(outputs) };
  }

  #solved(ridge: number, weights: Float64Array, bias: Float64Array, isSolved: boolean): LinearReadout {
    const { states, inputs, outputs } = this.shape;
    if (this.#rows === 0 || !isSolved) throw this.#singular(ridge);
    return new LinearReadout({ states, inputs, weights: matrix(states + inputs, outputs, weights), bias });
  }

  #singular(ridge: number): DtesnError {
    const { states, inputs } = this.shape;
    const remedy = this.solver === 'qr' ? 'give a larger ridge' : "give a larger ridge, or the solver 'qr'";
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
