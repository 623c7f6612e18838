/**
 * The quantile q of a histogram, as Prometheus' histogram_quantile has it: with cumulative counts c and bounds b, the first
 * bucket i whose c_i reaches the rank q c_last holds it, and inside a bucket observations lie evenly:
 *
 *     b_(i-1) + (b_i - b_(i-1)) (q c_last - c_(i-1)) / (c_i - c_(i-1))
 *
 * The lowest bucket begins at 0, or is answered by its bound where that is not positive; the bucket without bound is
 * answered by the last finite bound. Null without an observation, without a bucket le="+Inf", or with that one alone.
 * Source: Prometheus 2.42, promql/quantile.go, bucketQuantile; its repair of counts that decrease is kept (a count is at
 * least the one below).
 */
export function histogramQuantile(q: number, bounds: readonly number[], counts: readonly number[]): number | null {
  const last = bounds.length - 1;
  if (last < 1 || bounds[last] !== Number.POSITIVE_INFINITY) return null;
  let all = 0;
  for (let i = 0; i <= last; i++) all = Math.max(counts[i]!, all);
  if (!(all > 0)) return null;
  const rank = q * all;
  let [bucket, below] = [0, 0];
  let reached = Math.max(counts[0]!, 0);
  while (bucket < last && !(reached >= rank)) {
    below = reached;
    reached = Math.max(counts[++bucket]!, reached);
  }
  if (bucket === last) return bounds[last - 1]!;
  if (bucket === 0 && bounds[0]! <= 0) return bounds[0]!;
  const start = bucket === 0 ? 0 : bounds[bucket - 1]!;
  return start + (bounds[bucket]! - start) * ((rank - below) / (reached - below));
}
