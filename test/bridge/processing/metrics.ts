/** A registry of metrics that also keeps each value it was given. */
import { MetricsRegistry } from '../../../src/bridge/metrics/index.js';

type Labels = Readonly<Record<string, string>>;

export class KeptMetrics extends MetricsRegistry {
  readonly #values = new Map<string, number[]>();

  override counter(...shape: Parameters<MetricsRegistry['counter']>) {
    const family = super.counter(...shape);
    const inc = family.inc.bind(family);
    family.inc = (labels: Labels = {}, by = 1) => {
      inc(labels, by);
      this.#keep(shape[0], labels, by);
    };
    return family;
  }

  override gauge(...shape: Parameters<MetricsRegistry['gauge']>) {
    const family = super.gauge(...shape);
    const set = family.set.bind(family);
    family.set = (labels: Labels, value: number) => {
      set(labels, value);
      this.#values.set(keyOf(shape[0], labels), [value]);
    };
    return family;
  }

  override histogram(...shape: Parameters<MetricsRegistry['histogram']>) {
    const family = super.histogram(...shape);
    const observe = family.observe.bind(family);
    family.observe = (labels: Labels, value: number) => {
      observe(labels, value);
      this.#keep(shape[0], labels, value);
    };
    return family;
  }

  /** Every value of `name{label="value"}`, of a gauge the last one. */
  read(key: string): number[] {
    this.text();
    return this.#values.get(key) ?? [];
  }

  #keep(name: string, labels: Labels, value: number): void {
    const key = keyOf(name, labels);
    this.#values.set(key, [...(this.#values.get(key) ?? []), value]);
  }
}

function keyOf(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}
