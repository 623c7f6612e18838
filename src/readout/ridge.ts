/** Ridge regression of outputs on features, from sums over rows, which are added block by block. */
import { z } from 'zod';
import { checkOptions } from '../errors/index.js';
import { checkLongRun, type LongRunOptions } from '../native/index.js';
import type { SeriesInput } from '../numeric/index.js';
import { type ReadoutSizes, readFeatures, readTargets, shapeFields } from './features.js';
import type { LinearReadout } from './linear-readout.js';
import { RidgeSums, ridgeFields } from './sums.js';

export const optionsSchema = z.object({ ...shapeFields, ...ridgeFields });

/** Ridge and solver of a regression. */
export interface RidgeSolution {
  /** λ of ‖X W + 1 b' - Y‖² + λ ‖W‖², a finite number, 0 or more. Default 1e-8. */
  ridge?: number | undefined;
  /**
   * - 'qr' (default): Householder reflections of [X; sqrt(ridge) I], never its squares. A ridge is effective down to
   *   1e-18 of the largest variance. 2 features² operations a step.
   * - 'cholesky': of the Gram matrix. Twice as fast or more; loses directions below 1e-13 of the largest variance, so
   *   that it throws or returns wrong weights for a smaller ridge.
   */
  solver?: 'qr' | 'cholesky' | undefined;
}

/** Options of Ridge: sizes of the rows, and how the sums are solved. */
export interface RidgeOptions extends ReadoutSizes, RidgeSolution {}

/**
 * Ridge regression of outputs on features, from sums over rows, which are added block by block.
 *
 *     W, b = argmin ‖X W + 1 b' - Y‖² + ridge ‖W‖²        (the intercept b is not penalised)
 *
 * Shapes: X is steps x features, Y steps x outputs, W features x outputs; features are the states followed by `inputs`
 * columns. Memory is O(features²) for any number of steps; all sums are f64.
 *
 * Asynchronous twins: `addAsync` and `solveAsync` do the same on another thread, to the same bits. Typed arrays must
 * lie on shared memory; one call at a time works on an object. An abort rejects with the signal's reason: rows added
 * before it stay in the sums, in order (`steps` counts them), and the object stays usable.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option or a value that is not finite; RangeError ERR_DTESN_SHAPE
 * for rows that do not fit; DtesnError ERR_DTESN_SINGULAR when the features are linearly dependent and the ridge is too
 * small for the solver; ERR_DTESN_BUSY while an asynchronous call is under way; ERR_DTESN_CLOSED once it is closed.
 * Source: Lukoševičius (2012), "A practical guide to applying echo state networks", section 4.
 */
export class Ridge {
  /** λ: the penalty of the weights. */
  readonly ridge: number;
  /** How the sums are solved. */
  readonly solver: 'qr' | 'cholesky';
  readonly #sums: RidgeSums;

  constructor(options: RidgeOptions) {
    const { ridge, solver, ...shape } = checkOptions(optionsSchema, options, 'Ridge');
    this.ridge = ridge;
    this.solver = solver;
    this.#sums = new RidgeSums(shape, solver, 'Ridge');
  }

  /** Rows added so far. */
  get steps(): number {
    return this.#sums.rows;
  }

  /** Adds rows of states and targets and, if the readout has inputs, the inputs of the same steps. */
  add(states: SeriesInput, targets: SeriesInput, inputs?: SeriesInput): void {
    const { shape } = this.#sums;
    const features = readFeatures(states, inputs, shape);
    this.#sums.add(features, readTargets(targets, features.steps, shape));
  }

  /** The same off the JavaScript thread; progress has the stage 'train' and counts rows. */
  async addAsync(
    states: SeriesInput,
    targets: SeriesInput,
    inputs?: SeriesInput,
    options: LongRunOptions = {},
  ): Promise<void> {
    checkLongRun(options, 'addAsync');
    const { shape } = this.#sums;
    const features = readFeatures(states, inputs, shape, true);
    await this.#sums.addAsync(features, readTargets(targets, features.steps, shape, true), options);
  }

  /** The readout of all rows so far, for this or another ridge; the sums are kept, and more rows may follow. */
  solve(ridge = this.ridge): LinearReadout {
    return this.#sums.solve(ridge);
  }

  /** The same off the JavaScript thread; progress has the stage 'solve'. */
  async solveAsync(ridge = this.ridge, options: LongRunOptions = {}): Promise<LinearReadout> {
    checkLongRun(options, 'solveAsync');
    return this.#sums.solveAsync(ridge, options);
  }

  /** Frees the sums; an asynchronous call under way ends first, and rejects with ERR_DTESN_CLOSED. */
  close(): void {
    this.#sums.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}
