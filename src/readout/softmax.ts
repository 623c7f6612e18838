/** Softmax regression of classes on features: the linear readout of the least cross-entropy. */
import { z } from 'zod';
import { brand, checkKeys, checkOptions, checkWhole, DtesnError, rangeError, shapeError } from '../errors/index.js';
import { checkMemory, columnsOf, type Matrix, matrix, readSeries, type SeriesInput } from '../numeric/index.js';
import { type ClassRows, CrossEntropy, logLoss, product } from './cross-entropy.js';
import { readFeatures } from './features.js';
import type { LinearReadout } from './linear-readout.js';
import { type Components, principalComponents } from './principal-components.js';
import { softmax } from './probabilities.js';
import type { RidgeValidation } from './ridge.js';
import { bestRidge } from './ridge-path.js';
import { ridgeNumber } from './sums.js';

/** 1e-6, 1e-5, ..., 1e2. */
const softmaxPath: readonly number[] = Array.from({ length: 9 }, (_, i) => Number(`1e${i - 6}`));

/** What tells one ridge from another needs no more. */
const VALIDATION_TOLERANCE = 1e-5;

export const softmaxSchema = z.object({
  ridge: z
    .union([ridgeNumber, z.array(ridgeNumber).min(1).readonly()])
    .default(softmaxPath)
    .describe('a finite number, 0 or more, or an array of them'),
  classes: z.int().min(2).max(65_536).optional().describe('a whole number from 2 to 65536'),
  intercept: z.boolean().default(true).describe('true or false'),
  folds: z.int().min(2).max(1000).default(5).describe('a whole number from 2 to 1000'),
  maximumIterations: z.int().min(1).max(1_000_000).default(100).describe('a whole number from 1 to 1000000'),
  tolerance: z.number().gt(0).max(1).default(1e-9).describe('a number in (0, 1]'),
});

/** Options of Softmax: the penalty, the classes, and when its search ends. */
export interface SoftmaxOptions {
  /**
   * λ, a finite number, 0 or more; or several, of which `solve` takes that of the least log loss over the folds. Default 1e-6,
   * 1e-5, ..., 1e2.
   */
  ridge?: number | readonly number[] | undefined;
  /** Classes, 2 to 65,536. Default: the columns of targets that are one-hot, otherwise the largest index and one. */
  classes?: number | undefined;
  /** Whether b is learned; it is 0 otherwise. Default true. */
  intercept?: boolean | undefined;
  /** Folds that are left out one after the other to compare several ridges, 2 to 1000. Default 5. */
  folds?: number | undefined;
  /** Steps of Newton's method after which the search fails, 1 to 1,000,000. Default 100. */
  maximumIterations?: number | undefined;
  /**
   * The largest component of the gradient a row, along principal components of variance 1, at which the search ends, in (0, 1]; the last
   * step may move no output by more than its square root. Default 1e-9.
   */
  tolerance?: number | undefined;
}

/** Options of Softmax.add: the fold of the rows. */
export interface SoftmaxAddOptions {
  /** The fold of these rows, from 0. Default: the rows of each class go to the folds in turn. */
  fold?: number | undefined;
}

/**
 * Softmax regression: the linear readout whose outputs are the logarithms of probabilities, to a constant a row.
 *
 *     W, b = argmin -Σ log p_c(t)(t) + ½ ridge ‖W‖²       p_k(t) = exp(y_k(t)) / Σ_m exp(y_m(t)),   y(t) = W' x(t) + b
 *
 * The intercept b is not penalised. Shapes: X rows x features, W features x classes, y rows x classes; rows of W, and b, sum to 0.
 * With two classes it is logistic regression: log p_1 / p_0 = β' x + c, with β = w_1 - w_0 and the penalty ¼ ridge ‖β‖².
 *
 *     const readout = new Softmax({ ridge: 1 }).add(features, classes).solve();
 *     const probabilities = Softmax.probabilities(readout.apply(features));
 *
 * All sums are f64, along the principal components of the features, each of variance 1, by Newton's method with conjugate gradients; W
 * is in units of the features. Rows are kept. Memory of a solve is some 40 bytes a row and feature, and 80 a row and class.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option or a value that is not finite; RangeError ERR_DTESN_SHAPE for rows that
 * do not fit, and where a class has no row; DtesnError ERR_DTESN_EMPTY before any rows; ERR_DTESN_MEMORY for rows that do not fit in
 * memory; ERR_DTESN_CONVERGENCE where the search does not end, as without a ridge where the features separate the classes: no finite
 * weights are the best ones then.
 * Source: Bishop (2006), "Pattern Recognition and Machine Learning", section 4.3.4.
 */
