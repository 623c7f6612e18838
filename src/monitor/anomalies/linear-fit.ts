/**
 * Least squares of one target from features that come one row at a time.
 *
 *     w = (XᵀX + λ diag(XᵀX) + ε I)⁻¹ Xᵀy,   λ = 1e-6, ε = 1e-9;   rms = sqrt(mean (y - Xw)²)
 *
 * Memory: features² numbers, whatever the rows. Solved by Cholesky's factorisation.
 */
const RIDGE = 1e-6;
const FLOOR = 1e-9;

export class LinearFit {
  readonly #size: number;
  readonly #gram: Float64Array;
  readonly #cross: Float64Array;
  #squares = 0;
  #rows = 0;

  constructor(size: number) {
    this.#size = size;
    this.#gram = new Float64Array(size * size);
    this.#cross = new Float64Array(size);
  }

  get rows(): number {
    return this.#rows;
  }

  add(features: ArrayLike<number>, target: number): void {
    const n = this.#size;
    for (let i = 0; i < n; i++) {
      const x = features[i]!;
      this.#cross[i]! += x * target;
      for (let j = 0; j <= i; j++) this.#gram[i * n + j]! += x * features[j]!;
    }
    this.#squares += target * target;
    this.#rows++;
  }

  /** Weights and root mean square of the residuals; weights of 0 where the features say nothing. */
  solve(): { weights: Float64Array; rms: number } {
    const n = this.#size;
    const factor = this.#factor();
    const weights = Float64Array.from(this.#cross);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) weights[i]! -= factor[i * n + j]! * weights[j]!;
      weights[i]! /= factor[i * n + i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let j = i + 1; j < n; j++) weights[i]! -= factor[j * n + i]! * weights[j]!;
      weights[i]! /= factor[i * n + i]!;
    }
    return { weights, rms: this.#rms(weights) };
  }

  /** Lower triangle L with L Lᵀ the matrix of the normal equations. */
  #factor(): Float64Array {
    const n = this.#size;
    const factor = Float64Array.from(this.#gram);
    for (let i = 0; i < n; i++) {
      const diagonal = this.#gram[i * n + i]!;
      factor[i * n + i] = diagonal + RIDGE * diagonal + FLOOR;
      for (let j = 0; j <= i; j++) {
        let sum = factor[i * n + j]!;
        for (let k = 0; k < j; k++) sum -= factor[i * n + k]! * factor[j * n + k]!;
        factor[i * n + j] = i === j ? Math.sqrt(Math.max(sum, FLOOR)) : sum / factor[j * n + j]!;
      }
    }
    return factor;
  }

  /** Of y - Xw: y'y - 2 w'X'y + w'X'Xw. */
  #rms(weights: Float64Array): number {
    const n = this.#size;
    let sum = this.#squares;
    for (let i = 0; i < n; i++) {
      sum -= 2 * weights[i]! * this.#cross[i]!;
      for (let j = 0; j < n; j++) {
        const entry = i >= j ? this.#gram[i * n + j]! : this.#gram[j * n + i]!;
        sum += weights[i]! * weights[j]! * entry;
      }
    }
    return Math.sqrt(Math.max(0, sum) / Math.max(1, this.#rows));
  }
}
