/** Ridge regression of outputs on features, from sums over rows, which are added block by block. */
import { z } from 'zod';
import { brand, checkKeys, checkOptions, checkWhole, DtesnError, rangeError, shapeError } from '../errors/index.js';
import { checkLongRun, type LongRunOptions, type ReadoutShape } from '../native/index.js';
import type { SeriesInput } from '../numeric/index.js';
import {
  type Features,
  type KnownSizes,
  type ReadoutSizes,
  readFeatures,
  readTargets,
  readWeights,
  shapeFields,
  shapeOfRows,
} from './features.js';
import type { LinearReadout } from './linear-readout.js';
import { type NestedReadout, solveNested, solveNestedAsync } from './nested.js';
import {
  bestRidge,
  foldsOf,
  foldTable,
  generalisedTable,
  leaveOneOutTable,
  leftBy,
  NO_READOUT,
  type RidgeScore,
  ridgePath,
} from './ridge-path.js';
import { RidgeSums, ridgeFields, ridgeNumber, type Solver } from './sums.js';

export const optionsSchema = z.object({
  ...shapeFields,
  states: shapeFields.states.optional().describe('a whole number from 1 to 1048576'),
  outputs: shapeFields.outputs.optional().describe('a whole number from 1 to 1048576'),
  ...ridgeFields,
  ridge: z
    .union([ridgeNumber, z.array(ridgeNumber).min(1).readonly()])
    .default(1e-8)
    .describe('a finite number, 0 or more, or an array of them'),
  folds: z.int().min(1).max(1000).optional().describe('a whole number from 1 to 1000'),
});

/** Ridge and solver of a regression. */
export interface RidgeSolution {
  /** λ of ‖X W + 1 b' - Y‖² + λ ‖W‖², a finite number, 0 or more. Default 1e-8. */
  ridge?: number | undefined;
  /**
   * - 'qr' (default): Householder reflections of [X; sqrt(ridge) I], never its squares. A ridge is effective down to
   *   1e-18 of the largest variance. 2 features² operations a step.
   * - 'cholesky': of the Gram matrix. Twice as fast or more; loses directions below 1e-13 of the largest variance, so
   *   that it throws or returns wrong weights for a smaller ridge (a warning DTESN_PRECISION says so).
   * - 'svd': the sums of 'qr', solved by singular values: once for every ridge, also 0 with dependent features (the
   *   shortest weights then). Some 30 features³ operations at the end.
   * - 'dual': for more features than rows. The rows are kept, and solved by singular values in some 10 rows² features
   *   operations.
   */
  solver?: 'qr' | 'cholesky' | 'svd' | 'dual' | undefined;
}

/** Options of Ridge: how the sums are solved; sizes of the rows where they cannot be seen from the first ones. */
export interface RidgeOptions extends Omit<RidgeSolution, 'ridge'> {
  /** λ, a finite number, 0 or more; or several, of which `solve` takes the best over the folds. Default 1e-8. */
  ridge?: number | readonly number[] | undefined;
  /** Columns of the states, 1 to 1,048,576. Default: those of the first rows, which a typed array alone does not say. */
  states?: number | undefined;
  /** Columns of the inputs, which the readout reads beside the states. Default 0: none. */
  inputs?: number | undefined;
  /** Columns of the targets, 1 to 1,048,576. Default: those of the first targets. */
  outputs?: number | undefined;
  /** Whether b is learned; it is 0 otherwise. Default true. */
  intercept?: boolean | undefined;
  /** Folds that validate() leaves out one after the other, 1 to 1000; each keeps a triangle of features². Default 1; 5 with several ridges. */
  folds?: number | undefined;
}

/** Options of add: weights of the rows, and the fold that they go to. */
export interface RidgeAddOptions {
  /** Weight of each row, 0 or more. Default: 1 each. */
  weights?: ArrayLike<number> | undefined;
  /** The fold of these rows. Default: contiguous parts of them go to the folds in turn. */
  fold?: number | undefined;
}

/** Options of solve: which features. */
export interface RidgeSolveOptions {
  /** The readout of the first so many features alone (states, then inputs). Default: all. */
  features?: number | undefined;
}

/** A path of ridges with the error of each, and the best one. */
export interface RidgeValidation {
  /** The ridge with the smallest error. */
  best: number;
  /** Each ridge and its error. */
  table: RidgeScore[];
}

