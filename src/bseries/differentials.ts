/** Elementary differentials of a reservoir's flow, and the Taylor series they sum to. */
import { z } from 'zod';
import { checkOptions, rangeError, shapeError } from '../errors/index.js';
import { addon, checkView, dtypeOf, type FloatDtype, type Floats, floats } from '../native/index.js';
import { type Matrix, matrix } from '../numeric/index.js';
import { type TreeTable, treeTable } from '../trees/index.js';

export const MAX_DIFFERENTIAL_ORDER = 10;

const orderText = `a whole number from 1 to ${MAX_DIFFERENTIAL_ORDER}`;
const isNumbers = (value: unknown) =>
  value instanceof Float32Array || value instanceof Float64Array || (Array.isArray(value) && value.every(isNumber));
const isNumber = (value: unknown) => typeof value === 'number';
const numbers = z.custom<ArrayLike<number>>(isNumbers, 'an array of numbers');

export const optionsSchema = z.object({
  weights: z
    .custom<Matrix>((value) => typeof value === 'object' && value !== null && 'data' in value)
    .describe('a square matrix {rows, cols, data}'),
  state: numbers.describe('an array of numbers, one a unit'),
  drive: numbers.optional().describe('an array of numbers, one a unit'),
  decay: z.union([z.number(), numbers]).default(1).describe('a number, or one a unit'),
  order: z.int().min(1).max(MAX_DIFFERENTIAL_ORDER).default(5).describe(orderText),
});

/** Options of elementaryDifferentials: the weights, the state and drive at which they are taken, and the order. */
export interface DifferentialsOptions {
  /** W, units x units; its dtype is that of the result. Required. */
  weights: Matrix;
  /** x: the state at which the differentials are taken, one number a unit. Required. */
  state: ArrayLike<number>;
  /** W_in u + b, the drive beside W x, one a unit. Default: zeros. */
  drive?: ArrayLike<number> | undefined;
  /** d of x' = -d x + tanh(...): one for all units, or one for each. Default 1. */
  decay?: number | ArrayLike<number> | undefined;
  /** Largest order of the trees, 1 to 10. Default 5. */
  order?: number | undefined;
}

/**
 * What elementaryDifferentials returns: one vector a rooted tree, and the terms of the Taylor series that they sum to.
 */
export interface Differentials {
  order: number;
  trees: TreeTable;
  /** F(t), a row a tree. */
  values: Matrix;
  /** x^(n) / n! of the flow, a row for each n from 1 to order. */
  taylor: Matrix;
  errorEstimate(step: number): number;
}

/**
 * Elementary differentials of a reservoir's flow, and the Taylor series they sum to.
 *
 *     f(x) = -a∘x + tanh(W x + w),   F(•) = f,   F([t1 .. tk]) = f^(k)(F(t1), .., F(tk))
 *     x^(n) / n! = Σ_{|t|=n} F(t) / (σ(t) γ(t))
 *     errorEstimate(h) = ||h^p x^(p) / p!||_2,   p = order
 *
 * The estimate is the last term of the Taylor step of order p, which is the error of the step of order p - 1 up to higher
 * powers of h.
 *
 * Shapes: W is n x n; the state x, the drive w = W_in u + b (default 0) and the decay a (default 1; a number or one a
 * unit) have n elements. values is trees x n in the order of treeTable(order), taylor is order x n; both have W's dtype.
 * order: 1 to 10, default 5. Cost: products with W = 1 + the trees of order < p (2, 4, 8, 17, 37, 85, 200, 486).
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an option or a number that is not finite, RangeError
 * ERR_DTESN_SHAPE for sizes that do not match.
 * Source: Hairer, Lubich, Wanner (2006), Geometric Numerical Integration, III.1; Butcher (2016), section 310.
 */
export function elementaryDifferentials(options: DifferentialsOptions): Differentials {
  const { weights, state, drive, decay, order } = checkOptions(optionsSchema, options, 'elementaryDifferentials');
  const data = checkSquare(weights);
  const units = weights.rows;
  const dtype = dtypeOf(data);
  const each = (source: ArrayLike<number> | number, argument: string) => perUnit(source, units, dtype, argument);
  const trees = treeTable(order);
  const values = matrix(trees.order.length, units, floats(dtype, trees.order.length * units));
  const evaluate = dtype === 'f32' ? addon().elementaryDifferentials32 : addon().elementaryDifferentials64;
  const flow = [each(state, 'state'), each(drive ?? 0, 'drive'), each(decay, 'decay')];
  (evaluate as (...views: unknown[]) => void)(data, ...flow, order, values.data);
  const taylor = taylorCoefficients(values, order);
  return { order, trees, values, taylor, errorEstimate: (step) => errorEstimate(taylor, step) };
}

/** x^(n) / n! for n = 1 .. order from the differentials of all trees to that order (trees x units): order x units. */
export function taylorCoefficients(differentials: Matrix, order: number): Matrix {
  if (!Number.isInteger(order) || order < 1 || order > MAX_DIFFERENTIAL_ORDER) {
    throw rangeError(orderText, 'order', order);
  }
  const data = checkView(differentials.data, 'differentials.data', ['Float32Array', 'Float64Array']);
  const { cols: units } = differentials;
  const trees = treeTable(order).order.length;
  if (differentials.rows !== trees || data.length !== trees * units) {
    throw shapeError(`differentials with ${trees} rows (trees to order ${order})`, differentials.rows);
  }
  const dtype = dtypeOf(data);
  const taylor = matrix(order, units, floats(dtype, order * units));
  const sum = dtype === 'f32' ? addon().taylorCoefficients32 : addon().taylorCoefficients64;
  (sum as (...views: unknown[]) => void)(data, units, order, taylor.data);
  return taylor;
}

/** ||h^p x^(p) / p!||_2 of the last row of a Taylor table. */
export function errorEstimate(taylor: Matrix, step: number): number {
  if (!(Number.isFinite(step) && step >= 0)) throw rangeError('a finite number, 0 or more', 'step', step);
  let square = 0;
  for (const value of taylor.data.subarray((taylor.rows - 1) * taylor.cols)) square += value * value;
  return step ** taylor.rows * Math.sqrt(square);
}

function checkSquare(weights: Matrix): Floats {
  const data = checkView(weights.data, 'weights.data', ['Float32Array', 'Float64Array']);
  if (weights.rows < 1 || weights.rows !== weights.cols || data.length !== weights.rows * weights.cols) {
    throw shapeError('a square matrix for weights', `${weights.rows} x ${weights.cols} with ${data.length} elements`);
  }
  return checkFinite(data, 'weights.data');
}

function perUnit(source: ArrayLike<number> | number, units: number, dtype: FloatDtype, argument: string): Floats {
  const values = floats(dtype, units);
  if (typeof source === 'number') return values.fill(source) as Floats;
  if (source.length !== units) throw shapeError(`${argument} with ${units} elements (units)`, source.length);
  values.set(source);
  return checkFinite(values, argument);
}

function checkFinite(values: Floats, argument: string): Floats {
  const bad = values.findIndex((value: number) => !Number.isFinite(value));
  if (bad >= 0) throw rangeError('finite numbers', `${argument} (element ${bad})`, values[bad]);
  return values;
}
