/** Advice about models with one fault each, and what its figures are. */
import { describe, expect, test } from 'vitest';
import { channelEqualization, narma, rowsOf } from '../../src/datasets/index.js';
import {
  delays,
  diagnose,
  Esn,
  type EsnOptions,
  type Matrix,
  matrix,
  RecursiveLeastSquares,
  Reservoir,
  Ridge,
} from '../../src/index.js';
import { RandomNumbers } from '../../src/random/index.js';

const { inputs: x, targets: y } = narma(2000, { seed: 1 });
const network = { units: 100, inputs: 1, inputScaling: 0.3, biasScaling: 0.3, seed: 0 };
const good: EsnOptions = { network, washout: 200, readout: { ridge: 1e-10 } };
const adviceFor = (options: EsnOptions, data: { x: Matrix; y?: Matrix } = { x, y }) => {
  using esn = new Esn(options).fit(data.x, data.y);
  return diagnose(esn, data);
};

test('nothing is said of a model that stands well', () => {
  const channel = channelEqualization(2000, { seed: 1 });
  const options = { ...good, network: { ...network, inputScaling: 0.05 }, readout: { ridge: 1e-6 } };
  const { advice, figures } = adviceFor(options, { x: channel.inputs, y: channel.targets });
  expect(advice).toEqual([]);
  expect(figures.testError).toBeLessThan(0.1);
});

test('delays lower the error where errors resemble each other, as the advice says', () => {
  const { advice, figures } = adviceFor(good);
  expect(advice).toHaveLength(1);
  expect(advice[0]).toContain('the features delays(10)');
  const changed = adviceFor({ ...good, features: ['states', 'inputs', delays(10)] });
  expect(changed.figures.testError).toBeLessThan(figures.testError);
});

describe('each fault is told with what to change', () => {
  test('saturated states', () => {
    const { advice } = adviceFor({ ...good, network: { ...network, inputScaling: 100 } });
    expect(advice[0]).toMatch(/^\d+ % of the states lie beyond ±0.97, .* set inputScaling to a third/);
  });

  test('states that hardly move', () => {
    const { advice } = adviceFor({ ...good, network: { ...network, inputScaling: 1e-4, biasScaling: 0 } });
    expect(advice.join()).toMatch(/The states vary by .* set inputScaling .* times as large/);
  });

  test('a start that is not forgotten', () => {
    const { advice } = adviceFor({ ...good, washout: 2 });
    expect(advice.join()).toMatch(
      /After the washout of 2 steps two starts still differ by \d+ %: set a larger washout/,
    );
  });

  test('a ridge that is too large', () => {
    const { advice, figures } = adviceFor({ ...good, readout: { ridge: 1 } });
    expect(advice.join()).toContain(`Ridge ${figures.bestRidge} leaves`);
    expect(figures.bestRidge).toBeLessThan(1e-3);
  });

  test('inputs of different sizes', () => {
    const random = new RandomNumbers(1, 'dataset');
    const two = matrix(
      2000,
      2,
      Float64Array.from({ length: 4000 }, (_, i) => (i % 2 ? 50 * random.normal() : x.data[i / 2]!)),
    );
    const options = { ...good, network: { ...network, inputs: 2 } };
    expect(adviceFor(options, { x: two, y }).advice[0]).toMatch(/^One input varies .* set scale to 'standard'/);
    expect(adviceFor({ ...options, scale: 'standard' }, { x: two, y }).advice.join()).not.toContain('varies');
  });

  test('more features than the rows teach', () => {
    const part = { from: 0, to: 400 };
    const { advice } = adviceFor(
      { ...good, washout: 100, network: { ...network, units: 200 } },
      { x: rowsOf(x, part), y: rowsOf(y, part) },
    );
    expect(advice.join()).toMatch(/201 features learn 240 rows, .* give more rows, or fewer units/);
  });

  test('a slow cause that the states forget', () => {
    let level = 0;
    const slow = matrix(
      2000,
      1,
      x.data.map((u) => (level = 0.99 * level + (u - 0.25))),
    );
    const { advice } = adviceFor({ ...good, network: { ...network, units: 10, spectralRadius: 0.1 } }, { x, y: slow });
    expect(advice.join()).toContain('Each error resembles the one before');
    expect(advice.join()).toContain('of the variance is left with every ridge');
  });
});

test('figures are those of a plain computation, and the model does not change', () => {
  const esn = new Esn(good).fit(x, y);
  const before = esn.snapshot();
  const { figures } = diagnose(esn, { x, y });
  expect(esn.snapshot()).toEqual(before);
  const states = new Reservoir({ ...network, dtype: 'f64' }).run(x).data;
  const kept = [...states.subarray(199 * 100)];
  expect(figures.saturated).toBeCloseTo(kept.filter((v) => Math.abs(v) > 0.97).length / kept.length, 12);
  const deviations = Array.from({ length: 100 }, (_, k) => {
    const column = kept.filter((_, i) => i % 100 === k);
    const mean = column.reduce((sum, v) => sum + v / column.length, 0);
    return Math.sqrt(column.reduce((sum, v) => sum + (v - mean) ** 2 / column.length, 0));
  });
  expect(figures.deviation).toBeCloseTo(
    deviations.reduce((sum, v) => sum + v / 100, 0),
    9,
  );
  const split = 200 + Math.floor(0.8 * 1800);
  const other = new Esn(good).fit(rowsOf(x, { from: 0, to: split }), rowsOf(y, { from: 0, to: split }));
  const rest = { from: split, to: 2000 };
  expect(figures.testError).toBeCloseTo(1 - other.score(rowsOf(x, rest), rowsOf(y, rest)), 9);
  expect(() => diagnose(esn, { x, z: y } as never)).toThrow('Unknown option z');
  expect(() => diagnose(esn, { x, y: rowsOf(y, { from: 0, to: 9 }) })).toThrow('targets with 2000 rows');
  expect(() => diagnose(esn, { x: rowsOf(x, { from: 0, to: 210 }) })).toThrow('at least 220 rows');
  expect(() => diagnose(new Esn(good), { x, y })).toThrow('call fit first');
});

test('the errors of an online readout are in the units of the data', () => {
  const shifted = matrix(
    2000,
    1,
    x.data.map((u) => 100 + 10 * u),
  );
  const esn = new Esn({
    ...good,
    scale: 'standard',
    readout: new RecursiveLeastSquares({ ridge: 1e-4 }),
    network: { ...network, units: 20 },
  }).fit(shifted);
  const { figures } = diagnose(esn, { x: shifted });
  expect(figures.testError).toBeLessThan(1.5);
  expect(figures.trainError).toBeLessThan(1.5);
});

test('a Ridge without an intercept is compared with others without one', () => {
  const options = { ...good, readout: new Ridge({ ridge: 1e-6, intercept: false }) };
  const esn = new Esn(options).fit(x, y);
  const { figures } = diagnose(esn, { x, y });
  const split = 200 + Math.floor(0.8 * 1800);
  const rest = { from: split, to: 2000 };
  const other = new Esn(options).fit(rowsOf(x, { from: 0, to: split }), rowsOf(y, { from: 0, to: split }));
  expect(figures.testError).toBeCloseTo(1 - other.score(rowsOf(x, rest), rowsOf(y, rest)), 9);
});
