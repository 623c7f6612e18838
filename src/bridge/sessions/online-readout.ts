/**
 * What one session learns: recursive least squares from its features to the targets that come with rows, and its running error
 * beside that of persistence, which predicts the last target.
 *
 *     error <- error + w (mean over targets of (target - prediction)² - error),    w = max(1 / rows, 0.01)
 *
 * A prediction is that before its row is learned. Where the rows are divided has no effect on the bits. A learner whose P loses
 * positive definiteness stops: it keeps the weights of the rows before, and has no running errors any more.
 */
import { isDtesnError } from '../../errors/index.js';
import { sharedFloats } from '../../native/index.js';
import { type LinearReadout, RecursiveLeastSquares } from '../../readout/index.js';
import type { LearnerSettings } from './requests.js';

const LEAST_WEIGHT = 0.01;
/** Learners that update at the same time: each takes a thread of the pool that files use too. */
const AT_ONCE = 2;

const STOPPED = 'P lost positive definiteness: create a session with a larger ridge, or scale the rows down';

/** Parts of a snapshot. */
export type SavedReadout = Record<'learner' | 'errors', Uint8Array>;

export class OnlineReadout {
  readonly outputs: number;
  readonly #features: number;
  readonly #squares: RecursiveLeastSquares;
  readonly #lastTarget: Float64Array;
  #error = 0;
  #errors = 0;
  #persistence = 0;
  #persistences = 0;
  #stopped: string | null = null;
  #readout: LinearReadout | null = null;

  constructor(features: number, { outputs, ridge, forgetting }: LearnerSettings, saved?: SavedReadout) {
    this.outputs = outputs;
    this.#features = features;
    this.#lastTarget = new Float64Array(outputs);
    if (saved === undefined) {
      this.#squares = new RecursiveLeastSquares({ states: features, outputs, ridge, forgetting });
      return;
    }
    this.#squares = RecursiveLeastSquares.restore(saved.learner);
    const [stopped, ...figures] = new Float64Array(saved.errors.slice().buffer);
    if (stopped === 1) this.#stopped = STOPPED;
    const [errors, error, persistences, persistence, ...last] = figures as [number, number, number, number];
    this.#errors = errors;
    this.#error = error;
    this.#persistences = persistences;
    this.#persistence = persistence;
    this.#lastTarget.set(last);
  }

  /** Bytes of a learner, as its bound counts them. */
  static bytesOf(features: number): number {
    return 8 * features ** 2;
  }

  get learned(): number {
    return this.#squares.steps;
  }

  /** Null before the first row, and once the learner has stopped. */
  get error(): number | null {
    return this.#errors === 0 || this.#stopped !== null ? null : this.#error;
  }

  get persistence(): number | null {
    return this.#persistences === 0 || this.#stopped !== null ? null : this.#persistence;
  }

  /** Why it has stopped, or null. */
  get stopped(): string | null {
    return this.#stopped;
  }

  /** The readout after the rows so far; not while `learn` is under way. */
  readout(): LinearReadout {
    this.#readout ??= this.#squares.readout();
    return this.#readout;
  }

  /** Predictions of rows of features on shared memory; with targets each row is learned after its prediction. */
  async learn(features: Float64Array, targets: Float64Array | null): Promise<Float64Array> {
    if (targets !== null && this.#stopped === null) {
      this.#readout = null;
      try {
        const shared = sharedFloats('f64', targets.length) as Float64Array;
        shared.set(targets);
        const predictions = await inTurn(() => this.#update(features, shared));
        this.#judge(predictions, targets);
        return predictions;
      } catch (error) {
        if (!(isDtesnError(error) && error.code === 'ERR_DTESN_UNSTABLE')) throw error;
        this.#stopped = STOPPED;
      }
    }
    return this.readout().apply(this.#rows(features, this.#features)).data as Float64Array;
  }

  /** Everything as it is; not while `learn` is under way. */
  save(): SavedReadout {
    const stopped = this.#stopped === null ? 0 : 1;
    const figures = [stopped, this.#errors, this.#error, this.#persistences, this.#persistence, ...this.#lastTarget];
    return { learner: this.#squares.save(), errors: new Uint8Array(Float64Array.from(figures).buffer) };
  }

  close(): void {
    this.#squares.close();
  }

  async #update(features: Float64Array, targets: Float64Array): Promise<Float64Array> {
    const rows = this.#rows(features, this.#features);
    const made = await this.#squares.updateAsync(rows, this.#rows(targets, this.outputs));
    return made.data as Float64Array;
  }

  #rows(data: Float64Array, cols: number) {
    return { rows: data.length / cols, cols, data };
  }

  #judge(predictions: Float64Array, targets: Float64Array): void {
    const { outputs } = this;
    for (let row = 0; row < targets.length; row += outputs) {
      let square = 0;
      let still = 0;
      for (let m = 0; m < outputs; m++) {
        const target = targets[row + m]!;
        square += (target - predictions[row + m]!) ** 2;
        still += (target - this.#lastTarget[m]!) ** 2;
        this.#lastTarget[m] = target;
      }
      if (this.#errors > 0) {
        this.#persistences++;
        this.#persistence += weightOf(this.#persistences) * (still / outputs - this.#persistence);
      }
      this.#errors++;
      this.#error += weightOf(this.#errors) * (square / outputs - this.#error);
    }
  }
}

function weightOf(rows: number): number {
  return Math.max(1 / rows, LEAST_WEIGHT);
}

let running = 0;
const waiting: (() => void)[] = [];

/** Runs work when fewer than AT_ONCE others run. */
async function inTurn<R>(work: () => Promise<R>): Promise<R> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}
