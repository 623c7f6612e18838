/**
 * The spectrum of centred features and targets: the readout, the generalised cross-validation and the leave-one-out residuals
 * of every ridge, each a sum over singular values.
 *
 *     X = J S U',  c = J' Y      W(λ) = Σ s_i u_i c_i' / (s_i² + λ)      degrees of freedom Σ s_i² / (s_i² + λ) + intercept
 *
 * Sources: Golub, Heath, Wahba (1979), Technometrics 21; Allen (1974), Technometrics 16 (leave one out).
 */
import type { NativeSpectrum, ReadoutShape } from '../native/index.js';

/** Singular values below this share of the largest, times the features, are those of rounding. */
const ROUNDING = 2.3e-16;

export class ReadoutSpectrum {
  readonly parts: NativeSpectrum;
  readonly #features: number;
  readonly #outputs: number;
  readonly #values: number;
  readonly #rounding: number;
  #limits: { largest: number; floor: number } | null = null;

  /** `values` singular values of rows of this shape; `rows` are counted with the intercept's degree of freedom. */
  constructor(
    readonly shape: ReadoutShape,
    values: number,
    keepsBasis: boolean,
  ) {
    const features = shape.states + shape.inputs;
    const { outputs } = shape;
    const of = (length: number) => new Float64Array(new SharedArrayBuffer(8 * length));
    const basis = keepsBasis ? of(values * values) : null;
    this.parts = [
      ...([of(values * features), of(values), of(values * outputs), of(outputs), of(features), of(outputs)] as const),
      basis,
    ];
    this.#features = features;
    this.#outputs = outputs;
    this.#values = values;
    this.#rounding = (ROUNDING * Math.max(features, values)) ** 2;
  }

  get #squares(): Float64Array {
    return this.parts[1];
  }

  /** The largest s_i², and what is above rounding beside it. */
  get #limit() {
    if (this.#limits !== null) return this.#limits;
    const largest = this.#squares.reduce((most, square) => Math.max(most, square), 0);
    this.#limits = { largest, floor: Math.max(this.#rounding * largest, Number.MIN_VALUE) };
    return this.#limits;
  }

  #counts(square: number): boolean {
    return square >= this.#limit.floor;
  }

  /** sqrt((largest s² + λ) / (smallest s² + λ)); Infinity where a singular value is lost in rounding and λ is 0. */
  condition(ridge: number): number {
    const features = this.#features;
    const smallest = this.#values < features ? 0 : Float64Array.from(this.#squares).sort()[this.#values - features]!;
    const least = this.#counts(smallest) ? smallest : 0;
    return Math.sqrt((this.#limit.largest + ridge) / (least + ridge));
  }

  solve(ridge: number): { weights: Float64Array; bias: Float64Array } {
    const [vectors, squares, coefficients, , means, outputMeans] = this.parts;
    const [n, m] = [this.#features, this.#outputs];
    const weights = new Float64Array(n * m);
    for (let i = 0; i < this.#values; i++) {
      if (!this.#counts(squares[i]!)) continue;
      for (let o = 0; o < m; o++) {
        const factor = coefficients[i * m + o]! / (squares[i]! + ridge);
        for (let k = 0; k < n; k++) weights[k * m + o]! += factor * vectors[i * n + k]!;
      }
    }
    const bias = Float64Array.from(outputMeans);
    for (let k = 0; k < n; k++) for (let o = 0; o < m; o++) bias[o]! -= means[k]! * weights[k * m + o]!;
    return { weights, bias };
  }

  /** Σ (y - ŷ)² of each output over the rows. */
  residuals(ridge: number): Float64Array {
    const [, squares, coefficients, rest] = this.parts;
    const errors = Float64Array.from(rest);
    for (let i = 0; i < this.#values; i++) {
      const share = this.#counts(squares[i]!) ? ridge / (squares[i]! + ridge) : 1;
      for (let o = 0; o < this.#outputs; o++) errors[o]! += (share * coefficients[i * this.#outputs + o]!) ** 2;
    }
    return errors;
  }

  /** Σ (y - mean y)² of each output. */
  totals(): Float64Array {
    return this.residuals(Number.MAX_VALUE);
  }

  degreesOfFreedom(ridge: number): number {
    const sum = this.#squares.reduce((all, square) => all + (this.#counts(square) ? square / (square + ridge) : 0), 0);
    return sum + (this.shape.intercept ? 1 : 0);
  }

  /** Mean square error (rows / (rows - degrees of freedom))²; Infinity where no rows are left. */
  generalised(error: number, ridge: number, rows: number): number {
    const free = rows - this.degreesOfFreedom(ridge);
    return free > 1e-9 * rows ? (error * rows * rows) / (free * free) : Number.POSITIVE_INFINITY;
  }

  /**
   * What each row leaves when the readout is that of all other rows: (y - ŷ) / (1 - h), rows x outputs, for each ridge. `x`
   * and `y` are the rows that the spectrum is of, each of weight 1.
   */
  leaveOneOut(ridges: readonly number[], x: Float64Array, y: Float64Array): Float64Array[] {
    const [, squares, coefficients, , , outputMeans] = this.parts;
    const m = this.#outputs;
    const rows = y.length / m;
    const left = ridges.map(() => new Float64Array(rows * m));
    const output = new Float64Array(m);
    for (let t = 0; t < rows; t++) {
      const along = this.#along(t, x);
      for (const [r, ridge] of ridges.entries()) {
        let leverage = this.shape.intercept ? 1 / rows : 0;
        output.set(outputMeans);
        for (let i = 0; i < this.#values; i++) {
          const share = along[i]! / (squares[i]! + ridge);
          if (along[i] === 0) continue;
          leverage += along[i]! * share;
          const factor = share * Math.sqrt(squares[i]!);
          for (let o = 0; o < m; o++) output[o]! += factor * coefficients[i * m + o]!;
        }
        for (let o = 0; o < m; o++) left[r]![t * m + o] = (y[t * m + o]! - output[o]!) / (1 - leverage);
      }
    }
    return left;
  }

  /** u_i' (x_t - mean), one a singular value; 0 where that is lost in rounding. */
  #along(t: number, x: Float64Array): Float64Array {
    const [vectors, squares, , , means, , basis] = this.parts;
    const n = this.#features;
    const center = basis ? null : Float64Array.from(means, (value, k) => x[t * n + k]! - value);
    const along = new Float64Array(this.#values);
    for (let i = 0; i < this.#values; i++) {
      const square = squares[i]!;
      if (!this.#counts(square)) continue;
      if (center === null) {
        along[i] = basis![i * this.#values + t]! * Math.sqrt(square);
        continue;
      }
      let sum = 0;
      for (let k = 0; k < n; k++) sum += vectors[i * n + k]! * center[k]!;
      along[i] = sum / Math.sqrt(square);
    }
    return along;
  }
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
