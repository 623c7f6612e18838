/**
 * Robust recursive least squares with forgetting, of one output and few features, in plain TypeScript.
 *
 *     e = target - w'x,   v = min(1, s/|e|),   y = P x,  d = λ/v + x'y,   w <- w + y e / d,   P <- (P - y y' / d) / λ
 *
 * λ is `forgetting`, P begins as I / ridge. v is Huber's weight: s is a running median of |e| (s moves by 3 % a row), so that
 * the rows beyond it count by their sign and a few odd ones cannot pull the weights. Where the trace of P would exceed its bound, a step forgets nothing, so that directions the features
 * never take cannot grow without limit; a step that would leave a weight that is no finite number begins again.
 * The scaling of replicas has the plain one (online/recursive-least-squares.ts): its loads have no odd rows, and each direction is bounded
 * by itself there.
 * Sources: Haykin (2002), "Adaptive Filter Theory", section 9.3; Huber (1964), "Robust estimation of a location parameter".
 */
export interface LeastSquaresOptions {
  features: number;
  ridge: number;
  forgetting: number;
}

/** The state of LeastSquares as plain JSON: P by rows. */
export interface LeastSquaresSnapshot {
  steps: number;
  scale: number;
  weights: number[];
  covariance: number[];
}

/** Trace of P at most, as a multiple of that of I / ridge. */
const MOST_TRACE = 10;
const FIRST_SCALE = 0.5;
const SCALE_STEP = 0.03;
const LEAST_SCALE = 1e-3;

export class LeastSquares {
  readonly #size: number;
  readonly #ridge: number;
  readonly #forgetting: number;
  readonly #weights: Float64Array;
  readonly #covariance: Float64Array;
  readonly #gain: Float64Array;
  #steps = 0;
  #scale = FIRST_SCALE;

  constructor({ features, ridge, forgetting }: LeastSquaresOptions) {
    this.#size = features;
    this.#ridge = ridge;
    this.#forgetting = forgetting;
    this.#weights = new Float64Array(features);
    this.#covariance = new Float64Array(features * features);
    this.#gain = new Float64Array(features);
    this.reset();
  }

  /** Rows learned so far. */
  get steps(): number {
    return this.#steps;
  }

  predict(x: Float64Array): number {
    const weights = this.#weights;
    let sum = 0;
    for (let i = 0; i < weights.length; i++) sum += weights[i]! * x[i]!;
    return sum;
  }

  update(x: Float64Array, target: number): void {
    const size = this.#size;
    const [p, y] = [this.#covariance, this.#gain];
    let quadratic = 0;
    let trace = 0;
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += p[i * size + j]! * x[j]!;
      y[i] = sum;
      quadratic += sum * x[i]!;
      trace += p[i * size + i]!;
    }
    const bounded = trace > (MOST_TRACE * size) / this.#ridge;
    const forgetting = bounded ? 1 : this.#forgetting;
    const error = target - this.predict(x);
    const weight = Math.min(1, this.#scale / Math.max(Math.abs(error), LEAST_SCALE));
    const divisor = forgetting / weight + quadratic;
    this.#scale = Math.max(LEAST_SCALE, this.#scale * (1 + (Math.abs(error) > this.#scale ? SCALE_STEP : -SCALE_STEP)));
    for (let i = 0; i < size; i++) {
      this.#weights[i]! += (y[i]! * error) / divisor;
      for (let j = 0; j <= i; j++) {
        const value = (p[i * size + j]! - (y[i]! * y[j]!) / divisor) / forgetting;
        p[i * size + j] = value;
        p[j * size + i] = value;
      }
    }
    this.#steps++;
    if (!this.#weights.every(Number.isFinite) || !(quadratic >= 0 && Number.isFinite(quadratic))) this.reset();
  }

  reset(): void {
    this.#steps = 0;
    this.#scale = FIRST_SCALE;
    this.#weights.fill(0);
    this.#covariance.fill(0);
    for (let i = 0; i < this.#size; i++) this.#covariance[i * this.#size + i] = 1 / this.#ridge;
  }

  snapshot(): LeastSquaresSnapshot {
    return { steps: this.#steps, scale: this.#scale, weights: [...this.#weights], covariance: [...this.#covariance] };
  }

  restore({ steps, scale, weights, covariance }: LeastSquaresSnapshot): void {
    this.#steps = steps;
    this.#scale = scale;
    this.#weights.set(weights);
    this.#covariance.set(covariance);
  }
}