/**
 * Ridge regression of outputs on features, from sums over rows, which are added block by block.
 *
 *     W, b = argmin Σ weight(t) |W' x(t) + b - y(t)|² + ridge ‖W‖²        (the intercept b is not penalised)
 *
 * Shapes: X is steps x features, Y steps x outputs, W features x outputs; features are the states followed by `inputs`
 * columns. Memory is O(features²) for any number of steps; all sums are f64. Rows with a target that is NaN do not count:
 * `dropped` counts them.
 *
 * A path of ridges costs no new run: `validate` leaves out contiguous folds (a triangular factor each, merged exactly),
 * `generalised` is generalised cross-validation, `leaveOneOut` is exact for independent rows.
 *
 * Asynchronous twins: `addAsync`, `solveAsync` and `validateAsync` do the same on another thread, to the same bits. Typed
 * arrays must lie on shared memory; one call at a time works on an object. An abort rejects with the signal's reason: rows
 * added before it stay in the sums, in order (`steps` counts them), and the object stays usable.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option or a value that is not finite; RangeError ERR_DTESN_SHAPE
 * for rows that do not fit; DtesnError ERR_DTESN_SINGULAR when the features are linearly dependent and the ridge is too
 * small for the solver; ERR_DTESN_EMPTY before any rows; ERR_DTESN_BUSY while an asynchronous call is under way;
 * ERR_DTESN_CLOSED once it is closed.
 * Source: Lukoševičius (2012), "A practical guide to applying echo state networks", section 4.
 */
export class Ridge {
  /** How the sums are solved. */
  readonly solver: 'qr' | 'cholesky' | 'svd' | 'dual';
  /** Whether b is learned. */
  readonly intercept: boolean;
  /** Folds that validate() leaves out. */
  readonly folds: number;
  /**
   * Each λ that was given.
   * @internal
   */
  readonly ridges: readonly number[];
  readonly #sizes: KnownSizes;
  #sums: RidgeSums | null = null;
  #isClosed = false;
  #condition: number | null = null;
  #validation: RidgeValidation | null = null;

  constructor(options: RidgeOptions = {}) {
    const { ridge, solver, intercept, folds, ...sizes } = checkOptions(optionsSchema, options, 'Ridge');
    this.ridges = typeof ridge === 'number' ? [ridge] : ridge;
    this.solver = solver;
    this.intercept = intercept;
    this.folds = folds ?? (this.ridges.length > 1 ? 5 : 1);
    this.#sizes = { ...sizes, intercept };
    const { states, inputs, outputs } = sizes;
    if (states !== undefined && outputs !== undefined) this.#begin({ states, inputs, outputs, intercept });
  }

  /** λ: the penalty of the weights; of several the one that `solve` took last, the first one before. */
  get ridge(): number {
    return this.#validation?.best ?? this.ridges[0]!;
  }

  /** The errors of several ridges at the last solve; null where one was given, and before. */
  get validation(): RidgeValidation | null {
    return this.#validation;
  }

  /** Rows added so far that count. */
  get steps(): number {
    return this.#sums?.rows ?? 0;
  }

  /** Rows added so far that do not count, since a target is NaN. */
  get dropped(): number {
    return this.#sums?.dropped ?? 0;
  }

  /**
   * Condition number of [X; sqrt(ridge) I] at the last solve, without the intercept: exact for 'svd' and 'dual', to a factor
   * of two for the others. Null before.
   */
  get condition(): number | null {
    return this.#condition;
  }

  /**
   * Adds rows of states and targets and, if the readout has inputs, the inputs of the same steps. Returns this object.
   */
  add(states: SeriesInput, targets: SeriesInput, inputs?: SeriesInput, options: RidgeAddOptions = {}): this {
    const { sums, parts } = this.#rows(states, targets, inputs, options, false);
    for (const { fold, features, wanted, weights } of parts) {
      sums.enter(fold);
      sums.add(features, wanted, weights);
    }
    return this;
  }

  /** The same off the JavaScript thread; progress has the stage 'train' and counts rows. */
  async addAsync(
    states: SeriesInput,
    targets: SeriesInput,
    inputs?: SeriesInput,
    options: LongRunOptions & RidgeAddOptions = {},
  ): Promise<void> {
    const { weights: given, fold: into, ...run } = options;
    checkLongRun(run, 'addAsync');
    const { sums, parts } = this.#rows(states, targets, inputs, { weights: given, fold: into }, true);
    for (const { fold, features, wanted, weights } of parts) {
      sums.enter(fold);
      await sums.addAsync(features, wanted, run, weights);
    }
  }

