/** The least squares of the chart against plain elimination over the same rows. */
import { expect, test } from 'vitest';
import { LinearFit } from '../../../src/monitor/anomalies/linear-fit.js';
import { plainRidge } from '../../reference/ridge.js';
import { uniforms } from './samples.js';

test('weights and the spread of the residuals agree with plain elimination', () => {
  const next = uniforms();
  const rows = Array.from({ length: 400 }, () => [1, next(), next() * 3, next() - 0.5]);
  const targets = rows.map(([, a, b, c]) => 2 - a! + 0.5 * b! + 3 * c! + 0.1 * (next() - 0.5));
  const fit = new LinearFit(4);
  rows.forEach((row, i) => {
    fit.add(row, targets[i]!);
  });
  const { weights, rms } = fit.solve();
  const problem = { x: rows.flat(), y: targets, steps: rows.length, ridge: 0, intercept: false };
  const expected = [...plainRidge(problem).weights];
  expected.forEach((weight, i) => {
    expect(weights[i]).toBeCloseTo(weight, 4);
  });
  const squares = rows.map((row, k) => (targets[k]! - row.reduce((sum, x, i) => sum + x * expected[i]!, 0)) ** 2);
  expect(rms).toBeCloseTo(Math.sqrt(squares.reduce((a, b) => a + b) / squares.length), 5);
});

test('a feature that is always 0 and one that repeats another leave finite weights', () => {
  const next = uniforms();
  const fit = new LinearFit(4);
  for (let i = 0; i < 100; i++) {
    const x = next();
    fit.add([1, x, x, 0], 1 + 2 * x);
  }
  const { weights, rms } = fit.solve();
  expect(weights.every(Number.isFinite)).toBe(true);
  expect(weights[1]! + weights[2]!).toBeCloseTo(2, 3);
  expect(rms).toBeLessThan(1e-3);
});

test('without rows all weights are 0', () => {
  expect(new LinearFit(3).solve()).toEqual({ weights: new Float64Array(3), rms: 0 });
});
