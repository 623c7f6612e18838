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
  bounds: readonly number[];
  counts: readonly number[];
  sum: number;
  count: number;
}

export interface EngineReading {
  engine: string;
  series: Map<GaugeName | CounterName | 'cacheConfig', Series[]>;
  histograms: Map<HistogramName, HistogramSeries[]>;
  created: CreatedTimes;
}

/** When each counter and histogram began: names with labels, and seconds since 1970. */
export interface CreatedTimes {
  names: string[];
  times: number[];
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
  const found = namingOf(families);
  const reader = new ReadingsReader(families);
  if (found !== null) {
    const { named } = found;
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

/** How the metrics of an engine are named. */
interface Naming {
  kind: EngineKind;
  prefix: string;
  named: (figure: FigureName) => readonly string[];
}

const everyNaming = namings.flatMap(({ kind, prefix, names }) => {
  const own = (figure: FigureName) => (names[figure] ?? []).map((name) => prefix + name);
  const naming = (prefix: string, namesOf: (figure: FigureName) => string[]): Naming => {
    const all = new Map(
      [...gauges, ...counters, ...histograms, 'cacheConfig' as const].map((one) => [one, namesOf(one)]),
    );
    return { kind, prefix, named: (figure) => all.get(figure)! };
  };
  return [naming(prefix, own), naming(RAY_PREFIX + prefix, (figure) => own(figure).flatMap(rayNames))];
});

function namingOf(families: MetricFamilies): Naming | null {
  for (const naming of everyNaming) {
    for (const name of families.keys()) if (name.startsWith(naming.prefix)) return naming;
  }
  return null;
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
      const family = familyOf(this.#families, name);
      const layout = family === undefined ? null : layoutOf(family);
      const samples = layout?.named(name) ?? [];
      const ranks = layout?.hasRanks ? new Map<string, Series>() : null;
      for (const { index, shared } of samples) {
        const { labels, key } = shared;
        const value = family!.values[index]!;
        const other = ranks?.get(key);
        if (other !== undefined) {
          other.value = Math.max(other.value, value);
          continue;
        }
        const series = { key, labels, value };
        ranks?.set(key, series);
        append(this.#engine(labels).series, figure, series);
      }
      if (samples.length > 0) return;
    }
  }

  histogram(figure: HistogramName, names: readonly string[]): void {
    const family = names.map((name) => this.#families.get(name)).find((family) => family?.type === 'histogram');
    if (family === undefined) return;
    const layout = layoutOf(family);
    const ranks = layout.hasRanks ? new Map<string, HistogramSeries>() : null;
    for (const { shared, bounds, buckets, sum, count } of layout.histograms()) {
      const { values } = family;
      const at = (index: number | null) => (index === null ? Number.NaN : values[index]!);
      const counts = buckets.map((index) => values[index]!);
      const histogram = { key: shared.key, bounds, counts, sum: at(sum), count: at(count) };
      const other = ranks?.get(histogram.key);
      if (other === undefined) append(this.#engine(shared.labels).histograms, figure, histogram);
      if (other === undefined) ranks?.set(histogram.key, histogram);
      else if (histogram.count > other.count) Object.assign(other, histogram);
    }
  }

  /** `x_created` beside the counter `x_total` or the histogram `x`. */
  created(names: readonly string[]): void {
    for (const name of names) {
      const isHistogram = this.#families.get(name)?.type === 'histogram';
      const createdName = `${isHistogram ? name : name.replace(/_total$/, '')}_created`;
      const family = familyOf(this.#families, createdName);
      if (family === undefined) continue;
      for (const { index, labels, full } of layoutOf(family).named(createdName)) {
        const { created } = this.#engine(labels);
        created.names.push(full);
        created.times.push(family.values[index]!);
      }
    }
  }

  #engine(labels: Labels): EngineReading {
    const label = ENGINE_LABELS.find((name) => labels[name] !== undefined);
    const engine = label === undefined ? '' : labels[label]!;
    let reading = this.#engines.get(engine);
    if (reading === undefined) {
      reading = { engine, series: new Map(), histograms: new Map(), created: { names: [], times: [] } };
      this.#engines.set(engine, reading);
    }
    return reading;
  }
}

/** The family of the samples of this very name: of that name, or the one that remains without the suffix. */
function familyOf(families: MetricFamilies, name: string): MetricFamily | undefined {
  const own = families.get(name);
  return own !== undefined && own.length > 0 ? own : families.get(name.slice(0, name.lastIndexOf('_')));
}

/** A series of a family as it is named, with and without the labels of ranks. */
interface NamedSample {
  name: string;
  index: number;
  labels: Labels;
  key: string;
  /** Name and key in one text. */
  full: string;
  shared: { labels: Labels; key: string };
}

/** Where the numbers of a histogram stand in its family, in the order of the bounds. */
interface HistogramPlaces {
  shared: NamedSample['shared'];
  bounds: readonly number[];
  buckets: readonly number[];
  sum: number | null;
  count: number | null;
}

const layouts = new WeakMap<object, FamilyLayout>();

/** Kept with the layout of the family: the scrapes of one engine mostly have the same series. */
function layoutOf(family: MetricFamily): FamilyLayout {
  let layout = layouts.get(family.layout);
  if (layout === undefined) {
    layout = new FamilyLayout(family);
    layouts.set(family.layout, layout);
  }
  return layout;
}

class FamilyLayout {
  readonly #name: string;
  readonly #bounds: Float64Array;
  readonly #samples: readonly NamedSample[];
  readonly #named = new Map<string, readonly NamedSample[]>();
  #histograms: readonly HistogramPlaces[] | null = null;
  /** Whether some series differ in nothing but the labels of ranks. */
  readonly hasRanks: boolean;

  constructor(family: MetricFamily) {
    this.#name = family.name;
    this.#bounds = family.bounds;
    this.#samples = Array.from({ length: family.length }, (_, index) => {
      const name = family.sampleName(index);
      const labels = family.labels(index);
      const key = keyOf(labels);
      const others = withoutRanks(labels);
      const shared = { labels: others, key: others === labels ? key : keyOf(others) };
      return { name, index, labels, key, full: `${name}{${key}}`, shared };
    });
    this.hasRanks = this.#samples.some(({ key, shared }) => shared.key !== key);
  }

  named(name: string): readonly NamedSample[] {
    let samples = this.#named.get(name);
    if (samples === undefined) {
      samples = this.#samples.filter((sample) => sample.name === name);
      this.#named.set(name, samples);
    }
    return samples;
  }

  histograms(): readonly HistogramPlaces[] {
    if (this.#histograms !== null) return this.#histograms;
    const series = new Map<string, NamedSample[]>();
    for (const sample of this.#samples) append(series, sample.key, sample);
    this.#histograms = [...series.values()].map((samples) => this.#placesOf(samples));
    return this.#histograms;
  }

  #placesOf(samples: readonly NamedSample[]): HistogramPlaces {
    const bound = ({ index }: NamedSample) => this.#bounds[index]!;
    const buckets = samples.filter((sample) => !Number.isNaN(bound(sample))).sort((a, b) => bound(a) - bound(b) || 0);
    const last = (suffix: string) => samples.findLast(({ name }) => name === `${this.#name}_${suffix}`)?.index ?? null;
    return {
      shared: samples[0]!.shared,
      bounds: buckets.map(bound),
      buckets: buckets.map(({ index }) => index),
      sum: last('sum'),
      count: last('count'),
    };
  }
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
