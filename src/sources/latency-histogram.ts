/**
 * A histogram of times with buckets in geometric steps, so that its quantiles have a bounded relative error.
 *
 *     bounds     2^(-10 + i/8) ms, i = 0 .. 208: from 1 µs to 65.5 s, eight buckets for each doubling
 *     quantile   the geometric mean of the bucket that holds rank ceil(q · count): within 2^(1/16) - 1 = 4.5 % of the
 *                sample of that rank, and never above the largest; shorter times count as 1 µs, longer ones as the largest
 *     buckets    cumulative, at each power of two, as Prometheus writes them; `count` stands for +Inf
 *
 * add() costs one logarithm and one increment. 1.7 kB a histogram. What is not a time (NaN, negative) is not counted.
 */
export interface LatencySnapshot {
  count: number;
  sum: number;
  /** Milliseconds; null while there is none. */
  p50: number | null;
  p90: number | null;
  p99: number | null;
  max: number | null;
  buckets: { le: number; count: number }[];
}

const perDoubling = 8;
const firstPower = -10;
const lastPower = 16;
const steps = (lastPower - firstPower) * perDoubling;

export class LatencyHistogram {
  /** Index 0 is up to the first bound, index `steps` + 1 is past the last. */
  readonly #counts = new Float64Array(steps + 2);
  #count = 0;
  #sum = 0;
  #max = 0;

  add(ms: number): void {
    if (!(ms >= 0)) return;
    const step = Math.ceil((Math.log2(ms) - firstPower) * perDoubling);
    const index = step <= 0 ? 0 : step > steps ? steps + 1 : step;
    this.#counts[index]! += 1;
    this.#count += 1;
    this.#sum += ms;
    if (ms > this.#max) this.#max = ms;
  }

  get count(): number {
    return this.#count;
  }

  snapshot(): LatencySnapshot {
    const known = this.#count > 0;
    return {
      count: this.#count,
      sum: this.#sum,
      p50: this.#quantile(0.5),
      p90: this.#quantile(0.9),
      p99: this.#quantile(0.99),
      max: known ? this.#max : null,
      buckets: this.#cumulative(),
    };
  }

  #quantile(share: number): number | null {
    if (this.#count === 0) return null;
    const rank = Math.ceil(share * this.#count);
    let index = 0;
    for (let below = this.#counts[0]!; below < rank; below += this.#counts[index]!) index += 1;
    if (index > steps) return this.#max;
    return Math.min(this.#max, index === 0 ? bound(0) : bound(index - 0.5));
  }

  #cumulative(): { le: number; count: number }[] {
    const buckets: { le: number; count: number }[] = [];
    let below = 0;
    for (let index = 0; index <= steps; index++) {
      below += this.#counts[index]!;
      if (index % perDoubling === 0) buckets.push({ le: bound(index), count: below });
    }
    return buckets;
  }
}

function bound(index: number): number {
  return 2 ** (firstPower + index / perDoubling);
}