export class Softmax {
  /** Whether b is learned. */
  readonly intercept: boolean;
  /** Folds that are left out to compare several ridges. */
  readonly folds: number;
  /** Steps after which the search fails. */
  readonly maximumIterations: number;
  /** The gradient a row at which the search ends. */
  readonly tolerance: number;
  /**
   * What was given, with defaults; for files.
   * @internal
   */
  readonly options: SoftmaxOptions;
  readonly #ridges: readonly number[];
  #features: number | null = null;
  #parts: Float64Array[] = [];
  #classOf: number[] = [];
  #foldOf: number[] = [];
  /** Rows of each class. */
  #counts: number[] = [];
  #classes = 0;
  #components: Components | null = null;
  #iterations: number | null = null;
  #validation: RidgeValidation | null = null;

  constructor(options: SoftmaxOptions = {}) {
    const checked = checkOptions(softmaxSchema, options, 'Softmax');
    this.options = checked;
    this.#ridges = typeof checked.ridge === 'number' ? [checked.ridge] : checked.ridge;
    this.intercept = checked.intercept;
    this.folds = checked.folds;
    this.maximumIterations = checked.maximumIterations;
    this.tolerance = checked.tolerance;
  }

  /** Probabilities of rows of outputs, rows x classes: what a readout of Softmax gives for features. */
  static probabilities(outputs: Matrix): Matrix {
    const { rows, cols, data } = outputs;
    return matrix(rows, cols, softmax(Float64Array.from(data), cols, 1));
  }

  /** λ: of several the one that `solve` took last, the first one before. */
  get ridge(): number {
    return this.#validation?.best ?? this.#ridges[0]!;
  }

  /** The mean log loss of several ridges at the last solve; null where one was given, and before. */
  get validation(): RidgeValidation | null {
    return this.#validation;
  }

  /** Rows added so far. */
  get steps(): number {
    return this.#classOf.length;
  }

  /** Steps of Newton's method at the last solve; null before. */
  get iterations(): number | null {
    return this.#iterations;
  }

  /** Adds rows of features and their classes: whole numbers from 0, or rows with a 1 in the column of the class and 0 elsewhere. */
  add(features: SeriesInput, targets: SeriesInput, options: SoftmaxAddOptions = {}): this {
    checkKeys(options, ['fold'], 'add');
    if (options.fold !== undefined) checkWhole(options.fold, 'fold', 0, this.folds - 1);
    const columns = this.#features ?? columnsOf(features);
    if (columns === undefined) throw shapeError('a Matrix or rows for features', features as never);
    const { states, steps } = readFeatures(features, undefined, {
      ...{ states: columns, inputs: 0, outputs: 1 },
      intercept: this.intercept,
    });
    const { classOf, classes } = readClasses(targets, steps, this.options.classes);
    checkMemory(24 * (this.steps + steps) * columns, `rows of ${columns} features`);
    this.#features = columns;
    this.#parts.push(Float64Array.from(states));
    for (const one of classOf) {
      const before = this.#counts[one] ?? 0; // classes in turn would leave whole classes out if rows went to the folds in turn
      this.#foldOf.push(options.fold ?? before % this.folds);
      this.#classOf.push(one);
      this.#counts[one] = before + 1;
    }
    this.#classes = Math.max(this.#classes, classes);
    this.#components = null;
    return this;
  }

