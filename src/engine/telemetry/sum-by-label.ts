/** Sums by the value of a label ('' where it is absent). Values are another program's words: `constructor` is one like any other. */
import type { Labels } from '../prometheus/index.js';

export function sumByLabel(series: Iterable<{ labels: Labels; value: number }>, label: string): Record<string, number> {
  const sums = new Map<string, number>();
  for (const { labels, value } of series) {
    const name = labels[label] ?? '';
    sums.set(name, (sums.get(name) ?? 0) + value);
  }
  return Object.fromEntries(sums);
}
