/**
 * The least penalised cross-entropy, by Newton's method with conjugate gradients.
 *
 *     f(A) = -Σ_t log p_c(t)(z_t) + ½ Σ_j penalty_j Σ_k A_jk²        p_k(z) = exp(z' A_k) / Σ_m exp(z' A_m)
 *     ∇f = Z' (P - Y) + penalty A        H D = Z' (P ∘ (ZD - (P ∘ ZD) 1 1')) + penalty D
 *
 * Shapes: Z rows x columns, A columns x classes, P and Y rows x classes. Every product with Z is native. A row of A has the
 * sum 0: a constant that is added to all outputs changes no probability.
 *
 * Errors: RangeError ERR_DTESN_ARGUMENT where the gradient is not finite.
 * Source: Nocedal, Wright (2006), "Numerical Optimization", algorithm 7.1 (line search Newton-CG).
 */
import { rangeError } from '../errors/index.js';
import { addon } from '../native/index.js';
import { dot } from '../numeric/index.js';

/** Rows and the class of each. */
export interface ClassRows {
  /** Z, rows x columns. */
  values: Float64Array;
  columns: number;
  /** Class of each row, from 0. */
  classOf: Int32Array;
  classes: number;
}

/** When the search ends. */
export interface Limits {
  maximumIterations: number;
  /** The largest component of ∇f a row; the last step may move no output by more than its square root. */
  tolerance: number;
}

/** Where a search ended. */
export interface Minimum {
  /** A, columns x classes. */
  weights: Float64Array;
  iterations: number;
  hasConverged: boolean;
  /** The largest component of ∇f a row. */
  gradient: number;
}

/** Share of the predicted decrease that a step must reach. */
const SUFFICIENT = 1e-4;
const MOST_CONJUGATE = 1000;

/** X W for X rows x inner and W inner x outputs. */
export function product(x: Float64Array, inner: number, weights: Float64Array, outputs: number): Float64Array {
  const shape = { states: inner, inputs: 0, outputs, intercept: false };
  const out = new Float64Array((x.length / inner) * outputs);
  new (addon().LinearReadout)(shape, weights, new Float64Array(outputs)).apply(x, undefined, out);
  return out;
}

export function transposed(x: Float64Array, columns: number): Float64Array {
  const rows = x.length / columns;
  const out = new Float64Array(x.length);
  for (let t = 0; t < rows; t++) for (let j = 0; j < columns; j++) out[j * rows + t] = x[t * columns + j]!;
  return out;
}

/** -Σ log p of the own class, and P into `probabilities` where it is given. */
export function logLoss(
  outputs: Float64Array,
  classOf: ArrayLike<number>,
  classes: number,
  probabilities?: Float64Array,
): number {
  let loss = 0;
  for (let t = 0; t < classOf.length; t++) {
    const from = t * classes;
    let most = outputs[from]!;
    for (let k = 1; k < classes; k++) most = Math.max(most, outputs[from + k]!);
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp(outputs[from + k]! - most);
    loss += Math.log(sum) + most - outputs[from + classOf[t]!]!;
    if (probabilities === undefined) continue;
    for (let k = 0; k < classes; k++) probabilities[from + k] = Math.exp(outputs[from + k]! - most) / sum;
  }
  return loss;
}

export class CrossEntropy {
  readonly #rows: ClassRows;
  readonly #transposed: Float64Array;
  readonly #penalties: Float64Array;
  readonly #count: number;
  readonly #probabilities: Float64Array;

  constructor(rows: ClassRows, penalties: Float64Array) {
    this.#rows = rows;
    this.#transposed = transposed(rows.values, rows.columns);
    this.#penalties = penalties;
    this.#count = rows.classOf.length;
    this.#probabilities = new Float64Array(this.#count * rows.classes);
  }

