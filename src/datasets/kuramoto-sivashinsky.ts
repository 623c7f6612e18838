/** The Kuramoto-Sivashinsky equation. */
import { z } from 'zod';
import { checkOptions, DtesnError, shapeError } from '../errors/index.js';
import { fft, type Matrix64 } from '../numeric/index.js';
import { checkSteps, discard, positive } from './options.js';

const optionsSchema = z.object({
  points: z
    .int()
    .min(8)
    .max(65_536)
    .refine((points) => Number.isInteger(Math.log2(points)))
    .default(128)
    .describe('a power of two from 8 to 65536'),
  length: positive(32 * Math.PI),
  dt: positive(0.25),
  start: z.array(z.number()).optional().describe('an array of as many finite numbers as points'),
  discard: discard(),
});

/** Options of kuramotoSivashinsky: the grid, the time of a row, and the first one. */
export interface KuramotoSivashinskyOptions {
  /** Points of the grid: a power of two, 8 or more. Default 128. */
  points?: number | undefined;
  /** L: length of the periodic interval. Default 32 π. */
  length?: number | undefined;
  /** Time from one row to the next, which is also the step of the method. Default 0.25. */
  dt?: number | undefined;
  /** u at the points at t = 0. Default cos(2 π x / L) (1 + sin(2 π x / L)), x = L/points, 2 L/points, ..., L. */
  start?: readonly number[] | undefined;
  /** Rows that are computed and left out first. Default 0. */
  discard?: number | undefined;
}

/** Points of the contour on which the coefficients of the method are averaged. */
const CONTOUR = 16;

/**
 * The Kuramoto-Sivashinsky equation, on a periodic interval of length L.
 *
 *     u_t = -u u_x - u_xx - u_xxxx
 *
 * Returns steps x points in f64: u at x = L/points, 2 L/points, ..., L, every `dt`.
 *
 * Solved in Fourier space by exponential time differencing of order 4 (ETDRK4) with the step `dt`: its error after 20 units of time is
 * about 5e-4 at 0.25 and 6e-6 at 0.0625, which chaos multiplies.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option; RangeError ERR_DTESN_SHAPE for a start of another length;
 * DtesnError ERR_DTESN_DIVERGED where dt is too long.
 * Source: Kassam & Trefethen (2005), "Fourth-order time-stepping for stiff PDEs", SIAM J. Sci. Computing 26(4).
 */
export function kuramotoSivashinsky(steps: number, options: KuramotoSivashinskyOptions = {}): Matrix64 {
  const { points, length, dt, start, discard } = checkOptions(optionsSchema, options, 'kuramotoSivashinsky');
  if (start !== undefined && start.length !== points) {
    throw shapeError(`start with ${points} elements (points)`, start.length);
  }
  const data = new Float64Array(checkSteps(steps, points) * points);
  const waves = new Waves(points, length, dt);
  const turn = (j: number) => (2 * Math.PI * (j + 1)) / points;
  const first = start ?? Array.from({ length: points }, (_, j) => Math.cos(turn(j)) * (1 + Math.sin(turn(j))));
  waves.set(first);
  // The first row is the start itself, not what two transforms make of it.
  if (discard === 0) data.set(first);
  for (let row = 1 - discard; row < steps; row++) {
    waves.step();
    if (row >= 0) waves.read(data.subarray(row * points, (row + 1) * points));
  }
  return { rows: steps, cols: points, data };
}

/** Complex numbers, one a wave number. */
interface Complex {
  re: Float64Array;
  im: Float64Array;
}

const zeros = (size: number): Complex => ({ re: new Float64Array(size), im: new Float64Array(size) });

/** u in Fourier space, and the coefficients of ETDRK4. */
class Waves {
  readonly #size: number;
  readonly #v: Complex;
  /** -i k / 2 without the i: the nonlinear term is -(u²)_x / 2. */
  readonly #advection: Float64Array;
  readonly #full: Float64Array;
  readonly #half: Float64Array;
  readonly #weights: { q: Float64Array; f1: Float64Array; f2: Float64Array; f3: Float64Array };
  readonly #grid: Complex;

  constructor(size: number, length: number, dt: number) {
    this.#size = size;
    this.#v = zeros(size);
    this.#grid = zeros(size);
    const k = Float64Array.from({ length: size }, (_, j) => {
      const number = j < size / 2 ? j : j === size / 2 ? 0 : j - size;
      return (2 * Math.PI * number) / length;
    });
    this.#advection = k.map((one) => -0.5 * one);
    const linear = k.map((one) => one ** 2 - one ** 4);
    this.#full = linear.map((one) => Math.exp(dt * one));
    this.#half = linear.map((one) => Math.exp((dt * one) / 2));
    this.#weights = weightsOf(linear, dt);
  }

