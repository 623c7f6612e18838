/**
 * Retries as a share of questions, so that retries cannot overload a failing engine: every question earns a tenth of a retry, and at
 * most 10 are saved. A fresh budget is full: the first failures of a bridge that asks seldom may be asked again.
 */
const share = 0.1;
const most = 10;

export class RetryBudget {
  #saved = most;

  earn(): void {
    this.#saved = Math.min(most, this.#saved + share);
  }

  /** Whether a retry is left; takes it. */
  spend(): boolean {
    if (this.#saved < 1) return false;
    this.#saved -= 1;
    return true;
  }
}
