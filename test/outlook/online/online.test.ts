/** Small estimators that learn from one sample at a time. */
import { describe, expect, test } from 'vitest';
import { Ewma, QuantileMargin, RecursiveLeastSquares } from '../../../src/outlook/online/index.js';
import { RandomStream } from '../../../src/simulator/random-stream.js';
import { ridgeSolution } from '../../reference/ridge-solution.js';

function samples(count: number, features: number) {
  const random = new RandomStream(7);
  return Array.from({ length: count }, () => {
    const f = Array.from({ length: features }, () => 2 * random.uniform() - 1);
    return { f, y: f.reduce((sum, value, i) => sum + (i + 1) * value, 0) + 0.1 * random.uniform() };
  });
}

describe('recursive least squares', () => {
  test('without forgetting it is the ridge solution', () => {
    const data = samples(60, 4);
    const rls = new RecursiveLeastSquares({ features: 4, ridge: 0.3, forgetting: 1 });
    for (const { f, y } of data) rls.update(f, y);
    const reference = ridgeSolution(data, { ridge: 0.3, forgetting: 1 });
    for (const [i, weight] of rls.snapshot().weights.entries()) expect(weight).toBeCloseTo(reference[i]!, 9);
  });

  test('with forgetting a sample weighs forgetting^n after n more', () => {
    const data = samples(80, 3);
    const rls = new RecursiveLeastSquares({ features: 3, ridge: 1e-6, forgetting: 0.95 });
    for (const { f, y } of data) rls.update(f, y);
    const reference = ridgeSolution(data, { ridge: 1e-6, forgetting: 0.95 });
    for (const [i, weight] of rls.snapshot().weights.entries()) expect(weight).toBeCloseTo(reference[i]!, 6);
  });

  test('the variance of a direction that is never excited does not grow above its first value', () => {
    const rls = new RecursiveLeastSquares({ features: 2, ridge: 0.1, forgetting: 0.9 });
    for (let i = 0; i < 10_000; i++) rls.update([1, 0], 1);
    expect(Math.max(...rls.snapshot().covariance)).toBeLessThanOrEqual(10);
    rls.update([1, 1], 2);
    expect(rls.predict([0, 1])).toBeLessThan(1.01);
  });

  test('a snapshot goes on where it was taken', () => {
    const data = samples(40, 3);
    const options = { features: 3, ridge: 1, forgetting: 0.99 };
    const [first, second] = [new RecursiveLeastSquares(options), new RecursiveLeastSquares(options)];
    for (const { f, y } of data.slice(0, 20)) first.update(f, y);
    second.restore(JSON.parse(JSON.stringify(first.snapshot())));
    for (const { f, y } of data.slice(20)) {
      first.update(f, y);
      second.update(f, y);
    }
    expect(second.snapshot()).toEqual(first.snapshot());
  });

  test('a wrong number of features and values that are not finite are refused and have no effect', () => {
    const rls = new RecursiveLeastSquares({ features: 2, ridge: 1, forgetting: 1 });
    rls.update([1, 2], 3);
    const before = rls.snapshot();
    expect(() => rls.update([1], 3)).toThrow('Expected 2 features but received 1');
    expect(() => rls.update([1, Number.NaN], 3)).toThrow(RangeError);
    expect(() => rls.update([1, 2], Number.POSITIVE_INFINITY)).toThrow(RangeError);
    expect(() => rls.restore({ weights: [1], covariance: [1] })).toThrow('a snapshot of 2 features');
    expect(rls.snapshot()).toEqual(before);
  });
});

test('a moving average reaches 1 - 1/e of a step after its time constant, however the steps are cut', () => {
  for (const cut of [1, 5, 30]) {
    const average = new Ewma(30);
    expect(average.value).toBeNull();
    average.add(0, 1);
    for (let seconds = 0; seconds < 30; seconds += cut) average.add(1, cut);
    expect(average.value).toBeCloseTo(1 - Math.exp(-1), 12);
  }
});

test.each([0.1, 0.5, 0.9])('the margin of quantile %s covers that share of skewed errors', (level) => {
  const random = new RandomStream(3);
  const margin = new QuantileMargin(level);
  let covered = 0;
  for (let i = 0; i < 6000; i++) {
    const error = random.logNormal(1, 1) - 1;
    if (i >= 1000 && error <= margin.margin) covered++;
    margin.observe(error);
  }
  expect(covered / 5000).toBeGreaterThan(level - 0.02);
  expect(covered / 5000).toBeLessThan(level + 0.02);
  expect(Math.abs(margin.coverage! - level)).toBeLessThan(0.04);
});
