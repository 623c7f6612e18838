/**
 * A histogram as Prometheus means it: `counts[i]` values fell into (bounds[i-1], bounds[i]], the last count is of those
 * above every bound (le="+Inf"). Exposition sums them up.
 */
export class Histogram {
  /** Values in each bucket, not summed up. */
  readonly counts: Float64Array;
  /** Sum of the values. */
  sum = 0;
  /** How many values were observed. */
  count = 0;

  constructor(
    /** Upper bounds of the buckets, ascending; the last bucket has none. */
    readonly bounds: readonly number[],
  ) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Adds a value to its bucket, to the sum and to the count. */
  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && value > this.bounds[bucket]!) bucket++;
    this.counts[bucket]! += 1;
    this.sum += value;
    this.count += 1;
  }
}
