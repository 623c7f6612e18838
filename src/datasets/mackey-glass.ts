/** The Mackey-Glass delay equation. */
import { z } from 'zod';
import { checkOptions, DtesnError } from '../errors/index.js';
import { checkMemory, type Matrix64 } from '../numeric/index.js';
import { checkSteps, discard, positive } from './options.js';

const optionsSchema = z.object({
  tau: positive(17),
  a: positive(0.2),
  b: positive(0.1),
  n: positive(10),
  start: positive(1.2),
  dt: positive(1),
  discard: discard(),
});

/** Options of mackeyGlass: delay and rates of the equation, its past, and the time of a row. */
export interface MackeyGlassOptions {
  /** τ: the delay, above 0. Chaotic from about 16.8 on. Default 17. */
  tau?: number | undefined;
  /** a, above 0. Default 0.2. */
  a?: number | undefined;
  /** b, above 0. Default 0.1. */
  b?: number | undefined;
  /** n, above 0. Default 10. */
  n?: number | undefined;
  /** x(t) for all t ≤ 0, above 0. Default 1.2. */
  start?: number | undefined;
  /** Time from one row to the next, above 0. Default 1. */
  dt?: number | undefined;
  /** Rows that are computed and left out first. Default 0. */
  discard?: number | undefined;
}

/** Terms of a Taylor polynomial. */
const TERMS = 24;

/**
 * The Mackey-Glass delay equation.
 *
 *     x'(t) = a x(t - τ) / (1 + x(t - τ)^n) - b x(t)          x(t) = start for t ≤ 0
 *
 * Returns steps x 1 in f64: x(0), x(dt), x(2 dt), ...
 *
 * Solved by the method of steps with Taylor polynomials of degree 23 on pieces that divide τ: the delayed polynomial is known, and
 * gives the next one term by term, without any interpolation (error at t = 500: below 1e-12).
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; DtesnError ERR_DTESN_DIVERGED for a series that does not stay
 * finite, ERR_DTESN_MEMORY for a delay whose polynomials do not fit in memory.
 * Source: Mackey & Glass (1977), "Oscillation and chaos in physiological control systems", Science 197.
 */
export function mackeyGlass(steps: number, options: MackeyGlassOptions = {}): Matrix64 {
  const { dt, discard, ...equation } = checkOptions(optionsSchema, options, 'mackeyGlass');
  const data = new Float64Array(checkSteps(steps, 1));
  const pieces = new Pieces(equation);
  for (let row = 0; row < steps; row++) {
    data[row] = pieces.at((discard + row) * dt);
    if (Number.isFinite(data[row])) continue;
    throw new DtesnError('ERR_DTESN_DIVERGED', `Expected a Mackey-Glass series but it diverges at row ${row}`);
  }
  return { rows: steps, cols: 1, data };
}

interface Equation {
  tau: number;
  a: number;
  b: number;
  n: number;
  start: number;
}

/** The solution, piece by piece: the last τ of it is kept, as Taylor polynomials in (t - t_piece) / length. */
class Pieces {
  readonly #equation: Equation;
  /** Pieces of one delay, and the length of each. */
  readonly #count: number;
  readonly #length: number;
  /** A ring: TERMS numbers a piece, piece k at place k mod count. */
  readonly #ring: Float64Array;
  readonly #power = new Float64Array(TERMS);
  readonly #growth = new Float64Array(TERMS);
  /** Pieces that are known: 0 to #known - 1. */
  #known = 0;
  #end: number;

  constructor(equation: Equation) {
    const { tau, a, b, n, start } = equation;
    // Well inside the radius of convergence: 1 + x^n has zeros near angle π/n, and x moves at rates a and b.
    const longest = 0.5 / (Math.max(a, b) * Math.max(n, 1));
    this.#equation = equation;
    this.#count = Math.ceil(tau / longest);
    this.#length = tau / this.#count;
    checkMemory(8 * TERMS * this.#count, `the ${this.#count} polynomials of a delay of ${tau}`);
    this.#ring = new Float64Array(TERMS * this.#count);
    for (let at = 0; at < this.#ring.length; at += TERMS) this.#ring[at] = start;
    this.#end = start;
  }

  /** x(t); t never goes back by more than τ. */
  at(time: number): number {
    const piece = Math.max(0, Math.ceil(time / this.#length) - 1);
    while (this.#known <= piece) this.#extend();
    return valueAt(this.#termsOf(piece), time / this.#length - piece);
  }

  #termsOf(piece: number): Float64Array {
    const from = TERMS * (piece % this.#count);
    return this.#ring.subarray(from, from + TERMS);
  }

  /** The next piece, in the place of the one before it by τ. */
  #extend(): void {
    const { a, b, n } = this.#equation;
    const terms = this.#termsOf(this.#known);
    const growth = this.#growthOf(terms, n);
    terms[0] = this.#end;
    for (let k = 0; k + 1 < TERMS; k++) terms[k + 1] = (this.#length * (a * growth[k]! - b * terms[k]!)) / (k + 1);
    this.#known++;
    this.#end = valueAt(terms, 1);
  }

  /** The series of x / (1 + x^n) from that of x: a power and a quotient of power series. */
  #growthOf(x: Float64Array, n: number): Float64Array {
    const [power, growth] = [this.#power, this.#growth];
    power[0] = x[0]! ** n;
    for (let k = 0; k < TERMS; k++) {
      let sum = 0;
      for (let j = 1; j <= k; j++) sum += (n * j - (k - j)) * x[j]! * power[k - j]!;
      if (k > 0) power[k] = sum / (k * x[0]!);
      let rest = x[k]!;
      for (let j = 1; j <= k; j++) rest -= power[j]! * growth[k - j]!;
      growth[k] = rest / (1 + power[0]!);
    }
    return growth;
  }
}

/** Horner's rule. */
function valueAt(terms: Float64Array, at: number): number {
  let value = 0;
  for (let k = TERMS - 1; k >= 0; k--) value = value * at + terms[k]!;
  return value;
}
