/** Forecasts without training. */
import { describe, expect, test } from 'vitest';
import { baselines } from '../../src/learning/baselines/index.js';
import { holtReference, kalmanReference } from '../reference/holt-kalman.js';

const named = (name: string) => baselines.find((one) => one.name === name)!;
const values = Float64Array.from({ length: 200 }, (_, t) => 5 + 0.1 * t + Math.sin(t / 5) + ((t * 7919) % 13) / 13);
const task = { horizons: [1, 6], daySteps: 50 };
const column = (forecasts: Float64Array, k: number) =>
  Array.from({ length: values.length }, (_, t) => forecasts[2 * t + k]!);

describe('a baseline', () => {
  test('the last value forecasts itself', () => {
    expect(column(named('last value').forecasts(values, task, 50), 1)).toEqual([...values]);
  });

  test('a day ago is the value a day before the step that is forecast, and not known in the first day', () => {
    const forecasts = column(named('a day ago').forecasts(values, task, 50), 1);
    expect(forecasts.slice(0, 44)).toEqual(Array(44).fill(Number.NaN));
    expect(forecasts[44]).toBe(values[0]);
    expect(forecasts[150]).toBe(values[106]);
  });

  test('a moving average of 3 steps weighs each value by exp(-1/3) less than the next', () => {
    const forecasts = column(named('EWMA of 3 steps').forecasts(values, task, 50), 0);
    const keep = Math.exp(-1 / 3);
    const expected =
      keep ** 100 * values[0]! + values.slice(1, 101).reduce((sum, y, i) => sum + (1 - keep) * keep ** (99 - i) * y, 0);
    expect(forecasts[100]).toBeCloseTo(expected, 10);
  });

  test('Holt is the recursion with the constants of its grid that err least before the evaluation', () => {
    const forecasts = column(named('Holt').forecasts(values, task, 60), 1);
    const tried = [0.05, 0.1, 0.2, 0.4, 0.8].flatMap((alpha) =>
      [0.001, 0.01, 0.05, 0.2].map((beta) => {
        const one = holtReference([...values], alpha, beta, 1);
        const error = one.slice(0, 59).reduce((sum, f, t) => sum + (f - values[t + 1]!) ** 2, 0);
        return { alpha, beta, error };
      }),
    );
    const { alpha, beta } = tried.reduce((a, b) => (b.error < a.error ? b : a));
    for (const [t, f] of holtReference([...values], alpha, beta, 6).entries()) expect(forecasts[t]).toBeCloseTo(f, 9);
  });

  test("Kalman's filter with Dynamo's constants is that of its matrices", () => {
    const forecasts = column(named('Kalman (Dynamo)').forecasts(values, task, 60), 1);
    for (const [t, f] of kalmanReference([...values], 0.1, 10, 6).entries()) expect(forecasts[t]).toBeCloseTo(f, 9);
  });

  test.each(baselines.map(({ name }) => name))('%s does not look ahead', (name) => {
    const changed = values.map((value, t) => (t > 120 ? 3 * value : value));
    const [before, after] = [values, changed].map((series) => named(name).forecasts(series, task, 60));
    expect(before!.slice(0, 242)).toEqual(after!.slice(0, 242));
    expect(before).not.toEqual(after);
  });
});
