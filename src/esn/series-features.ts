/**
 * One row of features for each series, of whatever length: what a classifier reads.
 *
 *     'last'             the row after the last step
 *     'mean'             the mean of the rows after the washout
 *     { snapshots: k }   the rows after steps T/k, 2 T/k, ..., T (rounded), side by side
 */
import { rangeError, shapeError } from '../errors/index.js';
import { type Floats, type LongRunOptions, sharedFloats } from '../native/index.js';
import type { Network } from '../network/index.js';
import { checkMemory, type Matrix, matrix } from '../numeric/index.js';

/** What a classifier reads of a series. */
export type SeriesFeatures = 'last' | 'mean' | { readonly snapshots: number };

/** Rows of a series at which features are read, and their width beside that of the network. */
export function snapshotsOf(features: SeriesFeatures): number {
  if (features === 'last' || features === 'mean') return 1;
  const { snapshots } = features ?? {};
  if (Number.isInteger(snapshots) && snapshots >= 1 && snapshots <= 1000) return snapshots;
  throw rangeError("'last', 'mean' or { snapshots: 1 to 1000 }", 'features', snapshots);
}

/** One row for each series, on another thread where `run` is given; every series starts from rest. */
export async function seriesRowsAsync(
  network: Network,
  series: readonly Floats[],
  features: SeriesFeatures,
  washout: number,
  run: LongRunOptions,
): Promise<Matrix> {
  const batches = planned(network, series, features, washout);
  for (const batch of batches.parts) await network.runBatchAsync(batch.series, { ...batch.options, ...run });
  return batches.rows();
}

export function seriesRows(
  network: Network,
  series: readonly Floats[],
  features: SeriesFeatures,
  washout: number,
): Matrix {
  const batches = planned(network, series, features, washout);
  for (const batch of batches.parts) network.runBatch(batch.series, batch.options);
  return batches.rows();
}

/** The batches that run one after the other over the same states, and the rows that they leave. */
function planned(network: Network, series: readonly Floats[], features: SeriesFeatures, washout: number) {
  const { inputs, featureSize, stateSize, dtype } = network;
  const count = snapshotsOf(features);
  checkMemory(8 * series.length * (stateSize + count * featureSize), `features of ${series.length} series`);
  const steps = series.map((one) => one.length / inputs);
  steps.forEach((many, i) => {
    if (many <= washout) throw shapeError(`series[${i}] with more than ${washout} steps (washout)`, many);
  });
  const states = sharedFloats(dtype, series.length * stateSize);
  const out = new Float64Array(series.length * count * featureSize);
  const part = (from: (many: number) => number, to: (many: number) => number) =>
    series.map((one, i) => one.subarray(from(steps[i]!) * inputs, to(steps[i]!) * inputs));
  if (features === 'mean') {
    const moments = series.map(() => ({ sum: shared(featureSize), magnitude: shared(featureSize) }));
    const parts = [
      {
        series: part(
          () => 0,
          () => washout,
        ),
        options: { out: null, states },
      },
      {
        series: part(
          () => washout,
          (many) => many,
        ),
        options: { out: null, states, moments },
      },
    ];
    const rows = () => {
      moments.forEach(({ sum }, i) => {
        out.set(
          sum.map((total) => total / (steps[i]! - washout)),
          i * featureSize,
        );
      });
      return matrix(series.length, featureSize, out);
    };
    return { parts, rows };
  }
  const place = (k: number) => (many: number) => washout + Math.max(0, Math.round((k * (many - washout)) / count));
  const kept = Array.from({ length: count }, () => series.map(() => shared(featureSize)));
  const parts = kept.flatMap((moments, k) => {
    const until = place(k + 1);
    const before = (many: number) => Math.max(k === 0 ? 0 : place(k)(many), until(many) - 1);
    const start = k === 0 ? () => 0 : place(k);
    // All but the last step of the part, and that step with its features summed.
    return [
      { series: part(start, before), options: { out: null, states } },
      {
        series: part(before, until),
        options: { out: null, states, moments: moments.map((sum) => ({ sum, magnitude: shared(featureSize) })) },
      },
    ];
  });
  const rows = () => {
    for (let i = 0; i < series.length; i++) {
      for (let k = 0; k < count; k++) {
        // A series with fewer steps than snapshots repeats the one before.
        let from = k;
        while (from > 0 && place(from + 1)(steps[i]!) === place(from)(steps[i]!)) from--;
        out.set(kept[from]![i]!, (i * count + k) * featureSize);
      }
    }
    return matrix(series.length, count * featureSize, out);
  };
  return { parts, rows };
}

function shared(length: number): Float64Array {
  return sharedFloats('f64', length) as Float64Array;
}
