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
    return levelOf(this.#after, name);
  }

  gaugeBefore(name: GaugeName): number | null {
    return levelOf(this.#before, name);
  }

  /** Many engines are read every second: this makes no list. */
  counter(name: CounterName): number | null {
    let [sum, found] = [0, 0];
    for (let i = 0; i < this.#after.length; i++) {
      const before = this.#before[i]?.series.get(name) ?? none;
      const series = this.#after[i]!.series.get(name) ?? none;
      for (let k = 0; k < series.length; k++) sum += deltaOf(series[k]!, before, k);
      found += series.length;
    }
    return found > 0 && Number.isFinite(sum) ? sum : null;
  }

  /** By the value of a label; null where the counter is unknown. */
  counterBy(name: CounterName, label: string): Record<string, number> | null {
    if (this.counter(name) === null) return null;
    const deltas = this.#after.flatMap((reading, i) => {
      const before = this.#before[i]?.series.get(name) ?? none;
      const series = reading.series.get(name) ?? none;
      return series.map((one, k) => ({ labels: one.labels, value: deltaOf(one, before, k) }));
    });
    return sumByLabel(deltas, label);
  }

  histogram(name: HistogramName): HistogramDelta | null {
    const sums = new HistogramSums();
    for (let i = 0; i < this.#after.length; i++) {
      const before = this.#before[i]?.histograms.get(name) ?? none;
      const series = this.#after[i]!.histograms.get(name) ?? none;
      for (let k = 0; k < series.length; k++) sums.add(series[k]!, sameSeries(before, series[k]!.key, k));
    }
    return sums.result();
  }
}

const none: readonly never[] = [];

function deltaOf({ key, value }: Series, before: readonly Series[], place: number): number {
  return value - (sameSeries(before, key, place)?.value ?? 0);
}

function levelOf(readings: readonly EngineReading[], name: GaugeName): number | null {
  let [sum, found] = [0, 0];
  for (const { series } of readings) {
    const own = series.get(name) ?? none;
    for (let k = 0; k < own.length; k++) sum += own[k]!.value;
    found += own.length;
  }
  return found > 0 && Number.isFinite(sum) ? sum : null;
}

/** Differences of histograms, added up. */
class HistogramSums {
  #sum = 0;
  #count = 0;
  #first: HistogramSeries | null = null;
  #counts: number[] = [];
  #alike = true;

  add(after: HistogramSeries, before: HistogramSeries | undefined): void {
    this.#sum += after.sum - (before?.sum ?? 0);
    this.#count += after.count - (before?.count ?? 0);
    const isFirst = this.#first === null;
    this.#first ??= after;
    this.#alike &&= sameBounds(after.bounds, this.#first.bounds);
    if (!this.#alike) return;
    if (isFirst) this.#counts = new Array<number>(after.counts.length).fill(0);
    for (let i = 0; i < after.counts.length; i++) this.#counts[i]! += after.counts[i]! - (before?.counts[i] ?? 0);
  }

  result(): HistogramDelta | null {
    const [sum, count, first] = [this.#sum, this.#count, this.#first];
    if (first === null || !Number.isFinite(sum) || !Number.isFinite(count)) return null;
    return { sum, count, buckets: this.#alike ? { bounds: first.bounds, counts: this.#counts } : null };
  }
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
