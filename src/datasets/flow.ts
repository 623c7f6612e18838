/** Series of a flow: its state at equal distances in time. */
import type { Matrix64 } from '../numeric/index.js';
import { Extrapolation, type Flow } from './extrapolation.js';
import { checkSteps, discard, point, positive } from './options.js';

/** What every data set of a differential equation takes beside its parameters. */
export interface FlowOptions {
  /** Time from one row to the next, above 0. Default: see the data set. */
  dt?: number | undefined;
  /** State of the first row (before `discard`). Default: see the data set. */
  start?: readonly number[] | undefined;
  /** Rows that are computed and left out first, until the trajectory is near the attractor. Default 0. */
  discard?: number | undefined;
}

/** The fields of FlowOptions with the defaults of a data set. */
export function flowShape(dt: number, start: readonly number[]) {
  return { dt: positive(dt), start: point(start), discard: discard() };
}

/** Rows of the trajectory from `start`: the first one is the start itself where none is left out. */
export function sampled(
  flow: Flow,
  steps: number,
  options: { dt: number; start: readonly number[]; discard: number },
): Matrix64 {
  const { dt, start } = options;
  const cols = start.length;
  checkSteps(steps, cols);
  const data = new Float64Array(steps * cols);
  const integrator = new Extrapolation(flow, cols);
  const state = Float64Array.from(start);
  for (let row = -options.discard; row < steps; row++) {
    if (row >= 0) data.set(state, row * cols);
    if (row < steps - 1) integrator.advance(state, dt);
  }
  return { rows: steps, cols, data };
}
