// Golden numbers of reservoirpy 0.4.2; its nrmse 'var' divides by the variance, ours by the deviation.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mae, mse, nrmse, r2, rmse, validTime } from '../../src/scores/index.js';
import { sharedText, skipped } from '../shared-files.js';

const text = sharedText('golden/reservoirpy-metrics.json');

test.skipIf(text === null)(`${skipped(text)}errors are those of reservoirpy`, () => {
  const golden = JSON.parse(text!);
  const [right, out] = [golden.y_true as number[][], golden.y_pred as number[][]];
  expect(mse(right, out)).toBeCloseTo(golden.mse, 15);
  expect(rmse(right, out)).toBeCloseTo(golden.rmse, 15);
  expect(mae(right, out)).toBeCloseTo(golden.mae, 15);
  expect(r2(right, out)).toBeCloseTo(golden.rsquare, 14);
  expect(nrmse(right, out, { normalizer: 'range' })).toBeCloseTo(golden.nrmse_minmax, 15);
  expect(nrmse(right, out, { normalizer: 'mean' })).toBeCloseTo(golden.nrmse_mean, 13);
  expect(nrmse(right, out, { normalizer: 'quartiles' })).toBeCloseTo(golden.nrmse_q1q3, 15);
  const deviation = golden.rmse / golden.nrmse_var;
  expect(nrmse(right, out, { normalizer: 'deviation' })).toBeCloseTo(golden.rmse / Math.sqrt(deviation), 14);
});

test('the square of nrmse by deviation is 1 - r2, and a number divides as it is', () => {
  const pairs = fc.array(
    fc.tuple(fc.double({ min: -10, max: 10, noNaN: true }), fc.double({ min: -10, max: 10, noNaN: true })),
    {
      minLength: 2,
    },
  );
  fc.assert(
    fc.property(pairs, (both) => {
      const [right, out] = [both.map(([a]) => a), both.map(([, b]) => b)];
      fc.pre(Math.max(...right) - Math.min(...right) > 1e-3);
      const square = nrmse(right, out, { normalizer: 'deviation' }) ** 2;
      // Beside 1: the subtraction of a score near 1 leaves no more digits than that.
      expect(Math.abs(1 - r2(right, out) - square)).toBeLessThanOrEqual(1e-14 * (1 + square));
      expect(nrmse(right, out, { normalizer: 2 })).toBe(rmse(right, out) / 2);
    }),
  );
});

test('the normaliser must be named, and constant targets are refused', () => {
  expect(() => nrmse([1, 2], [1, 2], {} as never)).toThrow(
    "'deviation', 'range', 'mean', 'quartiles' or a number above 0",
  );
  expect(() => nrmse([1, 1], [1, 2], { normalizer: 'deviation' })).toThrow('targets whose deviation is not 0');
  expect(r2([1, 1], [1, 2])).toBe(Number.NEGATIVE_INFINITY);
  expect(() => mse([1, 2], [1])).toThrow('outputs with 2 x 1 elements (as targets) but received 1 x 1');
  expect(() => mse([], [])).toThrow('at least one row for targets');
  expect(() => mse([1, Number.NaN], [1, 1])).toThrow('finite numbers for targets (row 1, column 0)');
});

test('the valid time ends with the first row that is too far off', () => {
  const targets = Array.from({ length: 100 }, (_, t) => [Math.sin(t / 5), Math.cos(t / 5)]);
  const forecast = targets.map(([x, y], t) => [x! + (t < 40 ? 0.1 : 1), y!]);
  expect(validTime(targets, targets)).toBe(100);
  expect(validTime(targets, forecast)).toBe(40);
  expect(validTime(targets, forecast, { dt: 0.02, lyapunov: 0.9 })).toBeCloseTo(40 * 0.02 * 0.9, 14);
  expect(validTime(targets, forecast, { threshold: 0.05 })).toBe(0);
  expect(validTime(targets, forecast, { scale: 10 })).toBe(100);
  expect(validTime(targets, targets.slice(0, 30))).toBe(30);
});

test('a forecast that becomes infinite is valid up to there at most', () => {
  const targets = Array.from({ length: 10 }, (_, t) => t);
  const data = Float64Array.from(targets, (t) => (t < 6 ? t : Number.NaN));
  const infinite = data.map((value) => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value));
  for (const values of [data, infinite]) {
    const list = [...values];
    const kinds = [{ rows: 10, cols: 1, data: values }, values, Float32Array.from(values), list, list.map((x) => [x])];
    for (const forecast of kinds) expect(validTime(targets, forecast)).toBe(6);
  }
  const pairs = targets.map((t) => [t, t < 6 ? t : Number.NaN]);
  expect(
    validTime(
      targets.map((t) => [t, t]),
      pairs,
    ),
  ).toBe(6);
  expect(validTime(targets, [Number.NaN, ...targets])).toBe(0);
  for (const wrong of [null, undefined, 'x', ['x']] as unknown as number[][]) {
    expect(() => validTime(targets, wrong)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' }));
    expect(() => validTime(wrong, targets)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' }));
  }
  expect(() => validTime(targets, [...targets, 10])).toThrow('at most 10 rows (as targets)');
  expect(() => validTime([1, 1], [1, 1])).toThrow('targets that change, or a scale');
});
