// First rows, row 100, last row, mean and deviation of the generators of reservoirpy 0.4.2.
import { expect, test } from 'vitest';
import {
  channelEqualization,
  henon,
  kuramotoSivashinsky,
  logisticMap,
  minMaxScaler,
  multipleSines,
  narma,
  noise,
} from '../../src/datasets/index.js';
import type { Matrix } from '../../src/numeric/index.js';
import { sharedText, skipped } from '../shared-files.js';

interface Golden {
  first: number[][];
  at100: number[];
  last: number[];
}

const text = sharedText('golden/reservoirpy-datasets.json');
const golden: Record<string, Golden> = text === null ? {} : JSON.parse(text);

const scaledSines = (steps: number, sines: number) => {
  const series = multipleSines(steps, { sines });
  return minMaxScaler(series, { low: -1, high: 1 }).transform(series);
};

test.skipIf(text === null).each([
  ['henon_500', () => henon(500), 1e-6],
  ['logistic_500', () => logisticMap(500), 1e-12],
  ['ks_300', () => kuramotoSivashinsky(300), 1e-9],
  ['mso2_300', () => scaledSines(300, 2), 1e-13],
  ['mso8_300', () => scaledSines(300, 8), 1e-13],
] as const)(`${skipped(text)}%s is that of reservoirpy`, (name, made, tolerance) => {
  const { first, at100, last } = golden[name]!;
  const { rows, cols, data }: Matrix = made();
  const compared = [...first.map((row, t) => [t, row] as const), [100, at100] as const, [rows - 1, last] as const];
  for (const [t, row] of compared) {
    row.forEach((value, i) => {
      expect(Math.abs(data[t * cols + i]! - value)).toBeLessThan(tolerance);
    });
  }
});

test('NARMA follows its definition from row to row, for the published orders', () => {
  for (const [order, alpha, beta, delta] of [
    [10, 0.3, 0.05, 0.1],
    [30, 0.2, 0.04, 0.001],
  ] as const) {
    const { inputs, targets } = narma(300, { order, seed: 3 });
    const [u, y] = [inputs.data, targets.data];
    for (let t = order; t < 300; t++) {
      let sum = 0;
      for (let i = 0; i < order; i++) sum += y[t - 1 - i]!;
      const wanted = alpha * y[t - 1]! + beta * y[t - 1]! * sum + 1.5 * u[t - order + 1]! * u[t]! + delta;
      expect(y[t]).toBeCloseTo(wanted, 14);
    }
    expect(Math.min(...u)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...u)).toBeLessThan(0.5);
  }
});

test('NARMA-10 never diverges, and equal seeds give equal series', () => {
  for (let seed = 0; seed < 100; seed++) {
    expect(Math.max(...narma(2000, { seed }).targets.data)).toBeLessThan(10);
  }
  expect(narma(100, { seed: 1 })).toEqual(narma(100, { seed: 1 }));
  expect(narma(100, { seed: 1 })).not.toEqual(narma(100, { seed: 2 }));
});

test('NARMA of another order needs its coefficients, and one that always diverges is an error', () => {
  expect(() => narma(100, { order: 20 })).toThrow('a number with order 20 (only 10 and 30 have a default) for alpha');
  expect(() => narma(100, { alpha: 1.5 })).toThrow(expect.objectContaining({ code: 'ERR_DTESN_DIVERGED' }));
});

test('noise is uniform between its bounds', () => {
  const { data, cols } = noise(20_000, { low: -0.8, high: 0.8, features: 2, seed: 1 });
  expect(cols).toBe(2);
  expect(Math.min(...data)).toBeGreaterThanOrEqual(-0.8);
  expect(Math.max(...data)).toBeLessThan(0.8);
  const variance = data.reduce((sum, x) => sum + x * x, 0) / data.length;
  expect(variance / (0.8 ** 2 / 3)).toBeCloseTo(1, 1);
  expect(() => noise(10, { low: 1, high: 1 })).toThrow('a number above 1 (low) for high');
});

