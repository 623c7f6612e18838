/** Errors of each ridge over the tests of a walk: sums of squares, and of the variance of what was tested. */
import type { Floats } from '../native/index.js';
import type { LinearReadout } from '../readout/index.js';

export class WalkErrors {
  readonly #outputs: number;
  /** For each ridge, Σ (output - target)² of each output. */
  readonly #squares: Float64Array[];
  /** For each ridge, Σ log error of its forecasts. */
  readonly #logs: Float64Array;
  /** Of each output, over the tests: how many targets, Σ y, Σ y². */
  readonly #moments: Float64Array[];
  #tests = 0;

  constructor(ridges: number, outputs: number) {
    this.#outputs = outputs;
    this.#squares = Array.from({ length: ridges }, () => new Float64Array(outputs));
    this.#logs = new Float64Array(ridges);
    this.#moments = Array.from({ length: 3 }, () => new Float64Array(outputs));
  }

  /** Targets that each ridge is tested on. */
  test(targets: Float64Array): void {
    this.#tests++;
    const [counts, sums, powers] = this.#moments as [Float64Array, Float64Array, Float64Array];
    for (const [i, target] of targets.entries()) {
      if (Number.isNaN(target)) continue;
      const output = i % this.#outputs;
      counts[output]!++;
      sums[output]! += target;
      powers[output]! += target * target;
    }
  }

  /** A ridge for which the features are dependent. */
  fail(ridge: number): void {
    this.#squares[ridge]!.fill(Number.NaN);
    this.#logs[ridge] = Number.NaN;
  }

  /** The geometric mean of the errors of some forecasts. */
  forecast(ridge: number, error: number): void {
    this.#logs[ridge]! += Math.log(error);
  }

  /** Rows of features and their targets, where NaN stands for an unknown one. */
  add(ridge: number, readout: LinearReadout, features: Floats, targets: Float64Array): void {
    const outputs = new Float64Array(targets.length);
    readout.applyInto(features, undefined, outputs);
    const squares = this.#squares[ridge]!;
    for (let i = 0; i < targets.length; i++) {
      if (!Number.isNaN(targets[i])) squares[i % this.#outputs]! += (outputs[i]! - targets[i]!) ** 2;
    }
  }

  /** The score of each ridge: mean square in units of the variance, or the geometric mean of the errors of forecasts. */
  scores(areForecasts: boolean): number[] {
    if (areForecasts) return Array.from(this.#logs, (sum) => Math.exp(sum / this.#tests));
    const [counts, sums, powers] = this.#moments as [Float64Array, Float64Array, Float64Array];
    const totals = powers.map((power, o) => power - sums[o]! ** 2 / counts[o]!);
    return this.#squares.map((squares) =>
      squares.reduce((sum, square, o) => sum + square / totals[o]! / totals.length, 0),
    );
  }
}
