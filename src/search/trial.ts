/**
 * Trials of a candidate: one run of its network over the data, whose states all ridges and sets of features share.
 *
 *     one series      rows before each test are added to what was learned, each ridge solved, the test scored: walk forward
 *     many series     a triangular factor a fold; each fold is scored by the readout of all others (Ridge.validate)
 */

import { isDtesnError, shapeError } from '../errors/index.js';
import { type EsnOptions, forecastErrorAsync, type Rehearsal, scaled, scalingOf, varianceOf } from '../esn/index.js';
import { type Floats, type LongRunOptions, sharedFloats } from '../native/index.js';
import { type DrawnReservoirOptions, type Feature, Featured, type Network, Reservoir } from '../network/index.js';
import { checkMemory, matrix } from '../numeric/index.js';
import { type LinearReadout, LinearReadout as Readout, Ridge } from '../readout/index.js';
import { firstForecast, type SearchData64 } from './search-data.js';
import type { EvaluationRun } from './search-run.js';
import { WalkErrors } from './walk-errors.js';

type TrialOptions = EsnOptions & { network: DrawnReservoirOptions };

/** Places of each test from which forecasts start, at most. */
const MOST_STARTS = 16;

export class EsnTrials {
  readonly #data: SearchData64;
  readonly #ridges: readonly number[];
  readonly #sets: readonly (readonly Feature[])[];

  constructor(data: SearchData64, ridges: readonly number[], sets: readonly (readonly Feature[])[]) {
    this.#data = data;
    this.#ridges = ridges;
    this.#sets = sets;
  }

