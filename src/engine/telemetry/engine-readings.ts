/**
 * What the metrics say of each data-parallel engine: series under the names of this package, nothing computed yet.
 *
 * An engine is a value of the label `engine`, of `WorkerId` under Ray Serve, of `dp_rank` of SGLang; series without one are
 * of the engine ''. Where an older and a newer name of a figure are there, the newer is read. The declared type decides what
 * is a histogram.
 *
 * Tensor-parallel, pipeline and expert ranks of one group report the same requests: of series that differ in nothing else
 * the greatest is read (of histograms the one with the greatest count), and their rank labels are left out.
 *
 * The readings of a scrape are kept with it: its figures and the rates before and after it read it once. They are not to be
 * changed, and neither are the families.
 */
import type { EngineKind } from '../engine.js';
import type { Labels, MetricFamilies, MetricFamily } from '../prometheus/index.js';
import {
  type CounterName,
  counters,
  ENGINE_LABELS,
  type FigureName,
  type GaugeName,
  gauges,
  type HistogramName,
  histograms,
  namings,
  RANK_LABELS,
  RAY_PREFIX,
} from './metric-names.js';

export interface Series {
  /** Its labels in one text, whatever their order. */
  key: string;
  labels: Labels;
  value: number;
}

/** Buckets in the order of their bounds, counts cumulative as they are exposed. */
export interface HistogramSeries {
  key: string;
  bounds: number[];
  counts: number[];
  sum: number;
  count: number;
}

export interface EngineReading {
  engine: string;
  series: Map<GaugeName | CounterName | 'cacheConfig', Series[]>;
  histograms: Map<HistogramName, HistogramSeries[]>;
  /** When each counter and histogram began, seconds since 1970, by name and labels. */
  created: Map<string, number>;
}

export interface EngineReadings {
  kind: EngineKind | null;
  processStartTime: number | null;
  engines: EngineReading[];
}

const known = new WeakMap<MetricFamilies, { size: number; readings: EngineReadings }>();

export function readEngines(families: MetricFamilies): EngineReadings {
  const before = known.get(families);
  if (before?.size === families.size) return before.readings;
  const readings = readFamilies(families);
  known.set(families, { size: families.size, readings });
  return readings;
}

function readFamilies(families: MetricFamilies): EngineReadings {
  const names = [...families.keys()];
  const isThere = (prefix: string) => names.some((name) => name.startsWith(prefix));
  const found = namings.find(({ prefix }) => isThere(prefix) || isThere(RAY_PREFIX + prefix));
  const reader = new ReadingsReader(families);
  if (found !== undefined) {
    const isRay = !isThere(found.prefix);
    const named = (figure: FigureName) => {
      const own = (found.names[figure] ?? []).map((name) => found.prefix + name);
      return isRay ? own.flatMap(rayNames) : own;
    };
    for (const figure of [...gauges, ...counters, 'cacheConfig'] as const) reader.series(figure, named(figure));
    for (const figure of histograms) reader.histogram(figure, named(figure));
    for (const figure of counters) reader.created(named(figure));
    for (const figure of histograms) reader.created(named(figure));
  }
  const start = families.get('process_start_time_seconds')?.values[0];
  return {
    kind: found?.kind ?? null,
    processStartTime: start !== undefined && Number.isFinite(start) ? start : null,
    engines: reader.engines(),
  };
}

/** Ray names a counter with and without `_total`. */
function rayNames(name: string): string[] {
  const names = [name, name.replace(/_total$/, '')];
  return [...new Set(names)].map((each) => RAY_PREFIX + each);
}

class ReadingsReader {
  readonly #families: MetricFamilies;
  readonly #engines = new Map<string, EngineReading>();

  constructor(families: MetricFamilies) {
    this.#families = families;
  }

