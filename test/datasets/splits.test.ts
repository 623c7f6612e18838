import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  groupFolds,
  minMaxScaler,
  rowsOf,
  Scaler,
  standardScaler,
  toForecasting,
  trainTestSplit,
  walkForward,
} from '../../src/datasets/index.js';
import { matrix } from '../../src/numeric/index.js';

const column = (...values: number[]) => matrix(values.length, 1, values);

describe('splits', () => {
  test('the last rows are tested, by share and by number, and nothing is shuffled or copied', () => {
    const series = Float64Array.from({ length: 10 }, (_, t) => t);
    const { train, test } = trainTestSplit(series);
    expect([...train.data]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect([...test.data]).toEqual([8, 9]);
    expect(test.data.buffer).toBe(series.buffer);
    expect(trainTestSplit(series, { test: 3 }).test.rows).toBe(3);
    expect(() => trainTestSplit(series, { test: 10 })).toThrow('rows for both parts of a series of 10 for test');
    expect(() => trainTestSplit(series, { test: 0.01 })).toThrow('for test');
    expect(() => trainTestSplit(series, { test: 1.5 })).toThrow('a share in (0, 1) or a whole number of rows');
  });

  test('the targets of forecasting are the series later', () => {
    const { inputs, targets } = toForecasting(
      [
        [1, 10],
        [2, 20],
        [3, 30],
        [4, 40],
      ],
      2,
    );
    expect([inputs.rows, ...inputs.data]).toEqual([2, 1, 10, 2, 20]);
    expect([targets.rows, ...targets.data]).toEqual([2, 3, 30, 4, 40]);
    expect(() => toForecasting([1, 2], 2)).toThrow('for horizon');
  });

  test('walk-forward splits test each row at the end once, after what they train on', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 200 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 3 }),
        fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
        (steps, folds, gap, trainSteps) => {
          const testSteps = Math.floor((steps - 5) / (folds + 1));
          const splits = walkForward(steps, { folds, gap, testSteps, trainSteps });
          const tested = splits.flatMap(({ test }) =>
            Array.from({ length: test.to - test.from }, (_, i) => test.from + i),
          );
          const wanted = Array.from({ length: folds * testSteps }, (_, i) => steps - folds * testSteps + i);
          expect(tested).toEqual(wanted);
          for (const { train, test } of splits) {
            expect(train.to).toBe(test.from - gap);
            expect(train.from).toBe(trainSteps === undefined ? 0 : Math.max(0, train.to - trainSteps));
            expect(train.to).toBeGreaterThan(train.from);
          }
        },
      ),
    );
    expect(() => walkForward(10, { folds: 5, testSteps: 2 })).toThrow('at most 9 rows in all tests and the gap');
  });

  test('groups stay together, each is tested once, and folds are of similar size', () => {
    const groups = ['a', 'b', 'a', 'c', 'd', 'b', 'e', 'a', 'f'];
    const folds = groupFolds(groups, 3);
    expect(folds.flatMap(({ test }) => test).toSorted((a, b) => a - b)).toEqual([...groups.keys()]);
    for (const { train, test } of folds) {
      const of = (indices: number[]) => new Set(indices.map((i) => groups[i]));
      expect([...of(train)].filter((group) => of(test).has(group))).toEqual([]);
      expect(train.length + test.length).toBe(groups.length);
      expect(test.length).toBe(3);
    }
    expect(() => groupFolds(['a', 'b'], 3)).toThrow('for folds');
  });

  test('rows of a series are a view', () => {
    const series = matrix(3, 2, Float64Array.of(1, 2, 3, 4, 5, 6));
    const rows = rowsOf(series, { from: 1, to: 3 });
    expect([rows.rows, rows.cols, ...rows.data]).toEqual([2, 2, 3, 4, 5, 6]);
    expect(rows.data.buffer).toBe(series.data.buffer);
    expect(() => rowsOf(series, { from: 2, to: 4 })).toThrow('for to');
  });
});

describe('scalers', () => {
  const anySeries = fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 30 }))
    .chain(([cols, rows]) =>
      fc
        .array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: cols * rows, maxLength: cols * rows })
        .map((values) => matrix(rows, cols, values)),
    );

  test('inversion undoes what a scaler does', () => {
    fc.assert(
      fc.property(anySeries, fc.boolean(), (series, standard) => {
        const scaler = standard ? standardScaler(series) : minMaxScaler(series, { low: -1, high: 1 });
        const back = scaler.invert(scaler.transform(series));
        const most = Math.max(1, ...series.data.map(Math.abs));
        back.data.forEach((value, i) => {
          expect(Math.abs(value - series.data[i]!)).toBeLessThan(1e-12 * most);
        });
      }),
    );
  });

  test('columns get mean 0 and deviation 1, or the bounds that are asked for', () => {
    const series = matrix(4, 2, [1, 10, 2, 20, 3, 30, 6, 60]);
    const { data } = standardScaler(series).transform(series);
    for (const k of [0, 1]) {
      const values = [0, 1, 2, 3].map((t) => data[2 * t + k]!);
      expect(values.reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 14);
      expect(values.reduce((sum, x) => sum + x * x, 0) / 4).toBeCloseTo(1, 14);
    }
    expect([...minMaxScaler(series, { low: -1, high: 1 }).transform(series).data]).toEqual(
      [-1, -1, -0.6, -0.6, -0.2, -0.2, 1, 1].map((x) => expect.closeTo(x, 14)),
    );
  });

  test('a constant column goes to 0, or to the lower bound, and comes back', () => {
    const series = column(0.1, 0.1, 0.1);
    expect([...standardScaler(series).transform(series).data]).toEqual([0, 0, 0]);
    const bounded = minMaxScaler(series, { low: -1, high: 1 });
    expect([...bounded.transform(series).data]).toEqual([-1, -1, -1]);
    expect([...bounded.invert([-1]).data]).toEqual([expect.closeTo(0.1, 15)]);
  });

  test('a scaler is made again from its JSON', () => {
    const series = matrix(3, 2, [1, 10, 2, 20, 3, 35]);
    const scaler = standardScaler(series);
    const again = new Scaler(JSON.parse(JSON.stringify(scaler)));
    expect(again.transform(series)).toEqual(scaler.transform(series));
  });

  test('wrong series and parts are refused by name', () => {
    expect(() => standardScaler([])).toThrow('at least one row for series');
    expect(() => standardScaler([1, Number.NaN])).toThrow('finite numbers for series (row 1, column 0)');
    expect(() => standardScaler([[1, 2], [3]])).toThrow('series with 2 columns but received 1 in row 1');
    expect(() => standardScaler([1, 2]).transform([[1, 2]])).toThrow('series with 1 features');
    expect(() => new Scaler({ offset: [1], scale: [0] })).toThrow('numbers other than 0 for scale (element 0)');
    expect(() => new Scaler({ offset: [1], scale: [1, 2] })).toThrow('scale with 1 elements (as offset)');
    expect(() => minMaxScaler([1, 2], { low: 1, high: 0 })).toThrow('a number above 1 (low) for high');
  });
});
