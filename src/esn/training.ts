/**
 * A fit, taken apart into lessons: one for each series, or for each fold of each where there are fewer series than folds.
 *
 *     with targets     row t = features(t) -> y(t)        without     row t = features(t) -> u(t + 1)
 *
 * Without targets the last row of each series is run when its lesson is over, so that a forecast goes on from there.
 */
import { argumentError, shapeError } from '../errors/index.js';
import { type Floats, floats, sharedFloats } from '../native/index.js';
import type { Network, State } from '../network/index.js';
import { columnsOf, readSeries, type SeriesInput } from '../numeric/index.js';
import { type Lesson, readWeights } from '../readout/index.js';
import { checkAsMany, isList, listOf } from './lists.js';
import type { FitOptions } from './options.js';
import { type Scale, type Scaling, scaled, scalingOf } from './scaling.js';

export interface PlannedLesson extends Lesson {
  fold: number;
  /** Whether the state is put to rest before. */
  resets: boolean;
  /** A row to run after the lesson, or null. */
  last: Floats | null;
}

export interface Training {
  lessons: PlannedLesson[];
  outputs: number;
  total: number;
  scaling: Scaling | null;
  /** The series themselves where each gives its own next step from rest; else null. */
  own: readonly Floats[] | null;
}

export interface TrainingSetting {
  network: Network;
  ownState: State;
  washout: number;
  folds: number;
  scale: Scale;
  /** That of the fit before; null for a first one. */
  scaling: Scaling | null;
  /** Memory that asynchronous lessons read. */
  shared: boolean;
  block: Floats;
}

/** Checks series, targets and options of a fit. */
export function planTraining(
  x: SeriesInput | readonly SeriesInput[],
  y: SeriesInput | readonly SeriesInput[] | undefined,
  { weights, state }: FitOptions & Required<Pick<FitOptions, 'state'>>,
  setting: TrainingSetting,
): Training {
  const { network, ownState, washout, folds, shared, block } = setting;
  const isMany = isList(x);
  const raw = listOf<SeriesInput>(x as SeriesInput, isMany);
  const targets = y === undefined ? undefined : listOf<SeriesInput>(y as SeriesInput, isMany);
  const importance =
    weights === undefined ? undefined : listOf<ArrayLike<number>>(weights as ArrayLike<number>, isMany);
  if (targets) checkAsMany(targets, raw.length, 'targets');
  if (importance) checkAsMany(importance, raw.length, 'weights');
  const { series, scaling } = readInputs(raw, setting);
  const states = statesOf(state, raw.length, ownState);
  let outputs = 0;
  const all = series.map((values, i): Omit<PlannedLesson, 'fold'> => {
    const steps = values.length / network.inputs;
    const read = targets
      ? { values, wanted: readWanted(targets[i]!, steps, outputs, scaling, network), last: null }
      : nextRows(values, network.inputs);
    const rows = read.values.length / network.inputs;
    outputs = read.wanted.length / rows;
    if (rows <= washout) throw shapeError(`a series with more than ${washout} steps (washout)`, rows);
    const own = states?.[i] ?? ownState;
    return {
      ...{ state: own, resets: state === 'reset', series: read.values, last: read.last, steps: rows, washout, block },
      targets: shared ? copied(read.wanted, 'f64', true) : read.wanted,
      weights: readWeights(importance?.[i], rows, shared),
    } as Omit<PlannedLesson, 'fold'>;
  });
  const total = all.reduce((sum, lesson) => sum + lesson.steps, 0);
  return {
    own: targets === undefined && state === 'reset' ? series : null,
    lessons: all.length < folds ? all.flatMap((one) => split(one, folds, network.inputs)) : groups(all, folds, total),
    outputs,
    total,
    scaling,
  };
}

/** Series in the units and the dtype of the network. */
export function readInputs(
  raw: readonly SeriesInput[],
  { network, scale, scaling: known, shared }: Pick<TrainingSetting, 'network' | 'scale' | 'scaling' | 'shared'>,
): { series: Floats[]; scaling: Scaling | null } {
  const { inputs, dtype, owner } = network;
  if (scale === 'none' && raw.length === 1 && !shared) return { series: [network.seriesOf(raw[0]!)], scaling: null };
  const target = { inputs, shared: false, owner, columns: `inputs of ${owner}` };
  const named = (i: number) => (raw.length > 1 ? `series[${i}]` : 'series');
  if (scale === 'none') {
    const series = raw.map((one, i) => readSeries(one, { ...target, dtype, argument: named(i) }));
    return { series: shared ? series.map((one) => onShared(one, dtype)) : series, scaling: null };
  }
  const wide = raw.map((one, i) => readSeries(one, { ...target, dtype: 'f64', argument: named(i) }));
  const scaling = known ?? scalingOf(scale, wide, inputs);
  return { series: wide.map((one) => scaled(one, scaling, fresh(dtype, one.length, shared), inputs)), scaling };
}

