/** Options of runs, and their checks. */
import { argumentError, checkKeys, shapeError } from '../errors/index.js';
import {
  arrayOf,
  checkView,
  type Floats,
  floats,
  type LongRunOptions,
  longRunKeys,
  requireShared,
  sharedFloats,
} from '../native/index.js';
import { type Matrix, readOut, readSeries, type SeriesInput, type SeriesTarget } from '../numeric/index.js';
import type { Network } from './network.js';
import { isState, type State } from './state.js';

/** Sums over the steps of a run, added to what they hold: featureSize elements each. */
export interface Moments {
  /** Σ x(t) */
  sum: Float64Array;
  /** Σ |x(t)| */
  magnitude: Float64Array;
}

/** Options of run: the state to start from, and memory for the features. */
export interface RunOptions {
  /** The state that the run updates. Default: the network's own. */
  state?: State;
  /** Memory for the features: steps x featureSize elements of this dtype; null to store none. Default: new memory. */
  out?: Floats | Matrix | null | undefined;
  /** Sums accumulated beside, or instead of, the features of every step. Default: none. */
  moments?: Moments | undefined;
}

/** Options of runAsync: those of run, and those of a run off the JavaScript thread. */
export interface RunAsyncOptions extends RunOptions, LongRunOptions {}

/** Options of runBatch: start states, and memory for the features of each series. */
export interface RunBatchOptions {
  /** Memory for the features of each series; null to store none. Default: new memory. */
  out?: readonly (Floats | Matrix)[] | null;
  /**
   * Start states on entry, last states on return: a State for each series, each with its own gates, or series x
   * stateSize elements, with the gates of the network's own state. Default: zeros.
   */
  states?: Floats | Matrix | readonly State[];
  /** Sums accumulated over each series beside, or instead of, its features. Default: none. */
  moments?: readonly Moments[];
}

/** Options of runBatchAsync: those of runBatch, and those of a run off the JavaScript thread. */
export interface RunBatchAsyncOptions extends RunBatchOptions, LongRunOptions {
  /** Threads that share the series. Default, and at most: those of setThreads. */
  threads?: number | undefined;
}

const runKeys = ['state', 'out', 'moments'];
const batchKeys = ['out', 'states', 'moments'];

export interface PreparedRun {
  values: Floats;
  out: Floats | null;
  state: State;
  moments: Moments | undefined;
  steps: number;
}

export interface PreparedBatch {
  values: Floats[];
  outs: Floats[] | null;
  states: Floats | State[];
  moments: readonly Moments[] | undefined;
  steps: number[];
}

/** A series and the options of a run, checked; `shared` where the run is asynchronous. */
export function prepareRun(network: Network, series: SeriesInput, options: RunOptions, shared: boolean): PreparedRun {
  checkKeys(options, shared ? [...runKeys, ...longRunKeys] : runKeys, shared ? 'runAsync' : 'run');
  const { state = network.ownState, out, moments } = options;
  checkState(network, state, 'state');
  const target = targetOf(network, shared);
  const values = readSeries(series, target);
  const steps = values.length / network.inputs;
  const rows = out === null ? null : readOut(out, steps * network.featureSize, target);
  if (moments !== undefined) checkMoments(network, moments, 'moments', shared);
  return { values, out: rows, state, moments, steps };
}

export function prepareBatch(
  network: Network,
  series: readonly SeriesInput[],
  options: RunBatchOptions,
  shared: boolean,
): PreparedBatch {
  checkKeys(
    options,
    shared ? [...batchKeys, 'threads', ...longRunKeys] : batchKeys,
    shared ? 'runBatchAsync' : 'runBatch',
  );
  if (!Array.isArray(series)) throw argumentError('an array of series', 'series', series);
  const { out, moments } = options;
  const target = targetOf(network, shared);
  const values = series.map((one, i) => readSeries(one, { ...target, argument: `series[${i}]` }));
  const steps = values.map((one) => one.length / network.inputs);
  checkCount(out, series.length, 'out');
  checkCount(moments, series.length, 'moments');
  moments?.forEach((one, i) => {
    checkMoments(network, one, `moments[${i}]`, shared);
  });
  const outs = out === null ? null : steps.map((count, i) => readOut(out?.[i], count * network.featureSize, target));
  return { values, outs, states: statesOf(network, options.states, series.length, shared), moments, steps };
}

/** The form in which this network reads a series. */
export function targetOf(network: Network, shared: boolean): SeriesTarget {
  return shared ? network.targets.shared : network.targets.own;
}

/** Made once for each network: the cost would dominate short runs. */
export function targetsOf({ inputs, dtype, owner, width }: Network): { own: SeriesTarget; shared: SeriesTarget } {
  const own = { inputs, dtype, shared: false, columns: `inputs of ${owner}`, owner, width, argument: 'series' };
  return { own, shared: { ...own, shared: true } };
}

/** An idle state of this network. */
export function checkState(network: Network, state: unknown, argument: string): asserts state is State {
  if (!isState(state)) throw argumentError('a State (network.createState())', argument, state);
  if (state.network !== network) throw argumentError(`a state of ${network.owner}`, argument, state);
  state.checkIdle();
}

/** The states of as many series, checked: State objects, or series x stateSize elements; zeros when left out. */
export function statesOf(
  network: Network,
  states: RunBatchOptions['states'],
  series: number,
  shared: boolean,
): Floats | State[] {
  const size = series * network.stateSize;
  if (states === undefined) return shared ? sharedFloats(network.dtype, size) : floats(network.dtype, size);
  if (Array.isArray(states)) {
    checkCount(states, series, 'states');
    states.forEach((state, i) => {
      checkState(network, state, `states[${i}]`);
    });
    if (new Set(states).size < series) throw argumentError('distinct states, one for each series,', 'states', states);
    return [...(states as State[])];
  }
  const given = states as Floats | Matrix;
  const view = checkView('rows' in given ? given.data : given, 'states', [arrayOf(network.dtype)]);
  if (view.length !== size) throw shapeError(`states with ${size} elements (series x ${network.width})`, view.length);
  return shared ? requireShared(view, 'states') : view;
}

function checkCount(list: readonly unknown[] | null | undefined, series: number, argument: string): void {
  if (list === undefined || list === null) return;
  if (!Array.isArray(list)) throw argumentError('an array', argument, list);
  if (list.length !== series) throw shapeError(`${argument} with ${series} elements (series)`, list.length);
}

function checkMoments({ featureSize }: Network, moments: Moments, argument: string, shared: boolean): void {
  checkKeys(moments, ['sum', 'magnitude'], argument);
  for (const key of ['sum', 'magnitude'] as const) {
    const view = checkView(moments[key], `${argument}.${key}`, ['Float64Array']);
    if (view.length !== featureSize) throw shapeError(`${argument}.${key} with ${featureSize} elements`, view.length);
    if (shared) requireShared(view, `${argument}.${key}`);
  }
}
