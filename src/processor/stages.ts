/**
 * The stages an input passes through the model: the run of its series, alone or in a batch, and the B-series.
 */

import { type Floats, sharedFloats } from '../native/index.js';
import type { DeepTreeModel, Expansion, State } from '../network/index.js';
import type { TransformedSeries } from '../pipeline/index.js';
import { type RootedTree, rootedTrees } from '../trees/index.js';

/** A transformed series, and the execution settings of its plan. */
export interface TransformedInput extends TransformedSeries {
  series: Float32Array;
}

export interface ModelRun {
  /** After the last step. */
  state: State;
  meanState: Float64Array;
  /** Mean |x| of each membrane; null where its gate is closed. */
  activity: (number | null)[];
}

export interface ModelRunOptions {
  chunkSteps: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((stepsDone: number) => void) | undefined;
}

/**
 * The whole series (steps x inputs) from a state, a chunk of states at a time, off the JavaScript thread; means are summed on
 * the way. `states` has room for min(chunkSteps, steps) x units. Errors: those of Network.runAsync; the signal's reason.
 */
export async function runModel(
  state: State,
  states: Float32Array,
  { series, steps }: TransformedInput,
  { chunkSteps, moments, signal, onProgress }: ModelRunOptions & { moments: Moments },
): Promise<ModelRun> {
  const model = state.network as DeepTreeModel;
  const { units, inputs } = model;
  const chunk = Math.min(chunkSteps, steps);
  for (let done = 0; done < steps; done += chunk) {
    const count = Math.min(chunk, steps - done);
    const out = states.subarray(0, count * units);
    await model.runAsync(series.subarray(done * inputs, (done + count) * inputs), { state, out, moments, signal });
    onProgress?.(done + count);
  }
  return runOf(state, moments, steps);
}

/**
 * Several series (each steps x inputs) as native batches, a chunk of each at a time, on at most `threads` threads; the next
 * chunks begin together, and the last are expanded in the same call. `states` has room for the sum over the series of
 * min(chunkSteps, steps) x units. Errors: those of Network.runBatchAsync; the signal's reason.
 */
export async function runModelBatch(
  batchStates: readonly State[],
  states: Float32Array,
  batch: readonly TransformedInput[],
  { chunkSteps, moments, threads, signal, onProgress, order, expansions }: BatchRunOptions,
): Promise<{ runs: ModelRun[]; expandMs: number }> {
  const model = batchStates[0]!.network as DeepTreeModel;
  const { units, inputs } = model;
  const longest = Math.max(...batch.map(({ steps }) => steps));
  let expandMs = 0;
  for (let done = 0; done < longest; done += chunkSteps) {
    const counts = batch.map(({ steps }) => Math.max(0, Math.min(chunkSteps, steps - done)));
    let offset = 0;
    const out = counts.map((count) => {
      const rows = states.subarray(offset, offset + count * units);
      offset += count * units;
      return rows;
    });
    const chunk = batch.map(({ series }, s) => series.subarray(done * inputs, (done + counts[s]!) * inputs));
    const options = { out, states: batchStates, moments, threads, ...(signal && { signal }) };
    if (done + chunkSteps < longest) await model.runBatchAsync(chunk, options);
    else expandMs = await model.runAndExpandBatchAsync(chunk, options, order, expansions);
    onProgress?.(Math.min(longest, done + chunkSteps));
  }
  return { runs: batch.map(({ steps }, s) => runOf(batchStates[s]!, moments[s]!, steps)), expandMs };
}

interface BatchRunOptions extends ModelRunOptions {
  moments: Moments[];
  threads: number;
  order: number;
  expansions: readonly Expansion[];
}

/** Sums of x and of |x| over the steps of a run, for each unit; zero at its begin. */
export interface Moments {
  sum: Float64Array;
  magnitude: Float64Array;
}

export function momentsOf(units: number): Moments {
  return { sum: sharedFloats('f64', units) as Float64Array, magnitude: sharedFloats('f64', units) as Float64Array };
}

function runOf(state: State, { sum, magnitude }: Moments, steps: number): ModelRun {
  const meanState = new Float64Array(sum.length);
  for (let i = 0; i < sum.length; i++) meanState[i] = sum[i]! / steps;
  return { state, meanState, activity: activities(state, magnitude, steps) };
}

function activities(state: State, magnitude: Float64Array, steps: number): (number | null)[] {
  return (state.network as DeepTreeModel).membranes.map(({ index, offset, units }) => {
    if (!state.gates![index]) return null;
    let total = 0;
    for (let i = offset; i < offset + units; i++) total += magnitude[i]!;
    return total / (units * steps);
  });
}

export interface BSeriesResult {
  order: number;
  trees: number;
  taylor: number[];
  errorEstimate: number;
  /** RMS over the computed units of each tree's elementary differential. */
  norms: number[];
}

/**
 * What is expanded: the flow at the end state of each run, for the input of its last step. `memory` has room for trees x units and
 * order x units of each.
 */
export function expansionsOf(
  states: readonly State[],
  memory: { differentials: Float32Array; taylor: Float32Array; squares: Float64Array[] },
  order: number,
  lastInputs: readonly Float32Array[],
): Expansion[] {
  const { units } = states[0]!.network as DeepTreeModel;
  const trees = treesTo(order).length * units;
  const orders = order * units;
  return states.map((state, i) => ({
    input: lastInputs[i]!,
    state,
    differentials: memory.differentials.subarray(i * trees, (i + 1) * trees),
    taylor: memory.taylor.subarray(i * orders, (i + 1) * orders),
    squares: memory.squares[i]!,
  }));
}

/** Differentials of held units are 0, because their state is held; means are over the units of open membranes. */
export function bseriesOf(order: number, { state, taylor, squares }: Expansion): BSeriesResult {
  const model = state.network as DeepTreeModel;
  const open = model.membranes.reduce((sum, { index, units }) => sum + (state.gates![index] ? units : 0), 0);
  const rms = Array.from(squares, (sum: number) => Math.sqrt(sum / open));
  const trees = treesTo(order).length;
  const last = taylor.subarray((order - 1) * model.units);
  return {
    order,
    trees,
    taylor: rms.slice(trees),
    errorEstimate: Math.sqrt(squaresOfLast(model, last, order) / open),
    norms: rms.slice(0, trees),
  };
}

/** Sum of the squares of leak^order times the last Taylor coefficient. */
function squaresOfLast(model: DeepTreeModel, last: Floats, order: number): number {
  return model.membranes.reduce((sum, { offset, units, leak }) => {
    let squares = 0;
    for (let i = offset; i < offset + units; i++) squares += last[i]! * last[i]!;
    return sum + leak ** (2 * order) * squares;
  }, 0);
}

/** All rooted trees up to an order, in the order of the differentials; made once an order. */
export function treesTo(order: number): readonly RootedTree[] {
  let trees = madeTrees.get(order);
  if (trees === undefined) {
    trees = Array.from({ length: order }, (_, n) => rootedTrees(n + 1)).flat();
    madeTrees.set(order, trees);
  }
  return trees;
}
const madeTrees = new Map<number, readonly RootedTree[]>();