  engines(): EngineReading[] {
    return [...this.#engines.values()].sort((a, b) => a.engine.localeCompare(b.engine, 'en', { numeric: true }));
  }

  /** The first of the names that has samples. */
  series(figure: GaugeName | CounterName | 'cacheConfig', names: readonly string[]): void {
    for (const name of names) {
      const found = samplesNamed(this.#families, name);
      const ranks = new Map<string, Series>();
      for (const { value, sample } of found) {
        const { labels, key } = sample.shared;
        const other = ranks.get(key);
        if (other !== undefined) {
          other.value = Math.max(other.value, value);
          continue;
        }
        const series = { key, labels, value };
        ranks.set(key, series);
        append(this.#engine(labels).series, figure, series);
      }
      if (found.length > 0) return;
    }
  }

  histogram(figure: HistogramName, names: readonly string[]): void {
    const family = names.map((name) => this.#families.get(name)).find((family) => family?.type === 'histogram');
    if (family === undefined) return;
    const found = new Map<string, { histogram: HistogramSeries; labels: Labels }>();
    for (const { key, index, shared } of samplesOf(family)) {
      let one = found.get(key);
      if (one === undefined) {
        const histogram = { key: shared.key, bounds: [], counts: [], sum: Number.NaN, count: Number.NaN };
        one = { histogram, labels: shared.labels };
        found.set(key, one);
      }
      fill(one.histogram, family, index);
    }
    const ranks = new Map<string, HistogramSeries>();
    for (const { histogram, labels } of found.values()) {
      sortBuckets(histogram);
      const other = ranks.get(histogram.key);
      if (other === undefined) append(this.#engine(labels).histograms, figure, histogram);
      if (other === undefined) ranks.set(histogram.key, histogram);
      else if (histogram.count > other.count) Object.assign(other, histogram);
    }
  }

  /** `x_created` beside the counter `x_total` or the histogram `x`. */
  created(names: readonly string[]): void {
    for (const name of names) {
      const isHistogram = this.#families.get(name)?.type === 'histogram';
      const createdName = `${isHistogram ? name : name.replace(/_total$/, '')}_created`;
      for (const { value, sample } of samplesNamed(this.#families, createdName)) {
        this.#engine(sample.labels).created.set(`${createdName}{${sample.key}}`, value);
      }
    }
  }

  #engine(labels: Labels): EngineReading {
    const label = ENGINE_LABELS.find((name) => labels[name] !== undefined);
    const engine = label === undefined ? '' : labels[label]!;
    let reading = this.#engines.get(engine);
    if (reading === undefined) {
      reading = { engine, series: new Map(), histograms: new Map(), created: new Map() };
      this.#engines.set(engine, reading);
    }
    return reading;
  }
}

/** A series of a family as it is named, with and without the labels of ranks. */
interface NamedSample {
  name: string;
  index: number;
  labels: Labels;
  key: string;
  shared: { labels: Labels; key: string };
}

const namedSamples = new WeakMap<object, readonly NamedSample[]>();

/** Kept with the layout of the family: the scrapes of one engine mostly have the same series. */
function samplesOf(family: MetricFamily): readonly NamedSample[] {
  const before = namedSamples.get(family.layout);
  if (before !== undefined) return before;
  const samples = Array.from({ length: family.length }, (_, index): NamedSample => {
    const labels = family.labels(index);
    const key = keyOf(labels);
    const shared = withoutRanks(labels);
    return {
      name: family.sampleName(index),
      index,
      labels,
      key,
      shared: { labels: shared, key: shared === labels ? key : keyOf(shared) },
    };
  });
  namedSamples.set(family.layout, samples);
  return samples;
}

/** The samples of this very name: in a family of that name, or in the one that remains without the suffix. */
function samplesNamed(families: MetricFamilies, name: string): { value: number; sample: NamedSample }[] {
  const own = families.get(name);
  const family = own !== undefined && own.length > 0 ? own : families.get(name.slice(0, name.lastIndexOf('_')));
  if (family === undefined) return [];
  return samplesOf(family).flatMap((sample) =>
    sample.name === name ? [{ value: family.values[sample.index]!, sample }] : [],
  );
}

function fill(histogram: HistogramSeries, family: MetricFamily, index: number): void {
  const value = family.values[index]!;
  const bound = family.bounds[index]!;
  const name = family.sampleName(index);
  if (!Number.isNaN(bound)) {
    histogram.bounds.push(bound);
    histogram.counts.push(value);
  } else if (name === `${family.name}_sum`) histogram.sum = value;
  else if (name === `${family.name}_count`) histogram.count = value;
}

function sortBuckets(histogram: HistogramSeries): void {
  const { bounds, counts } = histogram;
  if (bounds.every((bound, i) => i === 0 || bounds[i - 1]! < bound)) return;
  const order = bounds.map((_, i) => i).sort((a, b) => bounds[a]! - bounds[b]!);
  histogram.bounds = order.map((i) => bounds[i]!);
  histogram.counts = order.map((i) => counts[i]!);
}

function keyOf(labels: Labels): string {
  const names = Object.keys(labels).filter((name) => name !== 'le');
  return names
    .sort()
    .map((name) => `${name}=${JSON.stringify(labels[name])}`)
    .join();
}

function withoutRanks(labels: Labels): Labels {
  if (!RANK_LABELS.some((rank) => rank in labels)) return labels;
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !RANK_LABELS.includes(name)));
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
