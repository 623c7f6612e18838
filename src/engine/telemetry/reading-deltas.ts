/**
 * What changed between two readings of the same engines: differences of counters and histograms, series by series.
 *
 * A series that was not there before counts from 0: clients expose a labelled counter when it first moves. Null where a
 * figure is absent or not finite; an engine that was reset has no differences (see rate-reset.ts).
 */
import type { EngineReading, HistogramSeries, Series } from './engine-readings.js';
import type { CounterName, GaugeName, HistogramName } from './metric-names.js';
import { sumByLabel } from './sum-by-label.js';

export interface HistogramDelta {
  sum: number;
  count: number;
  /** Null where engines have buckets of different bounds. */
  buckets: { bounds: readonly number[]; counts: readonly number[] } | null;
}

export class ReadingDeltas {
  readonly #before: readonly EngineReading[];
  readonly #after: readonly EngineReading[];

  /** Both in the same order, engine for engine. */
  constructor(before: readonly EngineReading[], after: readonly EngineReading[]) {
    this.#before = before;
    this.#after = after;
  }

  /** The level of a gauge after, summed. */
  gauge(name: GaugeName): number | null {
    return total(this.#after.flatMap(({ series }) => series.get(name) ?? []));
  }

  gaugeBefore(name: GaugeName): number | null {
    return total(this.#before.flatMap(({ series }) => series.get(name) ?? []));
  }

  counter(name: CounterName): number | null {
    return total(this.#counterDeltas(name));
  }

  /** By the value of a label; null where the counter is unknown. */
  counterBy(name: CounterName, label: string): Record<string, number> | null {
    const deltas = this.#counterDeltas(name);
    return total(deltas) === null ? null : sumByLabel(deltas, label);
  }

  histogram(name: HistogramName): HistogramDelta | null {
    const deltas = this.#after.flatMap((reading, i) => {
      const before = this.#before[i]?.histograms.get(name) ?? [];
      const series = reading.histograms.get(name) ?? [];
      return series.map((histogram, k) => difference(histogram, sameSeries(before, histogram.key, k)));
    });
    const sum = total(deltas.map(({ sum }) => ({ value: sum })));
    const count = total(deltas.map(({ count }) => ({ value: count })));
    return sum === null || count === null ? null : { sum, count, buckets: merged(deltas) };
  }

  #counterDeltas(name: CounterName): Series[] {
    return this.#after.flatMap((reading, i) => {
      const before = this.#before[i]?.series.get(name) ?? [];
      const series = reading.series.get(name) ?? [];
      return series.map(({ key, labels, value }, k) => {
        return { key, labels, value: value - (sameSeries(before, key, k)?.value ?? 0) };
      });
    });
  }
}

function difference(after: HistogramSeries, before: HistogramSeries | undefined): HistogramSeries {
  return {
    ...after,
    counts: after.counts.map((count, i) => count - (before?.counts[i] ?? 0)),
    sum: after.sum - (before?.sum ?? 0),
    count: after.count - (before?.count ?? 0),
  };
}

function merged(histograms: readonly HistogramSeries[]): HistogramDelta['buckets'] {
  const [first, ...others] = histograms;
  if (first === undefined || others.some(({ bounds }) => !sameBounds(bounds, first.bounds))) return null;
  const counts = first.counts.map((_, i) => histograms.reduce((all, { counts }) => all + counts[i]!, 0));
  return { bounds: first.bounds, counts };
}

/** The series of this key: mostly it stands where it stood in the scrape before. */
export function sameSeries<S extends { key: string }>(series: readonly S[], key: string, place: number): S | undefined {
  const there = series[place];
  return there?.key === key ? there : series.find((one) => one.key === key);
}

export function sameBounds(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true; // of one layout
  return a.length === b.length && a.every((bound, i) => bound === b[i]);
}

function total(series: readonly Pick<Series, 'value'>[]): number | null {
  const known = series.length > 0 && series.every(({ value }) => Number.isFinite(value));
  return known ? series.reduce((sum, { value }) => sum + value, 0) : null;
}