// Without noise, u determines q, and q the symbols through the published response.
test('the channel mixes the symbols by its response', () => {
  const { inputs, targets } = channelEqualization(500, { signalToNoise: 300, seed: 2 });
  const weights = [0.08, -0.12, 1, 0.18, -0.1, 0.091, -0.05, 0.04, 0.03, 0.01];
  const d = targets.data;
  for (let t = 9; t < 490; t++) {
    // targets[t] is d(t - 2): d(t + 2 - k) is targets[t + 4 - k].
    const q = weights.reduce((sum, weight, k) => sum + weight * d[t + 4 - k]!, 0);
    expect(inputs.data[t]).toBeCloseTo(q + 0.036 * q ** 2 - 0.011 * q ** 3, 10);
  }
  expect(new Set(d)).toEqual(new Set([-3, -1, 1, 3]));
});

test('the noise of the channel has the power that is asked for', () => {
  const clean = channelEqualization(20_000, { signalToNoise: 300 }).inputs.data;
  const noisy = channelEqualization(20_000, { signalToNoise: 20 }).inputs.data;
  const power = noisy.reduce((sum, u, t) => sum + (u - clean[t]!) ** 2, 0) / clean.length;
  const signal =
    5 * (0.08 ** 2 + 0.12 ** 2 + 1 + 0.18 ** 2 + 0.1 ** 2 + 0.091 ** 2 + 0.05 ** 2 + 0.04 ** 2 + 0.03 ** 2 + 0.01 ** 2);
  expect(10 * Math.log10(signal / power)).toBeCloseTo(20, 0);
});

test('halving the step of Kuramoto-Sivashinsky divides its error by more than 10', () => {
  const end = (dt: number) => {
    const steps = Math.round(20 / dt) + 1;
    return kuramotoSivashinsky(steps, { points: 64, length: 22, dt }).data.slice(-64);
  };
  const exact = end(1 / 128);
  const error = (dt: number) => Math.hypot(...end(dt).map((u, i) => u - exact[i]!));
  expect(error(1 / 4)).toBeLessThan(1e-3);
  expect(error(1 / 16) / error(1 / 32)).toBeGreaterThan(10);
});

test('a Hénon orbit is given up to its last finite row, and refused from the first that is not', () => {
  const refused = (steps: number, options: object) => {
    try {
      henon(steps, options);
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const start = { start: [5, 5] };
  let finite = 1;
  while (refused(finite + 1, start) === null) finite++;
  expect(refused(finite + 1, start)).toContain(`diverges at row ${finite}`);
  expect([...henon(finite, start).data].every(Number.isFinite)).toBe(true);
  const rest = 1 - 1.4 * henon(finite, start).data.at(-2)! ** 2 + henon(finite, start).data.at(-1)!;
  expect(rest).toBe(Number.NEGATIVE_INFINITY);
  // y alone is infinite: b x overflows where x does not.
  const wide = { a: 0, b: 1e308, start: [100, 0] };
  expect([...henon(1, wide).data]).toEqual([100, 0]);
  expect(refused(2, wide)).toContain('diverges at row 1');
});

test('wrong options of maps and fields are refused by name', () => {
  expect(() => logisticMap(10, { r: 5 })).toThrow('Expected a number in (0, 4] for r but received 5');
  expect(() => henon(100, { start: [5, 5] })).toThrow(expect.objectContaining({ code: 'ERR_DTESN_DIVERGED' }));
  expect(() => kuramotoSivashinsky(10, { points: 100 })).toThrow('a power of two from 8 to 65536 for points');
  expect(() => kuramotoSivashinsky(10, { start: [1, 2] })).toThrow('start with 128 elements (points)');
  expect(() => multipleSines(10, { sines: 9 })).toThrow('for sines');
});