  set(u: readonly number[]): void {
    this.#v.re.set(u);
    this.#v.im.fill(0);
    fft(this.#v.re, this.#v.im);
  }

  /** u at the points. */
  read(u: Float64Array): void {
    const { re } = this.#toGrid(this.#v);
    u.set(re);
    if (!Number.isFinite(re[0])) {
      throw new DtesnError(
        'ERR_DTESN_DIVERGED',
        'Expected a solution that stays finite but it diverges: choose a smaller dt',
      );
    }
  }

  step(): void {
    const { q, f1, f2, f3 } = this.#weights;
    const [v, full, half] = [this.#v, this.#full, this.#half];
    const nv = this.#nonlinear(v);
    const a = this.#combined((i, part) => half[i]! * v[part][i]! + q[i]! * nv[part][i]!);
    const na = this.#nonlinear(a);
    const b = this.#combined((i, part) => half[i]! * v[part][i]! + q[i]! * na[part][i]!);
    const nb = this.#nonlinear(b);
    const c = this.#combined((i, part) => half[i]! * a[part][i]! + q[i]! * (2 * nb[part][i]! - nv[part][i]!));
    const nc = this.#nonlinear(c);
    for (const part of ['re', 'im'] as const) {
      for (let i = 0; i < this.#size; i++) {
        v[part][i] =
          full[i]! * v[part][i]! +
          nv[part][i]! * f1[i]! +
          2 * (na[part][i]! + nb[part][i]!) * f2[i]! +
          nc[part][i]! * f3[i]!;
      }
    }
  }

  #combined(term: (i: number, part: 're' | 'im') => number): Complex {
    const sum = zeros(this.#size);
    for (let i = 0; i < this.#size; i++) {
      sum.re[i] = term(i, 're');
      sum.im[i] = term(i, 'im');
    }
    return sum;
  }

  /** -i k / 2 times the transform of u². */
  #nonlinear(v: Complex): Complex {
    const { re } = this.#toGrid(v);
    const square = { re: re.map((u) => u * u), im: new Float64Array(this.#size) };
    fft(square.re, square.im);
    const g = this.#advection;
    return { re: square.im.map((im, i) => -g[i]! * im), im: square.re.map((real, i) => g[i]! * real) };
  }

  /** The inverse transform, whose real part is u. */
  #toGrid({ re, im }: Complex): Complex {
    const grid = this.#grid;
    grid.re.set(re);
    grid.im.set(im);
    fft(grid.im, grid.re);
    for (let i = 0; i < this.#size; i++) grid.re[i] = grid.re[i]! / this.#size;
    return grid;
  }
}

/** Means over a circle around dt L of functions that cancel badly at 0. */
function weightsOf(linear: Float64Array, dt: number) {
  const mean = (value: (z: Root) => number) =>
    linear.map((one) => {
      let sum = 0;
      for (let m = 0; m < CONTOUR; m++) {
        const angle = (Math.PI * (m + 0.5)) / CONTOUR;
        sum += value(new Root(dt * one + Math.cos(angle), Math.sin(angle)));
      }
      return (dt * sum) / CONTOUR;
    });
  return {
    q: mean((z) => z.half()),
    f1: mean((z) => z.quotient([-4, -1, 0], [4, -3, 1])),
    f2: mean((z) => z.quotient([2, 1, 0], [-2, 1, 0])),
    f3: mean((z) => z.quotient([-4, -3, -1], [4, -1, 0])),
  };
}

type Pair = readonly [re: number, im: number];
const times = ([a, b]: Pair, [c, d]: Pair): Pair => [a * c - b * d, a * d + b * c];
const over = ([a, b]: Pair, [c, d]: Pair): Pair => {
  const square = c * c + d * d;
  return [(a * c + b * d) / square, (b * c - a * d) / square];
};

/** A point z of the contour. */
class Root {
  readonly #z: Pair;

  constructor(re: number, im: number) {
    this.#z = [re, im];
  }

  /** Re (exp(z/2) - 1) / z */
  half(): number {
    const [re, im] = this.#exp(0.5);
    return over([re - 1, im], this.#z)[0];
  }

  /** Re (p(z) + exp(z) q(z)) / z³ of polynomials p and q with these coefficients. */
  quotient(p: readonly [number, number, number], q: readonly [number, number, number]): number {
    const [a, b] = this.#polynomial(p);
    const [c, d] = times(this.#exp(1), this.#polynomial(q));
    const cube = times(this.#z, times(this.#z, this.#z));
    return over([a + c, b + d], cube)[0];
  }

  #exp(factor: number): Pair {
    const [re, im] = [factor * this.#z[0], factor * this.#z[1]];
    return [Math.exp(re) * Math.cos(im), Math.exp(re) * Math.sin(im)];
  }

  #polynomial([a, b, c]: readonly [number, number, number]): Pair {
    const [re, im] = this.#z;
    const square = times(this.#z, this.#z);
    return [a + b * re + c * square[0], b * im + c * square[1]];
  }
}
