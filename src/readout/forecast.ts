/**
 * Starts of forecasts, and their checks.
 *
 *     starts     State objects that a trained network has run on, or rows of states and of the first inputs
 *     last       the output that is fed back first, one row a start; native code replaces it with the newest one
 */
import { argumentError, checkKeys, checkWhole, DtesnError, shapeError } from '../errors/index.js';
import { type Floats, floats, type LongRunOptions, sharedFloats } from '../native/index.js';
import { type Network, type State, statesOf } from '../network/index.js';
import { type Matrix, matrix, readSeries, type SeriesInput } from '../numeric/index.js';

/** Options of forecast: the state that it continues. */
export interface ForecastOptions {
  /** The state that the forecast continues. Default: the network's own. */
  state?: State;
}

/** Options of forecastAsync: those of forecast, and those of a run off the JavaScript thread. */
export interface ForecastAsyncOptions extends ForecastOptions, LongRunOptions {}

/** Options of forecastBatchAsync: those of a run off the JavaScript thread, and its threads. */
export interface ForecastBatchAsyncOptions extends LongRunOptions {
  /** Threads that share the starts. Default, and at most: those of setThreads. */
  threads?: number | undefined;
}

/** Starts without State objects, with the gates of the network's own state. */
export interface ForecastRows {
  /** starts x stateSize: the states, updated in place. */
  states: Floats | Matrix;
  /** starts x inputs: the first input of each, the output of the readout at that state. */
  inputs: SeriesInput;
}

/**
 * Where forecasts start: State objects that the trained network has run on, or rows of states and of the first inputs.
 */
export type ForecastStarts = readonly State[] | ForecastRows;

export interface PreparedStarts {
  states: Floats | State[];
  last: Float64Array;
  /** starts x steps x outputs */
  out: Float64Array;
  /** Steps done, one a start. */
  done: Float64Array;
}

export function checkSteps(steps: number): void {
  checkWhole(steps, 'steps', 0);
}

/** Zeros of f64, on shared memory for asynchronous runs. */
export function numbers(length: number, shared: boolean): Float64Array {
  return (shared ? sharedFloats('f64', length) : floats('f64', length)) as Float64Array;
}

/** The starts of a batch; `lastOf` returns the last output of a state, or throws. */
export function prepareStarts(
  network: Network,
  starts: ForecastStarts,
  steps: number,
  shared: boolean,
  lastOf: (state: State) => Float64Array,
): PreparedStarts {
  checkSteps(steps);
  const outputs = network.inputs;
  const [states, first] = Array.isArray(starts)
    ? ofStates(network, starts as readonly State[], shared, lastOf)
    : ofRows(network, starts as ForecastRows, shared);
  const last = numbers(first.length, shared);
  last.set(first);
  const count = first.length / outputs;
  return { states, last, out: numbers(count * steps * outputs, shared), done: numbers(count, shared) };
}

/** The forecasts of a batch: each has the rows before it became infinite or NaN. */
export function forecastsOf({ out, done }: PreparedStarts, steps: number, outputs: number): Matrix[] {
  return Array.from(done, (rows, start) => {
    const from = start * steps * outputs;
    return matrix(rows, outputs, out.subarray(from, from + rows * outputs));
  });
}

export function diverged(step: number, data: Float64Array, outputs: number): DtesnError {
  const cause = matrix(step, outputs, data.slice(0, step * outputs));
  return new DtesnError('ERR_DTESN_DIVERGED', `The forecast became infinite or NaN at step ${step}`, { cause });
}

function ofStates(
  network: Network,
  starts: readonly State[],
  shared: boolean,
  lastOf: (state: State) => Float64Array,
): [State[], Float64Array] {
  const states = statesOf(network, starts, starts.length, shared) as State[];
  const first = new Float64Array(states.length * network.inputs);
  states.forEach((state, i) => {
    first.set(lastOf(state), i * network.inputs);
  });
  return [states, first];
}

function ofRows(network: Network, starts: ForecastRows, shared: boolean): [Floats, Floats] {
  if (typeof starts !== 'object' || starts === null) {
    throw argumentError('an array of States or { states, inputs }', 'starts', starts);
  }
  checkKeys(starts, ['states', 'inputs'], 'starts');
  const { inputs, dtype, owner } = network;
  const first = readSeries(starts.inputs, {
    ...{ inputs, dtype: 'f64', shared: false, owner, argument: 'starts.inputs' },
    columns: `inputs of ${owner}`,
  });
  const count = first.length / inputs;
  if (starts.states === undefined || Array.isArray(starts.states)) {
    throw argumentError(`rows of states in ${dtype}`, 'starts.states', starts.states);
  }
  const states = statesOf(network, starts.states, count, shared) as Floats;
  if (first.length === 0 && states.length > 0) throw shapeError('starts.inputs with a row for each state', 0);
  return [states, first];
}
