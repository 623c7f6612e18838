/**
 * Recursive least squares of one output in plain TypeScript, for few features. The readout room has the native one, which loads the
 * addon; prediction/least-squares.ts is the robust one, for outcomes some of which are odd.
 *
 *     k = P f / (λ + f' P f),   w += k (y - w' f),   P = (P - k f' P) / λ,   P(0) = I / ridge,  w(0) = 0
 *
 * λ `forgetting`: a sample weighs λ^n after n more. Without forgetting w is the ridge solution (F'F + ridge I)^-1 F'y exactly.
 * Cost of an update: 3 n² multiplications for n features.
 * Errors: RangeError for a wrong number of features or a value that is not finite; the state is unchanged then.
 * Source: Haykin (2002), "Adaptive filter theory", 4th edition, chapter 9.
 */
import { rangeError, shapeError } from '../../errors/index.js';

export interface RecursiveLeastSquaresOptions {
  features: number;
  /** Weight of ||w||². */
  ridge: number;
  /** In (0, 1]. */
  forgetting: number;
}

/** Plain JSON. */
export interface RecursiveLeastSquaresSnapshot {
  weights: number[];
  covariance: number[];
}

export class RecursiveLeastSquares {
  readonly #n: number;
  readonly #ridge: number;
  readonly #forgetting: number;
  readonly #w: Float64Array;
  readonly #p: Float64Array;
  readonly #gain: Float64Array;

  constructor({ features, ridge, forgetting }: RecursiveLeastSquaresOptions) {
    this.#n = features;
    this.#ridge = ridge;
    this.#forgetting = forgetting;
    this.#w = new Float64Array(features);
    this.#p = new Float64Array(features * features);
    this.#gain = new Float64Array(features);
    this.reset();
  }

  predict(features: ArrayLike<number>): number {
    let sum = 0;
    for (let i = 0; i < this.#n; i++) sum += this.#w[i]! * features[i]!;
    return sum;
  }

  update(features: ArrayLike<number>, target: number): void {
    const n = this.#n;
    if (features.length !== n) throw shapeError(`${n} features`, `${features.length}`);
    if (!Number.isFinite(target)) throw rangeError('a finite number', 'target', target);
    for (let i = 0; i < n; i++) {
      if (!Number.isFinite(features[i]!)) throw rangeError('a finite number', `features[${i}]`, features[i]!);
    }
    const [p, gain] = [this.#p, this.#gain];
    let denominator = this.#forgetting;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += p[i * n + j]! * features[j]!;
      gain[i] = sum;
      denominator += features[i]! * sum;
    }
    const error = target - this.predict(features);
    for (let i = 0; i < n; i++) this.#w[i]! += (gain[i]! / denominator) * error;
    this.#shrink(denominator);
  }

  /** P - (P f)(P f)'/denominator, over λ; both triangles get the same number, so that P stays symmetric. */
  #shrink(denominator: number): void {
    const n = this.#n;
    const [p, gain] = [this.#p, this.#gain];
    // Where nothing excites a direction, forgetting would let its variance grow without end.
    const limit = 1 / this.#ridge;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        p[i * n + j] = (p[i * n + j]! - (gain[i]! * gain[j]!) / denominator) / this.#forgetting;
        p[j * n + i] = p[i * n + j]!;
      }
    }
    for (let i = 0; i < n; i++) {
      const over = p[i * n + i]! / limit;
      if (over > 1) scaleRowAndColumn(p, n, i, 1 / Math.sqrt(over));
    }
  }

  reset(): void {
    this.#w.fill(0);
    this.#p.fill(0);
    for (let i = 0; i < this.#n; i++) this.#p[i * this.#n + i] = 1 / this.#ridge;
  }

  snapshot(): RecursiveLeastSquaresSnapshot {
    return { weights: [...this.#w], covariance: [...this.#p] };
  }

  restore({ weights, covariance }: RecursiveLeastSquaresSnapshot): void {
    if (weights.length !== this.#n || covariance.length !== this.#n ** 2) {
      throw shapeError(`a snapshot of ${this.#n} features`, `${weights.length}`);
    }
    this.#w.set(weights);
    this.#p.set(covariance);
  }
}

function scaleRowAndColumn(p: Float64Array, n: number, i: number, factor: number): void {
  for (let j = 0; j < n; j++) {
    p[i * n + j]! *= factor;
    p[j * n + i]! *= factor;
  }
}
