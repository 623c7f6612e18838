/** Data of a search: series and targets in f64 on shared memory, and the parts of them that are trained on and tested. */
import { createHash } from 'node:crypto';
import { groupFolds, type RowRange, type Split, walkForward } from '../datasets/index.js';
import { argumentError, checkKeys, checkWhole, rangeError, shapeError } from '../errors/index.js';
import { isList, listOf } from '../esn/index.js';
import { sharedFloats } from '../native/index.js';
import { asMatrix, columnsOf, readSeries, type SeriesInput } from '../numeric/index.js';

/**
 * What candidates are trained and tested on: a series, or a list of them, whose next row is to be forecast; or x with the targets y, where NaN
 * stands for an unknown one.
 */
export type SearchData =
  | SeriesInput
  | readonly SeriesInput[]
  | { readonly x: SeriesInput | readonly SeriesInput[]; readonly y?: SeriesInput | readonly SeriesInput[] | undefined };

/** Splits of the rows of one series, or of a list of series. */
export type SearchSplits = readonly Split<RowRange>[] | readonly Split<readonly number[]>[];

/** A series and its targets, row by row. */
export interface SearchSeries {
  x: Float64Array;
  y: Float64Array;
  rows: number;
}

/** Checked data. */
export interface SearchData64 {
  inputs: number;
  outputs: number;
  series: readonly SearchSeries[];
  /** Rows of the one series; null for a list. */
  walks: readonly Split<RowRange>[] | null;
  /** For each series of a list, the fold that tests it. */
  folds: readonly number[];
  /** Steps of forecasts in closed loop; 1 for targets of the same row. */
  horizon: number;
  /** What tells these data and splits from others. */
  identity: string;
}

const MOST_STEPS = 500;

export function readData(
  raw: SearchData,
  { splits, horizon }: { splits: SearchSplits | undefined; horizon: number | undefined },
): SearchData64 {
  const isTask = !Array.isArray(raw) && 'x' in raw;
  if (isTask) checkKeys(raw, ['x', 'y'], 'data');
  const { x, y } = isTask ? raw : { x: raw as SeriesInput | readonly SeriesInput[], y: undefined };
  const isMany = isList(x);
  const all = listOf<SeriesInput>(x as SeriesInput, isMany).map((one, i) => asMatrix(one, isMany ? `x[${i}]` : 'x'));
  const [first] = all;
  if (first === undefined) throw rangeError('at least one series', 'data', 0);
  const inputs = first.cols;
  for (const { cols } of all) if (cols !== inputs) throw shapeError(`series with ${inputs} columns`, cols);
  const targets = y === undefined ? null : listOf<SeriesInput>(y as SeriesInput, isMany);
  if (targets && targets.length !== all.length) throw shapeError(`${all.length} series of targets`, targets.length);
  const outputs = targets ? (columnsOf(targets[0]!) ?? 1) : inputs;
  const series = all.map(({ rows, data }, i): SearchSeries => {
    if (!targets && rows < 2) throw shapeError('a series with at least 2 rows', rows);
    const count = targets ? rows : rows - 1;
    const wanted = targets ? readTargets(targets[i]!, outputs) : data.subarray(inputs);
    if (wanted.length !== count * outputs) throw shapeError(`targets with ${count} rows`, wanted.length / outputs);
    return { x: onShared(data.subarray(0, count * inputs)), y: onShared(wanted), rows: count };
  });
  const walks = isMany ? null : walksOf(splits, series[0]!.rows, first.rows);
  const folds = isMany ? foldsOf(splits, series.length) : [];
  const steps = horizonOf(horizon, walks, targets === null);
  return {
    inputs,
    outputs,
    series,
    walks,
    folds,
    horizon: steps,
    identity: identityOf(series, { walks, folds, steps }),
  };
}

function readTargets(targets: SeriesInput, outputs: number): Float64Array {
  const target = { inputs: outputs, dtype: 'f64', shared: false, owner: 'this search', argument: 'y' } as const;
  return readSeries(targets, { ...target, columns: 'outputs of the first targets', nan: true }) as Float64Array;
}

/** Splits of `most` rows, of which the last one may have no target. */
function walksOf(splits: SearchSplits | undefined, rows: number, most: number): readonly Split<RowRange>[] {
  const walks = (splits ?? walkForward(rows, { folds: 3 })) as readonly Split<RowRange>[];
  if (walks.length === 0) throw rangeError('at least one split', 'splits', 0);
  for (const [i, { train, test }] of walks.entries()) {
    for (const [name, range] of Object.entries({ train, test })) {
      checkWhole(range?.from, `splits[${i}].${name}.from`, 0, rows - 1);
      checkWhole(range.to, `splits[${i}].${name}.to`, range.from + 1, most);
    }
  }
  const within = ({ from, to }: RowRange) => ({ from, to: Math.min(to, rows) });
  return walks.map(({ train, test }) => ({ train: within(train), test: within(test) }));
}

function foldsOf(splits: SearchSplits | undefined, series: number): number[] {
  if (series < 2) throw rangeError('at least 2 series in a list', 'data', series);
  const given = (splits ?? groupFolds([...new Array(series).keys()], Math.min(5, series))) as Split<
    readonly number[]
  >[];
  const folds = new Array<number>(series).fill(-1);
  given.forEach(({ test }, fold) => {
    if (!Array.isArray(test)) throw argumentError('indices of series (groupFolds)', `splits[${fold}].test`, test);
    for (const i of test as readonly number[]) {
      checkWhole(i, `splits[${fold}].test`, 0, series - 1);
      if (folds[i] !== -1) throw rangeError('each series in one test', `splits[${fold}].test`, i);
      folds[i] = fold;
    }
  });
  const untested = folds.indexOf(-1);
  if (untested >= 0) throw rangeError('each series in one test', 'splits', `none with series ${untested}`);
  if (given.length < 2) throw rangeError('at least 2 splits', 'splits', given.length);
  return folds;
}

/** The first row of a test that a forecast can give: one row comes before it. */
export function firstForecast(test: RowRange): number {
  return Math.max(1, test.from);
}

function horizonOf(horizon: number | undefined, walks: readonly Split<RowRange>[] | null, isForecast: boolean): number {
  if (walks === null || !isForecast) {
    if (horizon === undefined) return 1;
    throw rangeError('no horizon (it is for one series without targets)', 'horizon', horizon);
  }
  const most = Math.min(...walks.map(({ test }) => test.to - firstForecast(test)));
  if (horizon === undefined) return Math.max(1, Math.min(MOST_STEPS, Math.floor(most / 2)));
  return checkWhole(horizon, 'horizon', 1, most);
}

function identityOf(series: readonly SearchSeries[], splits: object): string {
  const hash = createHash('sha256');
  for (const { x, y, rows } of series)
    hash.update(`${rows} `).update(Float64Array.from(x)).update(Float64Array.from(y));
  return hash.update(JSON.stringify(splits)).digest('hex');
}

function onShared(values: Float64Array): Float64Array {
  const copy = sharedFloats('f64', values.length) as Float64Array;
  copy.set(values);
  return copy;
}