  /** The readout of all rows so far, for this or another ridge; the rows are kept, and more may follow. Its outputs are log p and a constant. */
  solve(ridge?: number): LinearReadout {
    if (ridge === undefined && this.#ridges.length > 1) this.#validation = this.validate(this.#ridges);
    const { columns, penalty, values } = this.#prepared();
    const taken = checkOptions(solveSchema, { ridge: ridge ?? this.ridge }, 'solve').ridge;
    const rows = { values, columns, classOf: Int32Array.from(this.#classOf), classes: this.#classes };
    const search = new CrossEntropy(rows, penalty(taken));
    const { weights, iterations, hasConverged, gradient } = search.minimise(
      new Float64Array(columns * this.#classes),
      this,
    );
    this.#iterations = iterations;
    if (!hasConverged) throw notConverged(iterations, gradient, this.tolerance);
    return this.#components!.readout(weights, this.#classes);
  }

  /**
   * The mean log loss of each ridge over the folds, each by the readout of all others. A readout whose search does not end counts as it
   * is then. A row whose class has no row in the other folds does not count.
   */
  validate(ridges: readonly number[] = softmaxPath): RidgeValidation {
    const components = this.#prepared();
    const errors = ridges.map(() => 0);
    const fromLargest = [...ridges.keys()].sort((a, b) => ridges[b]! - ridges[a]!);
    let counted = 0;
    for (const fold of new Set(this.#foldOf)) {
      const { learned, left } = this.#split(fold, components);
      if (learned.classes < 2) continue;
      const { columns, classes } = learned;
      counted += left.classOf.length;
      let weights = new Float64Array(columns * classes);
      for (const r of fromLargest) {
        const limits = { maximumIterations: this.maximumIterations, tolerance: VALIDATION_TOLERANCE };
        const ridge = checkOptions(solveSchema, { ridge: ridges[r]! }, 'validate').ridge;
        const found = new CrossEntropy(learned, components.penalty(ridge)).minimise(weights, limits);
        const loss = logLoss(product(left.values, columns, found.weights, classes), left.classOf, classes);
        errors[r]! += Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss;
        // What a search that failed has left would change the loss of the next ridge.
        weights = found.hasConverged ? Float64Array.from(found.weights) : new Float64Array(columns * classes);
      }
    }
    if (counted === 0) throw shapeError('rows of 2 classes or more in 2 folds or more each', 'none to compare ridges');
    return bestRidge(ridges.map((ridge, r) => ({ ridge, error: errors[r]! / counted })));
  }

  /** Forgets all rows and their sizes; new ones may follow. */
  reset(): void {
    this.#features = null;
    this.#parts = [];
    this.#classOf = [];
    this.#foldOf = [];
    this.#counts = [];
    this.#classes = 0;
    this.#components = null;
    this.#iterations = null;
    this.#validation = null;
  }

  /** The rows of all folds but one, with only the classes that these have; and the rows of the one that are of such a class. */
  #split(fold: number, { values, columns }: Components): { learned: ClassRows; left: ClassRows } {
    const all = [...this.#foldOf.keys()];
    const others = all.filter((i) => this.#foldOf[i] !== fold);
    const known = [...new Set(others.map((i) => this.#classOf[i]!))].sort((a, b) => a - b);
    const placeOf = new Map(known.map((one, place) => [one, place]));
    const rowsOf = (members: readonly number[]) => {
      const some = new Float64Array(members.length * columns);
      for (const [k, i] of members.entries()) some.set(values.subarray(i * columns, (i + 1) * columns), k * columns);
      const classOf = Int32Array.from(members, (i) => placeOf.get(this.#classOf[i]!)!);
      return { values: some, columns, classOf, classes: known.length };
    };
    const own = all.filter((i) => this.#foldOf[i] === fold && placeOf.has(this.#classOf[i]!));
    return { learned: rowsOf(others), left: rowsOf(own) };
  }

  #prepared(): Components {
    if (this.#features === null) {
      throw new DtesnError('ERR_DTESN_EMPTY', 'Expected rows before the solution: call add first');
    }
    const known = new Set(this.#classOf);
    if (known.size < this.#classes || known.size < 2) {
      const missing = Array.from({ length: Math.max(2, this.#classes) }, (_, k) => k).find((k) => !known.has(k));
      throw shapeError('rows of each class', `none of class ${missing}`);
    }
    checkMemory(
      8 * this.steps * (5 * this.#features + 10 * this.#classes),
      `a solve of ${this.steps} rows, ${this.#features} features and ${this.#classes} classes`,
    );
    this.#components ??= principalComponents(this.#parts, this.#features, this.intercept);
    return this.#components;
  }
}

const solveSchema = z.object({ ridge: ridgeNumber.describe('a finite number, 0 or more') });

export const isSoftmax = brand(Softmax, 'Softmax');

function notConverged(iterations: number, gradient: number, tolerance: number): DtesnError {
  return new DtesnError(
    'ERR_DTESN_CONVERGENCE',
    `Softmax did not converge in ${iterations} iterations (gradient a row ${gradient.toExponential(1)}, tolerance ${tolerance}): give a larger ridge, without which classes that the features separate have no best weights, or more maximumIterations`,
  );
}

/** The class of each row, from its index or from the column of its 1. */
function readClasses(targets: SeriesInput, steps: number, given: number | undefined) {
  const columns = columnsOf(targets) ?? 1;
  const values = readSeries(targets, {
    ...{ inputs: columns, dtype: 'f64', shared: false, columns: 'targets', owner: 'Softmax', argument: 'targets' },
  });
  const rows = values.length / columns;
  if (rows !== steps) throw shapeError(`targets with ${steps} steps (one for each row of features)`, rows);
  if (columns > 1 && given !== undefined && columns !== given) {
    throw shapeError(`targets with ${given} columns (classes of this Softmax)`, columns);
  }
  const classOf = new Int32Array(rows);
  for (let t = 0; t < rows; t++) {
    classOf[t] =
      columns === 1 ? indexOf(values[t]!, given) : ownColumn(values.subarray(t * columns, (t + 1) * columns));
  }
  return {
    classOf,
    classes: given ?? (columns > 1 ? columns : classOf.reduce((most, one) => Math.max(most, one + 1), 0)),
  };
}

function indexOf(value: number, classes = 65_536): number {
  if (Number.isInteger(value) && value >= 0 && value < classes) return value;
  throw rangeError(`whole numbers from 0 to ${classes - 1} (indices of classes)`, 'targets', value);
}

function ownColumn(row: ArrayLike<number>): number {
  const values = Array.from(row);
  const own = values.indexOf(1);
  if (own >= 0 && values.every((value, k) => value === Number(k === own))) return own;
  throw rangeError('rows of one 1 and zeros', 'targets', values.find((value) => value !== 0 && value !== 1) ?? values);
}
