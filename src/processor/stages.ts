/**
 * The stages an input passes through a model: the run of its series, alone or in a batch, and the B-series.
 */
import { type RootedTree, rootedTrees } from '../bseries/index.js';
import type { DeepTreeModel } from '../model/index.js';
import { setThreads, threadCount } from '../native/index.js';
import type { TransformedSeries } from '../pipeline/index.js';

/** A transformed series, and how the plan wants it run. */

export interface TransformedInput extends TransformedSeries {
  series: Float32Array;
}

export interface ModelRun {
  /** The state after the last step; the model's own where one input ran alone. */
  endState: Float32Array;
  meanState: Float64Array;
  /** Mean |x| of each membrane; null where its gate is closed. */
  activity: (number | null)[];
}

export interface ModelRunOptions {
  chunkSteps: number;
  /** Of a batch: threads that share its series. */
  threads: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((stepsDone: number) => void) | undefined;
}

/** The whole series through the tree from the zero state, a chunk of states at a time, off the JavaScript thread. */
export async function runModel(
  model: DeepTreeModel,
  states: Float32Array,
  { series, steps }: TransformedInput,
  { chunkSteps, signal, onProgress }: Omit<ModelRunOptions, 'threads'>,
): Promise<ModelRun> {
  const { units, inputs } = model;
  const chunk = Math.min(chunkSteps, steps);
  const sum = new Float64Array(units);
  const magnitude = new Float64Array(units);
  model.reset();
  for (let done = 0; done < steps; done += chunk) {
    const count = Math.min(chunk, steps - done);
    const out = states.subarray(0, count * units);
    await model.runAsync(series.subarray(done * inputs, (done + count) * inputs), { out, signal });
    accumulate(out, units, sum, magnitude);
    onProgress?.(done + count);
  }
  return runOf(model, model.state as Float32Array, sum, magnitude, steps);
}

/**
 * Several series at once as native batches, a chunk of each at a time, each from the zero state; `ends` takes the last
 * states. The event loop turns between two chunks.
 */
export async function runModelBatch(
  model: DeepTreeModel,
  states: Float32Array,
  ends: Float32Array,
  batch: readonly TransformedInput[],
  { chunkSteps, threads, signal, onProgress }: ModelRunOptions,
): Promise<ModelRun[]> {
  const { units, inputs } = model;
  const longest = Math.max(...batch.map(({ steps }) => steps));
  const sums = batch.map(() => new Float64Array(units));
  const magnitudes = batch.map(() => new Float64Array(units));
  const last = ends.subarray(0, batch.length * units).fill(0);
  for (let done = 0; done < longest; done += chunkSteps) {
    const counts = batch.map(({ steps }) => Math.max(0, Math.min(chunkSteps, steps - done)));
    let offset = 0;
    const out = counts.map((count) => {
      const rows = states.subarray(offset, offset + count * units);
      offset += count * units;
      return rows;
    });
    const chunk = batch.map(({ series }, s) => series.subarray(done * inputs, (done + counts[s]!) * inputs));
    withThreads(threads, () => model.runBatch(chunk, { out, states: last }));
    out.forEach((rows, s) => void accumulate(rows, units, sums[s]!, magnitudes[s]!));
    onProgress?.(Math.min(longest, done + chunkSteps));
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
  return batch.map(({ steps }, s) => {
    return runOf(model, last.subarray(s * units, (s + 1) * units), sums[s]!, magnitudes[s]!, steps);
  });
}

/** Runs with no more threads of the addon than these; nothing else runs on this JavaScript thread meanwhile. */
function withThreads(threads: number, run: () => void): void {
  const there = threadCount();
  if (threads < there) setThreads(threads);
  try {
    run();
  } finally {
    if (threads < there) setThreads(there);
  }
}

function runOf(
  model: DeepTreeModel,
  endState: Float32Array,
  sum: Float64Array,
  magnitude: Float64Array,
  steps: number,
): ModelRun {
  return {
    endState,
    meanState: sum.map((value) => value / steps),
    activity: activities(model, magnitude, steps),
  };
}

function accumulate(states: Float32Array, units: number, sum: Float64Array, magnitude: Float64Array): void {
  for (let at = 0; at < states.length; at += units) {
    for (let i = 0; i < units; i++) {
      const x = states[at + i]!;
      sum[i]! += x;
      magnitude[i]! += Math.abs(x);
    }
  }
}

function activities(model: DeepTreeModel, magnitude: Float64Array, steps: number): (number | null)[] {
  return model.membranes.map(({ index, offset, units }) => {
    if (!model.gates[index]) return null;
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
  /** RMS over the units of each tree's elementary differential. */
  norms: number[];
}

/** Elementary differentials of the flow at the end state, for the input of the last step. */
export function expandFlow(
  model: DeepTreeModel,
  memory: Float32Array,
  order: number,
  lastInput: Float32Array,
): BSeriesResult {
  const trees = treesTo(order);
  const values = memory.subarray(0, trees.length * model.units);
  model.differentials(order, lastInput, values);
  const { units } = model;
  const rms = (at: (i: number) => number) => {
    let squares = 0;
    for (let i = 0; i < units; i++) squares += at(i) ** 2;
    return Math.sqrt(squares / units);
  };
  const coefficients = Array.from({ length: order }, () => new Float64Array(units));
  for (const [row, { order: n, symmetry, density }] of trees.entries()) {
    const coefficient = coefficients[n - 1]!;
    for (let i = 0; i < units; i++) coefficient[i]! += values[row * units + i]! / (symmetry * density);
  }
  const last = coefficients[order - 1]!;
  const leak = leakOfUnits(model);
  return {
    order,
    trees: trees.length,
    taylor: coefficients.map((coefficient) => rms((i) => coefficient[i]!)),
    errorEstimate: rms((i) => leak[i]! ** order * last[i]!),
    norms: trees.map((_, row) => rms((i) => values[row * units + i]!)),
  };
}

/** All rooted trees up to an order, in the order of the differentials. */
export function treesTo(order: number): RootedTree[] {
  return Array.from({ length: order }, (_, n) => rootedTrees(n + 1)).flat();
}

function leakOfUnits(model: DeepTreeModel): Float64Array {
  const leak = new Float64Array(model.units);
  for (const { offset, units, leak: value } of model.membranes) leak.fill(value, offset, offset + units);
  return leak;
}
