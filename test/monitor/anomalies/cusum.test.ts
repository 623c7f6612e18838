/** The cumulative sum against a plain loop and against what Page's scheme does by hand. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Cusum } from '../../../src/monitor/anomalies/cusum.js';

/** The greatest of 0 and the sums of the last values, which is what the recursion computes. */
function plain(residuals: readonly number[]): number {
  const steps = residuals.map((residual) => Math.min(residual, 4) - 0.75);
  let greatest = 0;
  for (let from = 0; from < steps.length; from++) {
    greatest = Math.max(
      greatest,
      steps.slice(from).reduce((sum, step) => sum + step, 0),
    );
  }
  return greatest;
}

test('the sum is the greatest sum of the last residuals less their slack, or 0', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { maxLength: 40 }), (residuals) => {
      const cusum = new Cusum();
      residuals.forEach((residual, time) => {
        cusum.add(residual, time);
      });
      expect(cusum.value).toBeCloseTo(plain(residuals), 9);
    }),
  );
});

test('a shift of one standard deviation adds a quarter a step, and began when the sum left 0', () => {
  const cusum = new Cusum();
  for (let time = 0; time < 10; time++) cusum.add(-1, time);
  expect(cusum).toMatchObject({ value: 0, sinceSeconds: null });
  for (let time = 10; time < 18; time++) cusum.add(1, time);
  expect(cusum).toMatchObject({ value: 2, sinceSeconds: 10 });
});

test('one wild residual adds as much as four standard deviations, and the sum stays below the given bound', () => {
  const cusum = new Cusum();
  expect(cusum.add(1e9, 0)).toBe(3.25);
  expect(cusum.add(Number.POSITIVE_INFINITY, 1)).toBe(6.5);
  expect(cusum.add(4, 2, 8)).toBe(8);
  expect(cusum.add(Number.NaN, 3)).toBe(8);
  cusum.reset();
  expect(cusum).toMatchObject({ value: 0, sinceSeconds: null });
});