/** Targets in the units that are fed back, where they can be; NaN stands for an unknown one. */
export function readWanted(
  targets: SeriesInput,
  steps: number,
  known: number,
  scaling: Scaling | null,
  network: Network,
): Float64Array {
  const columns = columnsOf(targets) ?? (targets as Floats)?.length / steps;
  const outputs = known || (Number.isInteger(columns) && columns > 0 ? columns : 1);
  const target = { inputs: outputs, dtype: 'f64', shared: false, owner: 'this model', argument: 'targets' } as const;
  const read = readSeries(targets, { ...target, columns: 'outputs of this model', nan: true }) as Float64Array;
  if (read.length !== steps * outputs)
    throw shapeError(`targets with ${steps} steps (of the series)`, read.length / outputs);
  if (scaling === null || outputs > network.inputs) return read;
  return scaled(read, scaling, new Float64Array(read.length), outputs) as Float64Array;
}

export function statesOf(policy: FitOptions['state'], series: number, ownState: State): readonly State[] | null {
  if (policy === 'reset' || policy === 'carry') return null;
  const states = Array.isArray(policy) ? (policy as readonly State[]) : [policy as State];
  checkAsMany(states, series, 'state');
  for (const state of states) {
    if (state?.network !== ownState.network)
      throw argumentError("'reset', 'carry' or states of this model", 'state', state);
    state.checkIdle();
  }
  return states;
}

/** The rows but the last, the row after each of them, and the last. */
function nextRows(values: Floats, inputs: number) {
  if (values.length < 2 * inputs) throw shapeError('a series with at least 2 steps', values.length / inputs);
  const wanted = Float64Array.from(values.subarray(inputs));
  return { values: values.subarray(0, -inputs), wanted, last: values.subarray(-inputs) };
}

/** A series in as many pieces as there are folds, or in fewer where it has not so many steps. */
function split(lesson: Omit<PlannedLesson, 'fold'>, folds: number, inputs: number): PlannedLesson[] {
  const { steps, washout, series, targets, weights, last, resets } = lesson;
  const outputs = targets.length / steps;
  const place = (fold: number) => washout + Math.floor((fold * (steps - washout)) / folds);
  const pieces = Array.from({ length: folds }, (_, fold) => ({
    fold,
    from: fold === 0 ? 0 : place(fold),
    to: place(fold + 1),
  })).filter(({ from, to }) => from < to);
  return pieces.map(({ fold, from, to }, i) => {
    return {
      ...lesson,
      ...{ fold, steps: to - from, washout: i === 0 ? washout : 0, resets: resets && i === 0 },
      series: series.subarray(from * inputs, to * inputs),
      targets: targets.subarray(from * outputs, to * outputs),
      weights: weights?.subarray(from, to) ?? null,
      last: i === pieces.length - 1 ? last : null,
    };
  });
}

/** Whole series as the groups of folds of about as many steps. */
function groups(lessons: Omit<PlannedLesson, 'fold'>[], folds: number, total: number): PlannedLesson[] {
  let before = 0;
  return lessons.map((lesson) => {
    const middle = before + lesson.steps / 2;
    before += lesson.steps;
    return { ...lesson, fold: Math.min(folds - 1, Math.floor((middle * folds) / total)) };
  });
}

function fresh(dtype: 'f32' | 'f64', length: number, shared: boolean): Floats {
  return shared ? sharedFloats(dtype, length) : floats(dtype, length);
}

function copied(values: Floats, dtype: 'f32' | 'f64', shared: boolean): Float64Array {
  const copy = fresh(dtype, values.length, shared);
  copy.set(values);
  return copy as Float64Array;
}

function onShared(values: Floats, dtype: 'f32' | 'f64'): Floats {
  return values.buffer instanceof SharedArrayBuffer ? values : copied(values, dtype, true);
}
