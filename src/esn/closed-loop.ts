/**
 * The ridge of a forecaster: the one whose closed loop forecasts parts of the training series best.
 *
 * One-step errors do not say it: a small ridge lengthens forecasts of chaos, and makes the loop of a periodic signal leave
 * its orbit. From up to 16 places of the series each candidate forecasts up to 500 steps; the least mean of log10 NRMSE wins.
 */
import { isDtesnError } from '../errors/index.js';
import { type Floats, floats, type LongRunOptions } from '../native/index.js';
import type { Network, State } from '../network/index.js';
import { type Matrix, matrix } from '../numeric/index.js';
import type { LinearReadout } from '../readout/index.js';
import { forecastFrom, forecastFromAsync, gatedState } from './forecast.js';
import { Trained } from './trained.js';

/** Candidates, from those for data without noise on. */
export const forecastRidges: readonly number[] = [1e-14, 1e-11, 1e-8, 1e-5];

const MOST_STEPS = 500;
const MOST_STARTS = 16;

/** Places of series in the units of the network, and the states there. */
export interface Rehearsal {
  network: Network;
  /** Of the state that is fitted. Default: all are open. */
  gates?: Uint8Array | null;
  steps: number;
  states: Floats;
  /** What follows each place, steps x inputs. */
  following: Floats[];
  variance: number;
}

/** A part of a series, and the state that it moves on. */
interface Part {
  values: Floats;
  state: State;
}

/** Runs the series from rest with the gates of a state; null where they are too short to tell. */
export function rehearse(own: State, series: readonly Floats[], washout: number): Rehearsal | null {
  const { network } = own;
  const parts = partsOf(own, series, washout);
  let next = parts.next();
  for (; !next.done; next = parts.next()) network.run(next.value.values, { state: next.value.state, out: null });
  return next.value;
}

/** The same off the JavaScript thread, for series on shared memory. */
export async function rehearseAsync(
  own: State,
  series: readonly Floats[],
  washout: number,
  signal: AbortSignal | undefined,
): Promise<Rehearsal | null> {
  const { network } = own;
  const parts = partsOf(own, series, washout);
  let next = parts.next();
  for (; !next.done; next = parts.next()) {
    await network.runAsync(next.value.values, { state: next.value.state, out: null, signal });
  }
  return next.value;
}

/** Each part is to be run before the next one is asked for. */
function* partsOf(own: State, series: readonly Floats[], washout: number): Generator<Part, Rehearsal | null> {
  const { network } = own;
  const gates = own.gates && Uint8Array.from(own.gates);
  const { inputs, stateSize } = network;
  const rows = series.map((one) => one.length / inputs - washout);
  const longest = rows.reduce((most, one) => Math.max(most, one), 0);
  const steps = Math.min(MOST_STEPS, Math.floor(longest / 4));
  if (steps < 10) return null;
  const long = series.filter((_, i) => rows[i]! >= 2 * steps);
  const each = Math.max(1, Math.floor(MOST_STARTS / long.length));
  const states: Floats[] = [];
  const following: Floats[] = [];
  for (const values of long.slice(0, MOST_STARTS)) {
    const state = gatedState(network, gates);
    const room = values.length / inputs - washout - steps;
    try {
      for (let i = 0, before = 0; i < each; i++) {
        const place = washout + Math.floor(((i + 1) * room) / each);
        yield { values: values.subarray(before * inputs, place * inputs), state };
        before = place;
        states.push(state.data.slice());
        following.push(values.subarray(place * inputs, (place + steps) * inputs));
      }
    } finally {
      state.close();
    }
  }
  const data = floats(network.dtype, states.length * stateSize);
  for (const [i, one] of states.entries()) data.set(one, i * stateSize);
  return { network, gates, steps, states: data, following, variance: varianceOf(series, inputs) };
}

/** Null for features that are dependent with a ridge; any other error is thrown. */
export function unlessSingular(error: unknown): null {
  if (isDtesnError(error) && error.code === 'ERR_DTESN_SINGULAR') return null;
  throw error;
}

/** Geometric mean of the NRMSE of the forecasts of a readout. */
export function forecastError(rehearsal: Rehearsal, readout: LinearReadout): number {
  const { loop, options } = closedLoop(rehearsal, readout);
  try {
    return errorOfForecasts(rehearsal, forecastFrom(loop, options) as Matrix[]);
  } finally {
    loop.own.close();
  }
}

/** The same off the JavaScript thread. */
export async function forecastErrorAsync(
  rehearsal: Rehearsal,
  readout: LinearReadout,
  run: LongRunOptions,
): Promise<number> {
  const { loop, options } = closedLoop(rehearsal, readout);
  try {
    return errorOfForecasts(rehearsal, (await forecastFromAsync(loop, { ...options, ...run })) as Matrix[]);
  } finally {
    loop.own.close();
  }
}

/** A loop with a state of its own: that of the network may be in use, with other gates. */
function closedLoop({ network, gates, steps, states, following }: Rehearsal, readout: LinearReadout) {
  const trained = new Trained(network, readout, null);
  const own = gatedState(network, gates);
  const loop = { network, own, trained, scaling: null, toNetwork: () => [] };
  return { loop, options: { steps, starts: matrix(following.length, network.stateSize, states) } };
}

function errorOfForecasts({ steps, following, variance }: Rehearsal, forecasts: readonly Matrix[]): number {
  const logs = forecasts.map(({ rows, data }, i) => {
    if (rows < steps) return 3;
    const wanted = following[i]!;
    let square = 0;
    for (let k = 0; k < wanted.length; k++) square += (data[k]! - wanted[k]!) ** 2 / wanted.length;
    return Math.min(3, Math.log10(Math.sqrt(square / variance) + 1e-15));
  });
  return 10 ** (logs.reduce((sum, log) => sum + log, 0) / logs.length);
}

/** Variance of series, the mean over their columns; squares are of what is left of the mean, however large that is. */
export function varianceOf(series: readonly Floats[], inputs: number): number {
  const rows = series.reduce((sum, one) => sum + one.length, 0) / inputs;
  const means = new Float64Array(inputs);
  for (const one of series) {
    for (let i = 0; i < one.length; i++) means[i % inputs]! += one[i]! / rows;
  }
  let squares = 0;
  for (const one of series) {
    for (let i = 0; i < one.length; i++) squares += (one[i]! - means[i % inputs]!) ** 2;
  }
  return Math.max(squares / rows / inputs, Number.MIN_VALUE);
}
