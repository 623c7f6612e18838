import { expect, test } from 'vitest';
import { histogramQuantile } from '../../../src/engine/index.js';
import fc from '../../property/fast-check.js';

const inf = Number.POSITIVE_INFINITY;

// Worked by hand from the rule; test/oracles compares with a Prometheus server.
test.each([
  [0.5, [0.1, 0.2, 1, inf], [5, 8, 9, 9], 0.09],
  [0.9, [0.1, 0.2, 1, inf], [5, 8, 9, 9], 0.2 + 0.8 * 0.1],
  [1, [0.1, 0.2, inf], [5, 8, 9], 0.2],
  [0.5, [-1, 0, inf], [4, 5, 5], -1],
  [0.5, [1, 2, inf], [0, 4, 4], 1.5],
  [0.5, [1, 2, 3, inf], [2, 1, 4, 4], 1],
])('quantile %d of buckets %j with counts %j is %d', (q, bounds, counts, expected) => {
  expect(histogramQuantile(q, bounds, counts)).toBeCloseTo(expected, 12);
});

test.each([
  ['nothing was observed', [1, inf], [0, 0]],
  ['no bucket is without bound', [1, 2], [3, 4]],
  ['the bucket without bound is alone', [inf], [4]],
  ['there are no buckets', [], []],
])('the quantile is unknown when %s', (_, bounds, counts) => expect(histogramQuantile(0.5, bounds, counts)).toBeNull());

test('the quantile grows with q and stays within the finite bounds', () => {
  const steps = fc.array(fc.nat(50), { minLength: 2, maxLength: 8 }).filter((steps) => steps.some((step) => step > 0));
  fc.assert(
    fc.property(
      steps,
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (steps, a, b) => {
        let count = 0;
        const counts = steps.map((step) => (count += step));
        const bounds = steps.map((_, i) => (i === steps.length - 1 ? inf : i + 1));
        const [low, high] = [Math.min(a, b), Math.max(a, b)].map((q) => histogramQuantile(q, bounds, counts)!);
        expect(low).toBeLessThanOrEqual(high!);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(steps.length - 1);
      },
    ),
  );
});
