/**
 * The ridge of a forecaster: the one whose closed loop forecasts parts of the training series best.
 *
 * One-step errors do not say it: a small ridge lengthens forecasts of chaos, and makes the loop of a periodic signal leave
 * its orbit. From up to 16 places of the series each candidate forecasts up to 500 steps; the least mean of log10 NRMSE wins.
 */
import type { Floats, LongRunOptions } from '../native/index.js';
import type { Network } from '../network/index.js';
import { type Matrix, matrix } from '../numeric/index.js';
import type { LinearReadout, RidgeValidation } from '../readout/index.js';
import { forecastFrom, forecastFromAsync } from './forecast.js';
import { Trained } from './trained.js';

/** Candidates, from those for data without noise on. */
export const forecastRidges: readonly number[] = [1e-14, 1e-11, 1e-8, 1e-5];

const MOST_STEPS = 500;
const MOST_STARTS = 16;

/** Places of series in the units of the network, and the states there. */
export interface Rehearsal {
  network: Network;
  steps: number;
  states: Floats;
  /** What follows each place, steps x inputs. */
  following: Floats[];
  variance: number;
}

/** Runs the series from rest; null where they are too short to tell. */
export function rehearse(network: Network, series: readonly Floats[], washout: number): Rehearsal | null {
  const { inputs, stateSize } = network;
  const rows = series.map((one) => one.length / inputs - washout);
  const steps = Math.min(MOST_STEPS, Math.floor(Math.max(...rows) / 4));
  if (steps < 10) return null;
  const long = series.filter((_, i) => rows[i]! >= 2 * steps);
  const each = Math.max(1, Math.floor(MOST_STARTS / long.length));
  const states: number[] = [];
  const following: Floats[] = [];
  for (const values of long.slice(0, MOST_STARTS)) {
    const state = network.createState();
    const room = values.length / inputs - washout - steps;
    let before = 0;
    for (let i = 0; i < each; i++) {
      const place = washout + Math.floor(((i + 1) * room) / each);
      network.run(values.subarray(before * inputs, place * inputs), { state, out: null });
      before = place;
      states.push(...state.data);
      following.push(values.subarray(place * inputs, (place + steps) * inputs));
    }
    state.close();
  }
  const Kind = network.dtype === 'f32' ? Float32Array : Float64Array;
  const data = new Kind(states);
  return data.length % stateSize === 0
    ? { network, steps, states: data, following, variance: varianceOf(series, inputs) }
    : null;
}

/** The errors of readouts of these ridges; the largest ridge of the least error is the best. */
export function compare(
  rehearsal: Rehearsal,
  ridges: readonly number[],
  readouts: readonly LinearReadout[],
): RidgeValidation {
  const table = ridges.map((ridge, i) => ({ ridge, error: errorOf(rehearsal, readouts[i]!) }));
  const best = table.reduce((least, one) => (one.error <= least.error ? one : least));
  return { best: best.ridge, table };
}

function errorOf(rehearsal: Rehearsal, readout: LinearReadout): number {
  const { loop, options } = closedLoop(rehearsal, readout);
  return errorOfForecasts(rehearsal, forecastFrom(loop, options) as Matrix[]);
}

/** The error of a readout, off the JavaScript thread. */
export async function forecastErrorAsync(
  rehearsal: Rehearsal,
  readout: LinearReadout,
  run: LongRunOptions,
): Promise<number> {
  const { loop, options } = closedLoop(rehearsal, readout);
  return errorOfForecasts(rehearsal, (await forecastFromAsync(loop, { ...options, ...run })) as Matrix[]);
}

function closedLoop({ network, steps, states, following }: Rehearsal, readout: LinearReadout) {
  const trained = new Trained(network, readout, null);
  const loop = { network, own: network.ownState, trained, scaling: null, toNetwork: () => [] };
  return { loop, options: { steps, starts: matrix(following.length, network.stateSize, states) } };
}

/** Geometric mean of the NRMSE of forecasts. */
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

/** Variance of series, the mean over their columns. */
export function varianceOf(series: readonly Floats[], inputs: number): number {
  const sums = new Float64Array(inputs);
  const squares = new Float64Array(inputs);
  let rows = 0;
  for (const one of series) {
    rows += one.length / inputs;
    for (let i = 0; i < one.length; i++) {
      sums[i % inputs]! += one[i]!;
      squares[i % inputs]! += one[i]! ** 2;
    }
  }
  const variance = squares.reduce((sum, square, d) => sum + square / rows - (sums[d]! / rows) ** 2, 0) / inputs;
  return Math.max(variance, Number.MIN_VALUE);
}
