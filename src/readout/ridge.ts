/**
 * Ridge regression of outputs on features, from sums that rows are added to block by block.
 *
 *     W, b = argmin ‖X W + 1 b' - Y‖² + ridge ‖W‖²        (the intercept b is not penalised)
 *
 * Shapes: X is steps x features, Y steps x outputs, W features x outputs; features are the states and, behind them, `inputs`
 * columns. Memory is O(features²) whatever the steps; all sums are f64.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option or a value that is not finite; RangeError ERR_DTESN_SHAPE
 * for rows that do not fit; DtesnError ERR_DTESN_SINGULAR when the features are linearly dependent and the ridge is too
 * small for the solver.
 * Source: Lukoševičius (2012), "A practical guide to applying echo state networks", section 4.
 */
import { z } from 'zod';
import { checkOptions, DtesnError } from '../errors/index.js';
import { addon, type NativeRidgeTrainer, type ReadoutShape } from '../native/index.js';
import { checkMemory, matrix, type SeriesInput } from '../numeric/index.js';
import { type ReadoutSizes, readFeatures, readTargets, shapeFields } from './features.js';
import { LinearReadout } from './linear-readout.js';

export const ridgeFields = {
  ridge: z.number().min(0).max(Number.MAX_VALUE).default(1e-8).describe('a finite number, 0 or more,'),
  solver: z.enum(['qr', 'cholesky']).default('qr').describe("'qr' or 'cholesky'"),
};

export const optionsSchema = z.object({ ...shapeFields, ...ridgeFields });

/** How a ridge regression is solved. */
export interface RidgeSolution {
  /** λ of ‖X W + 1 b' - Y‖² + λ ‖W‖², a finite number, 0 or more. Default 1e-8. */
  ridge?: number | undefined;
  /**
   * - 'qr' (default): Householder reflections of [X; sqrt(ridge) I], never its squares. A ridge down to 1e-18 of the largest
   *   variance means what it says. 2 features² operations a step.
   * - 'cholesky': of the Gram matrix. Twice as fast or more; loses directions below 1e-13 of the largest variance, so that it
   *   refuses or misleads where the ridge is smaller.
   */
  solver?: 'qr' | 'cholesky' | undefined;
}

export interface RidgeOptions extends ReadoutSizes, RidgeSolution {}

export class Ridge {
  readonly ridge: number;
  readonly solver: 'qr' | 'cholesky';
  readonly #shape: ReadoutShape;
  readonly #sums: NativeRidgeTrainer;
  #steps = 0;

  constructor(options: RidgeOptions) {
    const { ridge, solver, ...shape } = checkOptions(optionsSchema, options, 'Ridge');
    const features = shape.states + shape.inputs;
    checkMemory(8 * features * (features / 2 + shape.outputs), `sums of ${features} features`);
    this.ridge = ridge;
    this.solver = solver;
    this.#shape = shape;
    this.#sums = new (addon().RidgeTrainer)(shape, solver === 'qr');
  }

  /** Rows taken in so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Targets as the sums take them, checked: steps x outputs in f64. */
  targetsOf(targets: SeriesInput, steps: number): Float64Array {
    return readTargets(targets, steps, this.#shape);
  }

  /** Takes rows in: of states, targets and, where the shape has inputs, those of the same steps. */
  add(states: SeriesInput, targets: SeriesInput, inputs?: SeriesInput): void {
    const features = readFeatures(states, inputs, this.#shape);
    this.#sums.add(features.states, features.inputs, this.targetsOf(targets, features.steps));
    this.#steps += features.steps;
  }

  /** The readout of all rows so far, for this or another ridge; the sums are kept, and more rows may follow. */
  solve(ridge = this.ridge): LinearReadout {
    const checked = checkOptions(z.object({ ridge: ridgeFields.ridge }), { ridge }, 'solve').ridge;
    const { states, inputs, outputs } = this.#shape;
    const weights = new Float64Array((states + inputs) * outputs);
    const bias = new Float64Array(outputs);
    if (this.#steps === 0 || !this.#sums.solve(checked, weights, bias)) throw this.#singular(checked);
    return new LinearReadout({ states, inputs, weights: matrix(states + inputs, outputs, weights), bias });
  }

  #singular(ridge: number): DtesnError {
    const { states, inputs } = this.#shape;
    const remedy = this.solver === 'qr' ? 'give a larger ridge' : "give a larger ridge, or the solver 'qr'";
    return new DtesnError(
      'ERR_DTESN_SINGULAR',
      `Expected ${states + inputs} linearly independent features with ridge ${ridge} but these of ${this.#steps} steps ` +
        `are not to rounding: ${remedy}`,
    );
  }
}