  /** The minimum, from weights of a start. */
  minimise(start: Float64Array, { maximumIterations, tolerance }: Limits): Minimum {
    const { classOf, classes } = this.#rows;
    let weights = Float64Array.from(start);
    let outputs = this.#outputs(weights);
    let value = this.#value(weights, outputs);
    let moved = 0;
    let first = 0;
    for (let iterations = 0; ; iterations++) {
      logLoss(outputs, classOf, classes, this.#probabilities);
      const gradient = this.#gradient(weights);
      const largest = largestOf(gradient) / this.#count;
      if (!Number.isFinite(largest)) {
        throw rangeError('features and a ridge of a finite gradient (scale the features)', 'features', largest);
      }
      const hasConverged = largest <= tolerance && moved <= Math.sqrt(tolerance);
      if (hasConverged || iterations === maximumIterations) {
        return { weights, iterations, hasConverged, gradient: largest };
      }
      first ||= largest;
      const { step, along } = this.#step(gradient, Math.min(0.5, Math.sqrt(largest / first)));
      const slope = dot(gradient, step);
      let length = 1;
      for (; ; length /= 2) {
        const next = added(weights, step, length);
        const nextOutputs = added(outputs, along, length);
        const nextValue = this.#value(next, nextOutputs);
        const rounding = 1e-14 * (this.#count + Math.abs(value));
        if (nextValue > value + SUFFICIENT * length * slope + rounding && length > 1e-12) continue;
        [weights, outputs, value] = [next, nextOutputs, nextValue];
        break;
      }
      moved = largestOf(along) * (length < 1 ? Number.POSITIVE_INFINITY : 1);
    }
  }

  #outputs(weights: Float64Array): Float64Array {
    return product(this.#rows.values, this.#rows.columns, weights, this.#rows.classes);
  }

  #value(weights: Float64Array, outputs: Float64Array): number {
    const { classOf, classes } = this.#rows;
    const penalty = weights.reduce((sum, w, at) => sum + this.#penalties[Math.floor(at / classes)]! * w * w, 0);
    return logLoss(outputs, classOf, classes) + penalty / 2;
  }

  /** Z' R + penalty A. */
  #back(residuals: Float64Array, weights: Float64Array): Float64Array {
    const { classes } = this.#rows;
    const out = product(this.#transposed, this.#count, residuals, classes);
    for (let at = 0; at < out.length; at++) out[at]! += this.#penalties[Math.floor(at / classes)]! * weights[at]!;
    return out;
  }

  #gradient(weights: Float64Array): Float64Array {
    const { classOf, classes } = this.#rows;
    const residuals = Float64Array.from(this.#probabilities);
    for (let t = 0; t < classOf.length; t++) residuals[t * classes + classOf[t]!]! -= 1;
    return this.#back(residuals, weights);
  }

  /** H D, for the ZD of D. */
  #curved(direction: Float64Array, along: Float64Array): Float64Array {
    const { classes } = this.#rows;
    const p = this.#probabilities;
    const weighted = new Float64Array(along.length);
    for (let from = 0; from < along.length; from += classes) {
      let mean = 0;
      for (let k = from; k < from + classes; k++) mean += p[k]! * along[k]!;
      for (let k = from; k < from + classes; k++) weighted[k] = p[k]! * (along[k]! - mean);
    }
    return this.#back(weighted, direction);
  }

  /** The diagonal of H, which conditions the conjugate gradients; above 0 also where probabilities are 0 or 1. */
  #diagonal(): Float64Array {
    const { columns, classes } = this.#rows;
    const spread = this.#probabilities.map((p) => p * (1 - p));
    const squares = this.#transposed.map((z) => z * z);
    const diagonal = product(squares, this.#count, spread, classes);
    for (let at = 0; at < columns * classes; at++) {
      const exact = diagonal[at]! + this.#penalties[Math.floor(at / classes)]!;
      diagonal[at] = Math.max(exact, 1e-12 * this.#count);
    }
    return diagonal;
  }

  /** D with H D = -∇f to a share of ∇f, and ZD. */
  #step(gradient: Float64Array, share: number): { step: Float64Array; along: Float64Array } {
    const { classes } = this.#rows;
    const diagonal = this.#diagonal();
    const step = new Float64Array(gradient.length);
    const along = new Float64Array(this.#count * classes);
    const residual = gradient.map((g) => -g);
    const conditioned = () => centred(divided(residual, diagonal), classes);
    let scaled = conditioned();
    let direction = Float64Array.from(scaled);
    let square = dot(residual, scaled);
    const least = share * share * square;
    for (let i = 0; i < MOST_CONJUGATE && square > 0; i++) {
      const moved = this.#outputs(direction);
      const curved = this.#curved(direction, moved);
      const curvature = dot(direction, curved);
      if (!(curvature > 0)) break;
      const length = square / curvature;
      add(step, direction, length);
      add(along, moved, length);
      add(residual, curved, -length);
      scaled = conditioned();
      const next = dot(residual, scaled);
      if (next <= least) break;
      direction = added(scaled, direction, next / square);
      square = next;
    }
    return { step, along };
  }
}

/** Less the mean of each row of as many numbers as there are classes. */
function centred(values: Float64Array, classes: number): Float64Array {
  for (let from = 0; from < values.length; from += classes) {
    let mean = 0;
    for (let k = 0; k < classes; k++) mean += values[from + k]! / classes;
    for (let k = 0; k < classes; k++) values[from + k]! -= mean;
  }
  return values;
}

function divided(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value / b[i]!);
}

function add(to: Float64Array, values: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += factor * values[i]!;
}

function added(a: Float64Array, b: Float64Array, factor: number): Float64Array<ArrayBuffer> {
  const sum = Float64Array.from(a);
  add(sum, b, factor);
  return sum;
}

/** The largest magnitude; 0 for no values. */
export function largestOf(values: Float64Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}
