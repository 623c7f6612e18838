/**
 * Splits of series into what is trained on and what is tested on. Time is never shuffled: what is tested comes after what is trained on,
 * or in other series.
 */
import { z } from 'zod';
import { argumentError, checkOptions, checkWhole, rangeError } from '../errors/index.js';
import { asMatrix, type Matrix64, type SeriesInput } from '../numeric/index.js';
import type { Task } from './narma.js';

/** Rows `from` to `to` - 1 of a series. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** What is trained on and what is tested on. */
export interface Split<Part> {
  readonly train: Part;
  readonly test: Part;
}

/** Rows of a series as a matrix; a Float64Array is viewed, not copied. */
export function rowsOf(series: SeriesInput, { from, to }: RowRange): Matrix64 {
  const { rows, cols, data } = asMatrix(series, 'series');
  checkWhole(from, 'from', 0, rows);
  checkWhole(to, 'to', from, rows);
  return { rows: to - from, cols, data: data.subarray(from * cols, to * cols) };
}

/**
 * The first rows of a series to train on, the rest to test on.
 *
 * `test` is a share of the rows in (0, 1), rounded to whole rows, or a whole number of rows. Default 0.2.
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT, also where a part would have no row.
 */
export function trainTestSplit(series: SeriesInput, options: { test?: number | undefined } = {}): Split<Matrix64> {
  const { test } = checkOptions(trainTestSchema, options, 'trainTestSplit');
  const whole = asMatrix(series, 'series');
  const tested = test < 1 ? Math.round(test * whole.rows) : test;
  if (!(tested >= 1 && tested < whole.rows)) {
    throw rangeError(`rows for both parts of a series of ${whole.rows}`, 'test', test);
  }
  const at = whole.rows - tested;
  return { train: rowsOf(whole, { from: 0, to: at }), test: rowsOf(whole, { from: at, to: whole.rows }) };
}

const trainTestSchema = z.object({
  test: z
    .number()
    .gt(0)
    .refine((test) => test < 1 || Number.isInteger(test))
    .default(0.2)
    .describe('a share in (0, 1) or a whole number of rows'),
});

/**
 * A series and itself `horizon` steps later: row t of `targets` is row t + horizon of the series.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a horizon that leaves no row.
 */
export function toForecasting(series: SeriesInput, horizon = 1): Task {
  const whole = asMatrix(series, 'series');
  checkWhole(horizon, 'horizon', 1, Math.max(1, whole.rows - 1));
  return {
    inputs: rowsOf(whole, { from: 0, to: whole.rows - horizon }),
    targets: rowsOf(whole, { from: horizon, to: whole.rows }),
  };
}

/** Options of walkForward: how many splits, and the rows of each. */
export interface WalkForwardOptions {
  /** Splits, 1 or more. Default 5. */
  folds?: number | undefined;
  /** Rows that each split tests. Default: steps / (folds + 1), rounded down. */
  testSteps?: number | undefined;
  /** Rows between training and test that are left out, for targets which reach into the future. Default 0. */
  gap?: number | undefined;
  /** Most rows to train on: the window that moves along. Default: all rows before the gap. */
  trainSteps?: number | undefined;
}

const walkForwardSchema = z.object({
  folds: z.int().min(1).default(5).describe('a whole number, 1 or more'),
  testSteps: z.int().min(1).optional().describe('a whole number of rows, 1 or more'),
  gap: z.int().min(0).default(0).describe('a whole number of rows, 0 or more'),
  trainSteps: z.int().min(1).optional().describe('a whole number of rows, 1 or more'),
});

/**
 * Walk-forward splits of a series of so many steps: each tests the rows after those it trains on, and the tests follow each other to the
 * end of the series.
 *
 *     fold k tests rows [n - (K - k) s, n - (K - k - 1) s) and trains on rows before them less `gap`          k = 0 .. K-1, s testSteps
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option, or where the first fold has no row to train on.
 * Source: Bergmeir & Benítez (2012), "On the use of cross-validation for time series predictor evaluation", Information Sciences 191.
 */
export function walkForward(steps: number, options: WalkForwardOptions = {}): Split<RowRange>[] {
  checkWhole(steps, 'steps', 2);
  const { folds, gap, trainSteps, ...given } = checkOptions(walkForwardSchema, options, 'walkForward');
  const tested = given.testSteps ?? Math.floor(steps / (folds + 1));
  const first = steps - folds * tested - gap;
  if (tested < 1 || first < 1) {
    throw rangeError(`at most ${steps - 1} rows in all tests and the gap`, 'folds', folds);
  }
  return Array.from({ length: folds }, (_, k) => {
    const from = steps - (folds - k) * tested;
    const end = from - gap;
    return { train: { from: Math.max(0, end - (trainSteps ?? end)), to: end }, test: { from, to: from + tested } };
  });
}

/**
 * Splits of many series by groups (speakers, machines): all series of a group are in the same test. Groups go to the fold that has the
 * fewest series yet, the largest groups first.
 *
 * Returns, for each fold, indices of the series to train on and of those to test on.
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT where there are fewer groups than folds.
 */
export function groupFolds(groups: readonly (string | number)[], folds = 5): Split<number[]>[] {
  if (!Array.isArray(groups)) throw argumentError('an array of groups', 'groups', groups);
  const members = grouped(groups);
  checkWhole(folds, 'folds', 2, Math.max(2, members.size));
  if (members.size < folds) throw rangeError(`at least ${folds} groups (folds)`, 'groups', members.size);
  const tests = Array.from({ length: folds }, () => [] as number[]);
  for (const group of [...members.values()].sort((a, b) => b.length - a.length)) {
    tests.reduce((least, one) => (one.length < least.length ? one : least)).push(...group);
  }
  return tests.map((test) => {
    const tested = new Set(test);
    return { train: [...groups.keys()].filter((i) => !tested.has(i)), test: test.toSorted((a, b) => a - b) };
  });
}

function grouped(groups: readonly (string | number)[]): Map<string | number, number[]> {
  const members = new Map<string | number, number[]>();
  groups.forEach((group, i) => {
    const known = members.get(group);
    if (known === undefined) members.set(group, [i]);
    else known.push(i);
  });
  return members;
}
