/** Forecasts in closed loop: where they start, what they are given, and their rows in the units of the data. */
import { argumentError, checkKeys, checkWhole, DtesnError, shapeError } from '../errors/index.js';
import { arrayOf, checkView, type Floats, floats, longRun, longRunKeys, sharedFloats } from '../native/index.js';
import { isState, type Network, State } from '../network/index.js';
import { checkMemory, type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import { readGiven } from './given.js';
import { isList } from './lists.js';
import type { EsnForecastAsyncOptions, EsnForecastOptions } from './options.js';
import type { Scaling } from './scaling.js';
import type { Trained } from './trained.js';

/** What closes a loop. */
export interface Loop {
  network: Network;
  own: State;
  trained: Trained;
  scaling: Scaling | null;
  toNetwork: (raw: readonly SeriesInput[]) => Floats[];
}

/** Checked options. */
interface Asked extends Starts {
  steps: number;
  count: number;
  given: Floats | null;
}

/** States that the forecasts move, and the series that move them before; null where there are none. */
interface Starts {
  isMany: boolean;
  states: State[] | Floats;
  warmup: Floats[] | null;
}

interface Prepared extends Asked {
  last: Float64Array;
  out: Float64Array;
  done: Float64Array;
}

const keys = ['steps', 'inputs', 'starts', 'warmup'];

export function forecastFrom(loop: Loop, options: EsnForecastOptions): Matrix | Matrix[] {
  checkKeys(options, keys, 'forecast');
  const asked = checked(loop, options, false);
  warm(loop, asked);
  const prepared = prepare(loop, asked, false);
  const { forecaster } = loop.trained;
  const { states, last, out, done, given, isMany } = prepared;
  if (!isMany) done[0] = forecaster.run((states as State[])[0]!.native, last, out, given);
  else forecaster.runMany(natives(states), loop.own.gates, last, out, done, given);
  return results(loop, prepared);
}

export async function forecastFromAsync(loop: Loop, options: EsnForecastAsyncOptions): Promise<Matrix | Matrix[]> {
  checkKeys(options, [...keys, 'threads', ...longRunKeys], 'forecastAsync');
  const { signal, onProgress, threads } = options;
  if (threads !== undefined) checkWhole(threads, 'threads', 1);
  signal?.throwIfAborted();
  const asked = checked(loop, options, true);
  await warmAsync(loop, asked, { signal, threads });
  const prepared = prepare(loop, asked, true);
  const { forecaster } = loop.trained;
  const { states, last, out, done, given, isMany, steps } = prepared;
  const start = async (control: Int32Array) => {
    if (!isMany) {
      done[0] = await forecaster.runAsync((states as State[])[0]!.native, last, out, given, control);
      return done[0];
    }
    await forecaster.runManyAsync(natives(states), loop.own.gates, last, out, done, given, control, threads);
    return done.reduce((sum, one) => sum + one, 0);
  };
  const busy = Array.isArray(states) ? states : [];
  const total = steps * done.length;
  await State.during(busy, () => longRun(start, { signal, onProgress }, { stage: 'forecast', total }));
  return results(loop, prepared);
}

function natives(states: State[] | Floats) {
  return Array.isArray(states) ? states.map((state) => state.native) : states;
}

/** Every error of an argument comes before a state moves. */
function checked(loop: Loop, options: EsnForecastOptions, shared: boolean): Asked {
  const { network, trained } = loop;
  const steps = checkWhole(options.steps, 'steps', 0);
  if (options.starts !== undefined && options.warmup !== undefined) {
    throw argumentError('either starts or warmup, not both,', 'warmup', options.warmup);
  }
  void trained.forecaster; // a readout that cannot be fed back is an error
  const given = readGiven({ network, scaling: loop.scaling, outputs: trained.outputs }, options.inputs, steps, shared);
  const starts = startsOf(loop, options, shared);
  const { states } = starts;
  const count = Array.isArray(states) ? states.length : states.length / network.stateSize;
  checkMemory(8 * count * steps * trained.outputs, `${count} forecasts of ${steps} steps`);
  if (options.warmup !== undefined && !starts.isMany) loop.own.reset();
  return { ...starts, steps, count, given };
}

/** What is fed back first, and memory for the forecasts. */
function prepare({ network, trained }: Loop, asked: Asked, shared: boolean): Prepared {
  const { states, count, steps } = asked;
  const { outputs } = trained;
  const of = (length: number) => (shared ? sharedFloats('f64', length) : floats('f64', length)) as Float64Array;
  const last = of(count * outputs);
  const row = floats(network.dtype, network.featureSize);
  for (let i = 0; i < count; i++) {
    const state = Array.isArray(states)
      ? states[i]!
      : states.subarray(i * network.stateSize, (i + 1) * network.stateSize);
    network.featuresOf(state, row);
    trained.read(row, last.subarray(i * outputs, (i + 1) * outputs));
  }
  return { ...asked, last, out: of(count * steps * outputs), done: of(count) };
}

function startsOf(loop: Loop, { starts, warmup }: EsnForecastOptions, shared: boolean): Starts {
  const { network, own } = loop;
  own.checkIdle();
  if (warmup !== undefined) {
    const isMany = isList(warmup);
    const series = loop.toNetwork(isMany ? warmup : [warmup as SeriesInput]);
    return { states: isMany ? series.map(() => gatedState(network, own.gates)) : [own], isMany, warmup: series };
  }
  if (starts === undefined) return { states: [own], isMany: false, warmup: null };
  if (Array.isArray(starts)) return { states: checkedStates(starts, network), isMany: true, warmup: null };
  const rows = starts as Matrix;
  const view = checkView(rows?.data, 'starts', [arrayOf(network.dtype)]);
  if (rows.cols !== network.stateSize)
    throw shapeError(`starts with ${network.stateSize} columns (the state)`, rows.cols);
  const copy = shared ? sharedFloats(network.dtype, view.length) : floats(network.dtype, view.length);
  copy.set(view);
  return { states: copy, isMany: true, warmup: null };
}

/** A state at rest with these gates; with all of them open where none are given. */
export function gatedState(network: Network, gates: Uint8Array | null | undefined): State {
  const state = network.createState();
  if (gates) state.gates!.set(gates);
  return state;
}

function warm({ network, own }: Loop, { warmup, states, isMany }: Starts): void {
  if (warmup === null) return;
  if (isMany) network.runBatch(warmup, { out: null, states: states as State[] });
  else network.run(warmup[0]!, { out: null, state: own });
}

async function warmAsync(
  { network, own }: Loop,
  { warmup, states, isMany }: Starts,
  { signal, threads }: Pick<EsnForecastAsyncOptions, 'signal' | 'threads'>,
): Promise<void> {
  if (warmup === null) return;
  if (isMany) await network.runBatchAsync(warmup, { out: null, states: states as State[], signal, threads });
  else await network.runAsync(warmup[0]!, { out: null, state: own, signal });
}

function checkedStates(starts: readonly State[], network: Network): State[] {
  starts.forEach((state, i) => {
    if (!isState(state) || state.network !== network)
      throw argumentError('states of this model', `starts[${i}]`, state);
    state.checkIdle();
  });
  if (new Set(starts).size < starts.length) throw argumentError('distinct states', 'starts', starts);
  return [...starts];
}

function results({ trained }: Loop, { out, done, steps, isMany }: Prepared): Matrix | Matrix[] {
  const { outputs } = trained;
  trained.toData(out);
  if (isMany) {
    return Array.from(done, (rows, i) => {
      const from = i * steps * outputs;
      return matrix(rows, outputs, out.subarray(from, from + rows * outputs));
    });
  }
  const [rows = 0] = done;
  if (rows === steps) return matrix(steps, outputs, out);
  const cause = matrix(rows, outputs, out.slice(0, rows * outputs));
  throw new DtesnError('ERR_DTESN_DIVERGED', `The forecast became infinite or NaN at step ${rows}`, { cause });
}
