/**
 * The rule that the outlook is compared with: a request misses its objective where more than `limit` prompt tokens are queued
 * before it, its own among them.
 *
 *     limit = the one with the fewest wrong calls on the last KEPT outcomes; of equals the largest
 *
 * It is tuned again every TUNE_EVERY outcomes and used on those that come after, so it never sees what it is judged on.
 */
const KEPT = 256;
const TUNE_EVERY = 16;

export class TokenLimit {
  readonly #outcomes: { tokens: number; missed: boolean }[] = [];
  #next = 0;
  #count = 0;
  #limit: number | null = null;

  /** Whether so many tokens are over the limit; null before the first one was tuned. */
  over(tokens: number): boolean | null {
    return this.#limit === null ? null : tokens > this.#limit;
  }

  add(tokens: number, missed: boolean): void {
    this.#outcomes[this.#next] = { tokens, missed };
    this.#next = (this.#next + 1) % KEPT;
    if (++this.#count % TUNE_EVERY === 0) this.#limit = tuned(this.#outcomes);
  }
}

/** One pass over the outcomes by their tokens: the limit lies at one of them, below all, or nowhere. */
function tuned(outcomes: readonly { tokens: number; missed: boolean }[]): number {
  const sorted = [...outcomes].sort((a, b) => a.tokens - b.tokens);
  // Below all: each request is said to miss.
  let wrong = sorted.filter(({ missed }) => !missed).length;
  let [limit, fewest] = [-1, wrong];
  sorted.forEach(({ tokens, missed }, i) => {
    wrong += missed ? 1 : -1;
    const next = sorted[i + 1]?.tokens;
    if (next !== tokens && wrong <= fewest)
      [limit, fewest] = [next === undefined ? Number.POSITIVE_INFINITY : tokens, wrong];
  });
  return limit;
}
