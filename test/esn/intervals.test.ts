/** Prediction intervals: their coverage on series of four kinds, their residuals by hand. */
import { describe, expect, test } from 'vitest';
import { channelEqualization, henon, lorenz, mackeyGlass, narma, rowsOf } from '../../src/datasets/index.js';
import {
  Esn,
  type EsnOptions,
  type Matrix,
  matrix,
  PredictionIntervals,
  RecursiveLeastSquares,
  Reservoir,
  Ridge,
} from '../../src/index.js';
import { RandomNumbers } from '../../src/random/index.js';
import { coverage } from '../../src/scores/index.js';

const network = { units: 60, inputs: 1, inputScaling: 0.3, biasScaling: 0.3, seed: 1 };

function noisy({ rows, cols, data }: Matrix, deviation: number): Matrix {
  const random = new RandomNumbers(7, 'dataset', 3);
  return matrix(
    rows,
    cols,
    Float64Array.from(data, (value) => value + deviation * random.normal()),
  );
}

const train = { from: 0, to: 3000 };
const rest = { from: 3000, to: 6000 };
const steps = 6000;
const next = (series: Matrix) => ({
  inputs: rowsOf(series, { from: 0, to: series.rows - 1 }),
  targets: rowsOf(series, { from: 1, to: series.rows }),
});

const tasks: [string, () => { inputs: Matrix; targets: Matrix }, Partial<EsnOptions>][] = [
  ['NARMA-10', () => narma(steps, { seed: 2 }), {}],
  [
    'an equalised channel',
    () => channelEqualization(steps, { seed: 2 }),
    { network: { ...network, inputScaling: 0.1 } },
  ],
  ['Mackey-Glass with noise', () => next(noisy(mackeyGlass(steps + 1, { discard: 200 }), 0.05)), {}],
  [
    'Lorenz with noise',
    () => next(noisy(lorenz(steps + 1, { discard: 500 }), 1)),
    { network: { ...network, inputs: 3 }, scale: 'standard' },
  ],
];

describe('intervals that are to hold 90 of 100', () => {
  test.each(tasks)('of %s hold 87 to 93 of 100 that follow', (_, task, options) => {
    const { inputs, targets } = task();
    const esn = new Esn({ network, washout: 100, readout: { ridge: 1e-6 }, ...options });
    const intervals = new PredictionIntervals({ esn }).fit(rowsOf(inputs, train), rowsOf(targets, train));
    const { mean, lower, upper } = intervals.predict(rowsOf(inputs, rest));
    const { share, width } = coverage(rowsOf(targets, rest), lower, upper);
    expect(share).toBeGreaterThan(0.87);
    expect(share).toBeLessThan(0.93);
    expect(Math.abs(intervals.measured() - 0.9)).toBeLessThan(0.03);
    expect(mean.rows).toBe(3000);
    expect(width).toBeGreaterThan(0);
  });
});

test('residuals are those of new models that have not learned the fold', () => {
  const { data } = henon(400);
  const x = Float64Array.from({ length: 400 }, (_, t) => data[2 * t]!);
  const esn = new Esn({ network: { ...network, units: 10 }, washout: 40, scale: 'standard', readout: { ridge: 1e-4 } });
  const found = new PredictionIntervals({ esn, folds: 3 }).fit(x).residuals();
  const mean = x.reduce((sum, v) => sum + v / 400, 0);
  const deviation = Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2 / 400, 0));
  const scaled = x.map((v) => (v - mean) / deviation);
  const states = new Reservoir({ ...network, units: 10, dtype: 'f64' }).run(scaled);
  const row = (t: number) => [...states.data.slice(10 * t, 10 * t + 10), scaled[t]!];
  const places = [40, 159, 279, 399];
  const left = [0, 1, 2].flatMap((fold) => {
    const isOwn = (t: number) => t >= places[fold]! && t < places[fold + 1]!;
    const all = Array.from({ length: 359 }, (_, i) => 40 + i);
    const others = all.filter((t) => !isOwn(t));
    const readout = new Ridge({ ridge: 1e-4 })
      .add(
        others.map(row),
        others.map((t) => scaled[t + 1]!),
      )
      .solve();
    return all.filter(isOwn).map((t) => (scaled[t + 1]! - readout.apply([row(t)]).data[0]!) * deviation);
  });
  expect(found).toHaveLength(359);
  const worst = left.sort((a, b) => a - b).map((r, i) => Math.abs(r - found[i]!));
  expect(Math.max(...worst)).toBeLessThan(1e-9);
});

test('whole series of a list are folds, targets that are NaN do not count, and one interval an output', () => {
  const { inputs, targets } = narma(1200, { seed: 5 });
  const parts = Array.from({ length: 6 }, (_, i) => ({ from: 200 * i, to: 200 * i + 200 }));
  const two = (part: { from: number; to: number }) => {
    const { rows, data } = rowsOf(targets, part);
    return matrix(
      rows,
      2,
      Float64Array.from({ length: 2 * rows }, (_, i) =>
        i % 40 === 0 ? Number.NaN : data[i >> 1]! * (1 + 9 * (i % 2)),
      ),
    );
  };
  const esn = new Esn({ network, washout: 50, readout: { ridge: 1e-6 } });
  const intervals = new PredictionIntervals({ esn, folds: 3 }).fit(
    parts.map((part) => rowsOf(inputs, part)),
    parts.map(two),
  );
  const [first, second] = [intervals.residuals(0), intervals.residuals(1)];
  expect(first).toHaveLength(second.length - 6 * 7);
  expect(second.at(-1)! / first.at(-1)!).toBeGreaterThan(5);
  const { lower, upper, mean } = intervals.predict(rowsOf(inputs, parts[0]!), { coverage: 0.5, state: 'reset' });
  expect([lower.cols, upper.cols, mean.cols]).toEqual([2, 2, 2]);
  expect(upper.data[1]! - lower.data[1]!).toBeGreaterThan(5 * (upper.data[0]! - lower.data[0]!));
});

test('targets may be of any kind that fit takes', () => {
  const { inputs, targets } = narma(300, { seed: 5 });
  const esn = new Esn({ network, washout: 50, readout: { ridge: 1e-6 } });
  const wide = { ...targets, data: Float64Array.from(targets.data) };
  const kinds = [wide, wide.data, [...wide.data], Array.from(wide.data, (y) => [y])];
  const [first, ...others] = kinds.map((y) => new PredictionIntervals({ esn, folds: 3 }).fit(inputs, y).residuals());
  expect(first).toHaveLength(250);
  for (const other of others) expect(other).toEqual(first);
});

test('what cannot be an interval is refused', () => {
  const esn = new Esn({ network, washout: 10 });
  const intervals = new PredictionIntervals({ esn, folds: 2 });
  expect(() => intervals.predict([1])).toThrow('call fit first');
  intervals.fit(Array.from({ length: 40 }, (_, t) => Math.sin(t)));
  expect(() => intervals.predict([1], { coverage: 0.99 })).toThrow('a coverage that 29 residuals can carry');
  expect(() => intervals.predict([1], { coverage: 1 })).toThrow('a number in (0, 1)');
  expect(() => intervals.residuals(1)).toThrow('an output from 0 to 0');
  expect(() => new PredictionIntervals({ esn: {} as Esn })).toThrow('an Esn for esn');
  const online = new Esn({ network, readout: new RecursiveLeastSquares({}) });
  expect(() => new PredictionIntervals({ esn: online }).fit([1, 2, 3, 4])).toThrow('a model with a Ridge');
});
