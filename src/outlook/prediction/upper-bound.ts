/**
 * A margin that 90 % of errors stay within, kept by stochastic approximation of a quantile.
 *
 *     m += step (error > margin given ? 0.9 : -0.1),   m >= 0;   step = max(0.02, 1/(n + 4)) after n errors
 *
 * An error is compared with the margin that was given for it, however late it is known: so the share of errors beyond their
 * margins tends to 10 % whatever the errors do, where a comparison with the present margin would not.
 * Sources: Robbins and Monro (1951), "A stochastic approximation method"; Gibbs and Candès (2021), "Adaptive conformal
 * inference under distribution shift".
 */
const SHARE = 0.9;
const STEP = 0.02;
const FIRST_MARGIN = 0.4;

/** The state of UpperBound as plain JSON. */
export interface UpperBoundSnapshot {
  margin: number;
  errors: number;
}

export class UpperBound {
  #margin = FIRST_MARGIN;
  #errors = 0;

  get margin(): number {
    return this.#margin;
  }

  observe(error: number, given: number): void {
    const step = Math.max(STEP, 1 / (this.#errors + 4));
    this.#margin = Math.max(0, this.#margin + step * (error > given ? SHARE : SHARE - 1));
    this.#errors++;
  }

  reset(): void {
    this.#margin = FIRST_MARGIN;
    this.#errors = 0;
  }

  snapshot(): UpperBoundSnapshot {
    return { margin: this.#margin, errors: this.#errors };
  }

  restore({ margin, errors }: UpperBoundSnapshot): void {
    this.#margin = margin;
    this.#errors = errors;
  }
}
