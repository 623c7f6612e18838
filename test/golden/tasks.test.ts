/** Figures of docs/tasks.md that are medians of seeds. */
import { expect, test } from 'vitest';
import { mackeyGlass, rowsOf } from '../../src/datasets/index.js';
import { Esn } from '../../src/index.js';
import { nrmse } from '../../src/scores/index.js';
import { median } from '../reference/lorenz.js';

// Jaeger & Haas (2004), Science 304: -4.2.
test('Mackey-Glass 17: the median of 5 seeds of log10 NRMSE84 is at most -4.4 with 1000 units', {
  tags: ['slow'],
  timeout: 240_000,
}, () => {
  const series = mackeyGlass(9000, { discard: 1000 });
  const part = (from: number, to: number) => rowsOf(series, { from, to });
  const starts = Array.from({ length: 100 }, (_, i) => 4001 + 49 * i);
  const wanted = starts.map((t) => series.data[t + 83]!);
  const warmup = starts.map((t) => part(t - 1000, t));
  const errors = [0, 1, 2, 3, 4].map((seed) => {
    const network = { units: 1000, inputs: 1, spectralRadius: 0.95, leak: 0.5, biasScaling: 1, seed };
    using esn = new Esn({ network, scale: 'range', washout: 1000 }).fit(part(0, 3001));
    const last = esn.forecast({ steps: 84, warmup }).map(({ data }) => data[83]!);
    return Math.log10(nrmse(wanted, last, { normalizer: 'deviation' }));
  });
  expect(median(errors)).toBeLessThan(-4.4);
});
