import { expect, test } from 'vitest';
import { UpperBound } from '../../../src/outlook/prediction/upper-bound.js';
import { RandomStream } from '../../../src/simulator/index.js';

// Gibbs and Candès (2021), proposition 4.1: the share of misses tends to 10 % whatever the errors do.
test('the bound holds for 90 % of errors, also where their size changes and they are known late', () => {
  const bound = new UpperBound();
  const random = new RandomStream(1);
  const late: { error: number; given: number }[] = [];
  let covered = 0;
  const count = 20_000;
  for (let i = 0; i < count; i++) {
    const size = Math.floor(i / 700) % 2 === 0 ? 0.1 : 0.6;
    const error = size * (random.uniform() + random.uniform() - 0.7);
    if (error <= bound.margin) covered++;
    late.push({ error, given: bound.margin });
    if (late.length > 40) {
      const known = late.shift()!;
      bound.observe(known.error, known.given);
    }
  }
  expect(covered / count).toBeGreaterThan(0.89);
  expect(covered / count).toBeLessThan(0.92);
});

test('the bound is never below the prediction', () => {
  const bound = new UpperBound();
  for (let i = 0; i < 1000; i++) bound.observe(-5, bound.margin);
  expect(bound.margin).toBe(0);
});
