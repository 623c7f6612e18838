/** Families of metrics that keep what they were given. */
import type { MetricsFamilies } from '../../../src/bridge/processing/metrics-families.js';

export class KeptMetrics implements MetricsFamilies {
  readonly values = new Map<string, number[]>();
  readonly #calls: (() => void)[] = [];

  counter = (name: string) => ({ inc: (labels: Record<string, string> = {}) => this.#keep(name, labels, 1) });
  gauge = (name: string) => ({
    set: (labels: Record<string, string>, value: number) => void this.values.set(keyOf(name, labels), [value]),
  });
  histogram = (name: string) => ({
    observe: (labels: Record<string, string>, value: number) => this.#keep(name, labels, value),
  });
  collect(call: () => void): void {
    this.#calls.push(call);
  }

  /** Every value, as `name{label="value"}`. */
  read(key: string): number[] {
    for (const call of this.#calls) call();
    return this.values.get(key) ?? [];
  }

  #keep(name: string, labels: Record<string, string>, value: number): void {
    const key = keyOf(name, labels);
    this.values.set(key, [...(this.values.get(key) ?? []), value]);
  }
}

function keyOf(name: string, labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}