  /** The score of each set of features with each ridge; null where the features are dependent. */
  async scores(options: TrialOptions, { budgetShare, signal }: EvaluationRun): Promise<(number | null)[]> {
    const { network, washout = 0, scale = 'none' } = options;
    const run = { signal };
    const reservoir = await Reservoir.constructAsync(network, run);
    const { featured, columns } = unionOf(reservoir, this.#sets);
    try {
      const series = inUnits(this.#data, scale, featured);
      const trial = { data: this.#data, series, ridges: this.#ridges, featured, columns, washout, share: budgetShare };
      const scores = await (this.#data.walks === null ? overFolds(trial, run) : walkForwards(trial, run));
      return scores.map((score) => (Number.isFinite(score) ? score : null));
    } finally {
      featured.close();
      reservoir.close();
    }
  }
}

interface Trial {
  data: SearchData64;
  series: readonly { x: Floats; y: Float64Array; rows: number }[];
  ridges: readonly number[];
  /** The network whose rows have the features of all sets. */
  featured: Network;
  /** Columns of each set; null where there is one set. */
  columns: readonly (readonly number[])[] | [null];
  washout: number;
  share: number;
}

/** One network for all sets: the features of any of them, each once. */
function unionOf(network: Network, sets: readonly (readonly Feature[])[]) {
  if (sets.length === 1) {
    return { featured: new Featured({ network, features: sets[0]! }), columns: [null] as [null] };
  }
  const places = new Map<string, readonly number[]>();
  const features: Feature[] = [];
  let size = 0;
  for (const feature of sets.flat()) {
    const key = JSON.stringify(feature);
    if (places.has(key)) continue;
    features.push(feature);
    const alone = new Featured({ network, features: [feature] });
    const from = size;
    places.set(
      key,
      Array.from({ length: alone.featureSize }, (_, i) => from + i),
    );
    size += alone.featureSize;
    alone.close();
  }
  const columns = sets.map((set) => set.flatMap((feature) => places.get(JSON.stringify(feature))!));
  return { featured: new Featured({ network, features }), columns };
}

/** Inputs in the units and the dtype of the network; the next rows in the same units. */
function inUnits({ series, inputs, horizon }: SearchData64, scale: 'none' | 'standard' | 'range', { dtype }: Network) {
  if (scale === 'none') {
    return series.map(({ x, y, rows }) => ({ x: dtype === 'f64' ? x : filled(dtype, x), y, rows }));
  }
  const all = series.map(({ x }) => x);
  const scaling = scalingOf(scale, all, inputs);
  const fresh = (kind: 'f32' | 'f64', values: Float64Array) =>
    scaled(values, scaling, sharedFloats(kind, values.length), inputs);
  return series.map(({ x, y, rows }): Trial['series'][number] => ({
    ...{ x: fresh(dtype, x), rows },
    y: horizon > 1 ? (fresh('f64', y) as Float64Array) : y,
  }));
}

function filled(dtype: 'f32' | 'f64', values: Float64Array): Floats {
  const copy = sharedFloats(dtype, values.length);
  copy.set(values);
  return copy;
}

async function walkForwards(trial: Trial, run: LongRunOptions): Promise<number[]> {
  const { data, series, featured, columns } = trial;
  const [one] = series as [Trial['series'][number]];
  const places = data.horizon > 1 ? placesOf(data) : [];
  const { rows, states } = await statesOf(featured, one, places, run);
  const scores: number[] = [];
  for (const set of columns) {
    const width = set?.length ?? featured.featureSize;
    const features = set === null ? rows : gathered(rows, set, featured);
    const of = { ...trial, y: one.y, features, width };
    const forecasts = (test: number, readout: LinearReadout) => {
      const rehearsal = rehearsalOf(trial, one, places[test]!, states);
      return forecastErrorAsync(rehearsal, set === null ? readout : widened(readout, set, featured.featureSize), run);
    };
    scores.push(...(await walk(of, data.horizon > 1 ? forecasts : null, run)));
  }
  return scores;
}

/** A set of features of every row, and the targets. */
interface WalkedSet {
  features: Floats;
  width: number;
  y: Float64Array;
}

/** Errors of each ridge with one set of features. */
async function walk(
  { data, ridges, features, width, washout, share, y }: Trial & WalkedSet,
  forecasts: ((test: number, readout: LinearReadout) => Promise<number>) | null,
  run: LongRunOptions,
): Promise<number[]> {
  const { outputs } = data;
  const errors = new WalkErrors(ridges.length, outputs);
  let ridge: Ridge | null = null;
  let learned = { from: 0, to: 0 };
  for (const [k, { train, test }] of data.walks!.entries()) {
    const from = Math.max(washout, train.to - Math.ceil(share * (train.to - train.from)));
    if (from >= train.to) throw shapeError(`more than ${washout} rows to train on (washout)`, train.to);
    const goesOn: boolean = ridge !== null && learned.from === from && learned.to <= train.to;
    if (!goesOn) {
      ridge?.close();
      ridge = new Ridge({ states: width, outputs });
    }
    const first = goesOn ? learned.to : from;
    const rows = matrix(train.to - first, width, features.subarray(first * width, train.to * width));
    const wanted = matrix(train.to - first, outputs, y.subarray(first * outputs, train.to * outputs));
    if (first < train.to) await ridge!.addAsync(rows, wanted, undefined, run);
    learned = { from, to: train.to };
    errors.test(y.subarray(test.from * outputs, test.to * outputs));
    for (const [r, value] of ridges.entries()) {
      const readout: LinearReadout | null = await ridge!.solveAsync(value, run).catch(unlessSingular);
      if (readout === null) errors.fail(r);
      else if (forecasts !== null) errors.forecast(r, await forecasts(k, readout));
      else
        errors.add(
          r,
          readout,
          features.subarray(test.from * width, test.to * width),
          y.subarray(test.from * outputs, test.to * outputs),
        );
    }
  }
  ridge?.close();
  return errors.scores(forecasts !== null);
}

function unlessSingular(error: unknown): null {
  if (isDtesnError(error) && error.code === 'ERR_DTESN_SINGULAR') return null;
  throw error;
}

/** Features of every row, and the states at some places. */
async function statesOf(
  network: Network,
  { x, rows }: Trial['series'][number],
  tests: number[][],
  run: LongRunOptions,
) {
  const { inputs, featureSize, dtype } = network;
  checkMemory(rows * featureSize * (dtype === 'f64' ? 8 : 4), `features of ${rows} rows`);
  const out = sharedFloats(dtype, rows * featureSize);
  const states = new Map<number, Floats>();
  const state = network.createState();
  let before = 0;
  for (const place of [...new Set([...tests.flat(), rows])].sort((a, b) => a - b)) {
    const [some, into] = [
      x.subarray(before * inputs, place * inputs),
      out.subarray(before * featureSize, place * featureSize),
    ];
    if (place > before) await network.runAsync(some, { state, out: into, ...run });
    states.set(place, state.data.slice());
    before = place;
  }
  state.close();
  return { rows: out, states };
}

/** Where the forecasts of each test start: after so many rows. */
function placesOf({ walks, horizon }: SearchData64): number[][] {
  return walks!.map(({ test }) => {
    const from = firstForecast(test);
    const room = test.to - from - horizon;
    const starts = Math.min(MOST_STARTS, room + 1);
    return Array.from({ length: starts }, (_, i) => from + (starts === 1 ? 0 : Math.round((i * room) / (starts - 1))));
  });
}

function rehearsalOf(
  { data: { horizon, outputs }, featured }: Trial,
  { x, y }: Trial['series'][number],
  places: readonly number[],
  states: ReadonlyMap<number, Floats>,
): Rehearsal {
  const all = sharedFloats(featured.dtype, places.length * featured.stateSize);
  for (const [i, place] of places.entries()) all.set(states.get(place)!, i * featured.stateSize);
  return {
    ...{ network: featured, steps: horizon, states: all, variance: varianceOf([x], outputs) },
    // Row t of y is row t + 1 of x.
    following: places.map((place) => y.subarray((place - 1) * outputs, (place - 1 + horizon) * outputs)),
  };
}

function gathered(rows: Floats, columns: readonly number[], { featureSize, dtype }: Network): Floats {
  const steps = rows.length / featureSize;
  const out = sharedFloats(dtype, steps * columns.length);
  for (let t = 0; t < steps; t++) {
    for (let k = 0; k < columns.length; k++) out[t * columns.length + k] = rows[t * featureSize + columns[k]!]!;
  }
  return out;
}

/** The same readout of rows with more columns. */
function widened(
  { weights, bias, outputs }: LinearReadout,
  columns: readonly number[],
  features: number,
): LinearReadout {
  const wide = new Float64Array(features * outputs);
  columns.forEach((column, k) => {
    wide.set(weights.data.subarray(k * outputs, (k + 1) * outputs), column * outputs);
  });
  return new Readout({ states: features, weights: matrix(features, outputs, wide), bias });
}

async function overFolds({ data, series, ridges, featured, columns, washout, share }: Trial, run: LongRunOptions) {
  const { folds, outputs } = data;
  const count = Math.max(...folds) + 1;
  const size = (fold: number) => folds.filter((one) => one === fold).length;
  const left = Array.from({ length: count }, (_, fold) => Math.ceil(share * size(fold)));
  const sums = columns.map((set) => new Ridge({ folds: count, states: set?.length ?? featured.featureSize, outputs }));
  for (const [i, { y, ...one }] of series.entries()) {
    const fold = folds[i]!;
    if (left[fold]!-- <= 0) continue;
    if (one.rows <= washout) throw shapeError(`series with more than ${washout} rows (washout)`, one.rows);
    const { rows } = await statesOf(featured, { ...one, y }, [], run);
    const steps = one.rows - washout;
    const wanted = matrix(steps, outputs, y.subarray(washout * outputs));
    for (const [s, set] of columns.entries()) {
      const width = set?.length ?? featured.featureSize;
      const features = set === null ? rows : gathered(rows, set, featured);
      await sums[s]!.addAsync(matrix(steps, width, features.subarray(washout * width)), wanted, undefined, {
        fold,
        ...run,
      });
    }
  }
  const scores: number[] = [];
  for (const ridge of sums) {
    const { table } = await ridge.validateAsync(ridges, run);
    scores.push(...table.map(({ error }) => error));
    ridge.close();
  }
  return scores;
}
