/**
 * A quantile of the errors of a forecast, followed online, and the share of outcomes that it covered.
 *
 *     q += rate s (α - [e <= q])                 e = outcome - forecast, s: mean absolute error, decaying
 *     coverage: mean of [outcome <= forecast + q] over outcomes, of the last 1,000 about
 *
 * In the long run a share α of the errors is at most q, whatever their distribution; q is that of before the outcome.
 * Source: Robbins & Monro (1951); Gibbs & Candès (2021), "Adaptive conformal inference under distribution shift".
 */
const RATE = 0.05;
const SCALE_SHARE = 0.005;
const COVERAGE_SHARE = 0.001;

/** Plain JSON. */
export interface QuantileMarginSnapshot {
  margin: number;
  scale: number;
  covered: number;
  count: number;
}

export class QuantileMargin {
  readonly #level: number;
  #margin = 0;
  #scale = 0;
  #covered = 0;
  #count = 0;

  /** `level`: α in (0, 1). */
  constructor(level: number) {
    this.#level = level;
  }

  /** To add to a forecast. */
  get margin(): number {
    return this.#margin;
  }

  /** Share of the outcomes that were at most forecast + margin; null before the first. */
  get coverage(): number | null {
    return this.#count === 0 ? null : this.#covered;
  }

  get count(): number {
    return this.#count;
  }

  /** `margin`: the one that was given with the forecast, where it was another than the present one. */
  observe(error: number, margin = this.#margin): void {
    this.#count++;
    this.#scale += Math.max(SCALE_SHARE, 1 / this.#count) * (Math.abs(error) - this.#scale);
    const covered = error <= margin ? 1 : 0;
    this.#covered += Math.max(COVERAGE_SHARE, 1 / this.#count) * (covered - this.#covered);
    this.#margin += RATE * this.#scale * (this.#level - (error <= this.#margin ? 1 : 0));
  }

  snapshot(): QuantileMarginSnapshot {
    return { margin: this.#margin, scale: this.#scale, covered: this.#covered, count: this.#count };
  }

  restore({ margin, scale, covered, count }: QuantileMarginSnapshot): void {
    this.#margin = margin;
    this.#scale = scale;
    this.#covered = covered;
    this.#count = count;
  }
}