  /** The readout of all rows so far, for this or another ridge; the sums are kept, and more rows may follow. */
  solve(ridge?: number, options: RidgeSolveOptions = {}): LinearReadout {
    if (ridge === undefined && this.ridges.length > 1) this.#validation = this.validate(this.ridges);
    return this.#first(this.#filled().solve(ridge ?? this.ridge, prefixOf(options)));
  }

  /** The same off the JavaScript thread; progress has the stage 'solve'. */
  async solveAsync(ridge?: number, options: LongRunOptions & RidgeSolveOptions = {}): Promise<LinearReadout> {
    const { features, ...run } = options;
    checkLongRun(run, 'solveAsync');
    if (ridge === undefined && this.ridges.length > 1) this.#validation = await this.validateAsync(this.ridges, run);
    return this.#first(await this.#filled().solveAsync(ridge ?? this.ridge, run, prefixOf({ features })));
  }

  /**
   * Nested readouts: those of the first so many features each, from one factor ('qr' or 'cholesky'), with what each leaves, and
   * with several folds the error of each over them.
   */
  nested(features: readonly number[], ridge = this.ridge): NestedReadout[] {
    const { readouts, condition } = solveNested(this.#filled(), features, ridge);
    this.#condition = condition;
    return readouts;
  }

  /** The same off the JavaScript thread; progress has the stage 'solve'. */
  async nestedAsync(
    features: readonly number[],
    ridge = this.ridge,
    options: LongRunOptions = {},
  ): Promise<NestedReadout[]> {
    checkLongRun(options, 'nestedAsync');
    const { readouts, condition } = await solveNestedAsync(this.#filled(), features, ridge, options);
    this.#condition = condition;
    return readouts;
  }

  /**
   * The error of each ridge over contiguous folds, each by the readout of all others: mean square in units of the variance
   * about the mean of the other folds, averaged over the outputs. Exact, without a new run; 'qr' or 'svd', 2 folds or more.
   * Errors: ERR_DTESN_EMPTY where one fold has all rows.
   */
  validate(ridges: readonly number[] = ridgePath): RidgeValidation {
    const { sums, path } = this.#validated(ridges);
    return bestRidge(foldTable(ridges, foldsOf(sums, sums.validate(path), path.length)));
  }

  /** The same off the JavaScript thread; progress has the stage 'solve'. */
  async validateAsync(ridges: readonly number[] = ridgePath, options: LongRunOptions = {}): Promise<RidgeValidation> {
    checkLongRun(options, 'validateAsync');
    const { sums, path } = this.#validated(ridges);
    return bestRidge(foldTable(ridges, foldsOf(sums, await sums.validateAsync(path, options), path.length)));
  }

  /**
   * Generalised cross-validation of each ridge, rows RSS / (rows - degrees of freedom)² in units of the variance; one
   * spectrum for all. For independent rows. Source: Golub, Heath, Wahba (1979), Technometrics 21(2).
   */
  generalised(ridges: readonly number[] = ridgePath): RidgeValidation {
    return bestRidge(generalisedTable(ridges, this.#filled()));
  }

  /**
   * The error of each ridge where every row is left out once, exact for independent rows of weight 1: give the rows that were
   * added, all of them in order. Source: Allen (1974), Technometrics 16(1).
   */
  leaveOneOut(
    states: SeriesInput,
    targets: SeriesInput,
    inputs?: SeriesInput,
    ridges: readonly number[] = ridgePath,
  ): RidgeValidation {
    const sums = this.#filled();
    const features = readFeatures(states, inputs, sums.shape);
    const wanted = readTargets(targets, features.steps, sums.shape, false, true);
    return bestRidge(leaveOneOutTable(ridges, sums, features, wanted));
  }

  /**
   * The output for each row by the readout of all other rows, rows x outputs: give the rows that were added, all of them in
   * order, each of weight 1. Exact, from one spectrum.
   */
  leftOut(states: SeriesInput, targets: SeriesInput, inputs?: SeriesInput, ridge = this.ridge): Float64Array {
    const sums = this.#filled();
    const features = readFeatures(states, inputs, sums.shape);
    const wanted = readTargets(targets, features.steps, sums.shape);
    const [left] = leftBy([ridge], sums, features, wanted);
    return wanted.map((y, i) => y - left![i]!);
  }

  /** Forgets all rows and their sizes; new ones may follow. */
  reset(): void {
    this.#sums?.checkUsable();
    this.#sums?.close();
    this.#sums = null;
    this.#condition = null;
    this.#validation = null;
  }

  /**
   * Takes a ridge that was compared elsewhere, and the condition of its solve.
   * @internal
   */
  take(validation: RidgeValidation, condition: number | null): void {
    this.#validation = validation;
    this.#condition = condition;
  }

  /**
   * The sums for rows of these sizes, which an Esn adds to.
   * @internal
   */
  sumsOf(features: number, outputs: number): RidgeSums {
    const sums = this.#sums ?? this.#begin({ states: features, inputs: 0, outputs, intercept: this.intercept });
    const { shape } = sums;
    if (shape.states === features && shape.inputs === 0 && shape.outputs === outputs) return sums;
    throw shapeError(
      `${shape.states + shape.inputs} features and ${shape.outputs} outputs (of this readout)`,
      `${features} and ${outputs}`,
    );
  }

  /** Frees the sums; an asynchronous call under way ends first, and rejects with ERR_DTESN_CLOSED. */
  close(): void {
    this.#isClosed = true;
    this.#sums?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #begin(shape: ReadoutShape): RidgeSums {
    if (this.#isClosed) throw new DtesnError('ERR_DTESN_CLOSED', 'Expected an open Ridge but it was closed');
    this.#sums ??= new RidgeSums(shape, this.solver as Solver, 'Ridge', this.folds);
    return this.#sums;
  }

  #filled(): RidgeSums {
    if (this.#sums !== null) return this.#sums;
    throw new DtesnError('ERR_DTESN_EMPTY', 'Expected rows before the solution: call add first');
  }

  #first({ readouts, condition }: ReturnType<RidgeSums['solve']>): LinearReadout {
    this.#condition = condition;
    return readouts[0]!;
  }

  #validated(ridges: readonly number[]) {
    if (this.folds < 2) throw rangeError('2 folds or more (an option of Ridge)', 'folds', this.folds);
    return { sums: this.#filled(), path: [...ridges, NO_READOUT] };
  }

  /** Checks rows, and splits them into those of each fold. */
  #rows(
    states: SeriesInput,
    targets: SeriesInput,
    inputs: SeriesInput | undefined,
    options: RidgeAddOptions,
    shared: boolean,
  ) {
    checkKeys(options, ['weights', 'fold'], 'add');
    const sums = this.#sums ?? this.#begin(shapeOfRows(this.#sizes, states, targets, inputs, 'Ridge'));
    const { shape } = sums;
    const features = readFeatures(states, inputs, shape, shared);
    const { steps } = features;
    const wanted = readTargets(targets, steps, shape, shared, true);
    const weights = readWeights(options.weights, steps, shared);
    const { folds } = this;
    const first = options.fold ?? (folds === 1 ? 0 : undefined);
    if (first !== undefined) {
      checkWhole(first, 'fold', 0, folds - 1);
      return { sums, parts: [{ fold: first, features, wanted, weights }] };
    }
    const parts = Array.from({ length: folds }, (_, fold) => {
      const from = Math.floor((fold * steps) / folds);
      const to = Math.floor(((fold + 1) * steps) / folds);
      const { outputs } = shape;
      return {
        fold,
        features: part(features, from, to, shape),
        wanted: wanted.subarray(from * outputs, to * outputs),
        weights: weights?.subarray(from, to) ?? null,
      };
    });
    return { sums, parts };
  }
}

export const isRidge = brand(Ridge, 'Ridge');

function prefixOf({ features, ...more }: RidgeSolveOptions): number[] | undefined {
  checkKeys(more, [], 'solve');
  return features === undefined ? undefined : [features];
}

function part({ states, inputs }: Features, from: number, to: number, shape: ReadoutSizes): Features {
  return {
    states: states.subarray(from * shape.states, to * shape.states),
    inputs: inputs?.subarray(from * (shape.inputs ?? 0), to * (shape.inputs ?? 0)),
    steps: to - from,
  };
}
