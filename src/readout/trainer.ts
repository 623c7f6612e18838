/**
 * Trains the readout of a network (Reservoir, DeepTreeModel, ...) on series: every series starts from the zero state,
 * its first `washout` steps are run and left out, and states are added to the sums block by block, so that none are
 * stored.
 */
import { z } from 'zod';
import { checkOptions, shapeError } from '../errors/index.js';
import { checkLongRun, type Floats, floats, type LongRunOptions } from '../native/index.js';
import { type Network, State } from '../network/index.js';
import { matrix, type SeriesInput } from '../numeric/index.js';
import { readTargets, shapeFields } from './features.js';
import type { RidgeSolution } from './ridge.js';
import { BLOCK_STEPS, type Lesson, RidgeSums, ridgeFields } from './sums.js';
import { TrainedNetwork } from './trained-network.js';

const trainFields = {
  washout: z.int().min(0).default(0).describe('a whole number, 0 or more,'),
  inputs: z.boolean().default(true).describe('true or false'),
  intercept: shapeFields.intercept,
  ...ridgeFields,
};
export const trainSchema = z.object(trainFields);
const trainAsyncSchema = z.object({
  ...trainFields,
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
  onProgress: z
    .custom<LongRunOptions['onProgress']>((value) => typeof value === 'function')
    .optional()
    .describe('a function ({ done, total, stage })'),
});
const optionsSchema = z.object({ ...trainFields, outputs: shapeFields.outputs });

/** Options of ReadoutTrainer, trainReadout and trainForecaster. */
export interface TrainOptions extends RidgeSolution {
  /** First steps of each series that are run and left out of the sums. Default 0. */
  washout?: number | undefined;
  /** Whether the readout reads u(t) beside the state. Default true. */
  inputs?: boolean | undefined;
  /** Whether b is learned; it is 0 otherwise. Default true. */
  intercept?: boolean | undefined;
}

/**
 * Options of trainReadoutAsync and trainForecasterAsync: those of training, and those of a run off the JavaScript
 * thread.
 */
export interface TrainAsyncOptions extends TrainOptions, LongRunOptions {}

/**
 * Trains the readout of a network (Reservoir, DeepTreeModel, ...) on series: every series starts from the zero state,
 * its first `washout` steps are run and left out, and states are added to the sums block by block, so that none are
 * stored.
 *
 *     row t = [x(t), u(t)]  ->  target(t)          for t >= washout
 *
 * Memory: O(features²), for any number of steps.
 * Asynchronous twins: `addAsync`, `solveAsync`, `trainReadoutAsync`, `trainForecasterAsync` run the network and add the
 * rows on another thread, to the same bits. Typed arrays must lie on shared memory; anything else is copied once.
 * Progress has the stages 'train' (steps of the series, the washout included) and 'solve'. An abort rejects with the
 * signal's reason: the sums keep the rows before it (start again with a new trainer), and the network's state is that
 * after the steps done.
 *
 * Errors: as Ridge's and as run's of the network; RangeError ERR_DTESN_SHAPE when series and targets differ in steps,
 * or a series is no longer than the washout; DtesnError ERR_DTESN_BUSY while an asynchronous call works on the trainer
 * or on the network's state; ERR_DTESN_CLOSED when the trainer or the network is closed before or during a call.
 *
 * @deprecated Esn.fit takes lists of series, and partialFit adds more; removed in the next minor version.
 */
export class ReadoutTrainer {
  /** The network whose readout is trained. */
  readonly network: Network;
  readonly #ridge: number;
  readonly #sums: RidgeSums;
  readonly #washout: number;
  readonly #block: Floats;

  constructor(network: Network, options: TrainOptions & { outputs: number }) {
    const checked = checkOptions(optionsSchema, options, 'ReadoutTrainer');
    const { washout, inputs, ridge, solver, outputs, intercept } = checked;
    this.network = network;
    const shape = { states: network.featureSize, inputs: inputs ? network.inputs : 0, outputs, intercept };
    this.#sums = new RidgeSums(shape, solver, 'ReadoutTrainer');
    this.#ridge = ridge;
    this.#washout = washout;
    this.#block = floats(network.dtype, BLOCK_STEPS * network.featureSize);
  }

  /** Runs one series from the zero state and adds its rows. */
  add(series: SeriesInput, targets: SeriesInput): void {
    this.#sums.train(this.#begin(series, targets, false));
  }

  /** The same off the JavaScript thread; the network's own state is busy meanwhile. */
  async addAsync(series: SeriesInput, targets: SeriesInput, options: LongRunOptions = {}): Promise<void> {
    checkLongRun(options, 'addAsync');
    options.signal?.throwIfAborted();
    const lesson = this.#begin(series, targets, true);
    await State.during([lesson.state], () => this.#sums.trainAsync(lesson, options));
    lesson.state.checkIdle(); // it may have been closed meanwhile
  }

  /** The network with the readout of all series so far, for this or another ridge. */
  solve(ridge = this.#ridge): TrainedNetwork {
    return new TrainedNetwork(this.network, this.#sums.solve(ridge).readouts[0]!);
  }

  /** The same off the JavaScript thread. */
  async solveAsync(ridge = this.#ridge, options: LongRunOptions = {}): Promise<TrainedNetwork> {
    checkLongRun(options, 'solveAsync');
    const { readouts } = await this.#sums.solveAsync(ridge, options);
    return new TrainedNetwork(this.network, readouts[0]!);
  }

  /** Frees the sums, not the network; an asynchronous call under way ends first, and rejects with ERR_DTESN_CLOSED. */
  close(): void {
    this.#sums.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Checks a series and its targets, and resets the network's state. */
  #begin(given: SeriesInput, targets: SeriesInput, shared: boolean): Lesson {
    this.#sums.checkUsable();
    const { network } = this;
    const washout = this.#washout;
    const series = network.seriesOf(given, { shared });
    const steps = series.length / network.inputs;
    const wanted = readTargets(targets, steps, this.#sums.shape, shared, true);
    if (steps <= washout) throw shapeError(`a series with more than ${washout} steps (washout)`, steps);
    network.reset();
    return { state: network.ownState, series, targets: wanted, weights: null, steps, washout, block: this.#block };
  }
}

/**
 * Trains on one series and its targets, steps x outputs.
 * @deprecated new Esn({ network }).fit(series, targets); removed in the next minor version.
 */
export function trainReadout(
  network: Network,
  series: SeriesInput,
  targets: SeriesInput,
  options: TrainOptions = {},
): TrainedNetwork {
  const checked = checkOptions(trainSchema, options, 'trainReadout');
  const steps = network.seriesOf(series).length / network.inputs;
  const trainer = new ReadoutTrainer(network, { ...checked, outputs: columnsOf(targets, steps) });
  trainer.add(series, targets);
  return trainer.solve();
}

/**
 * The same off the JavaScript thread.
 * @deprecated Esn.fitAsync(series, targets); removed in the next minor version.
 */
export async function trainReadoutAsync(
  network: Network,
  series: SeriesInput,
  targets: SeriesInput,
  options: TrainAsyncOptions = {},
): Promise<TrainedNetwork> {
  const { signal, onProgress, ...train } = checkOptions(trainAsyncSchema, options, 'trainReadoutAsync');
  const values = network.seriesOf(series, { shared: true });
  const outputs = columnsOf(targets, values.length / network.inputs);
  const trainer = new ReadoutTrainer(network, { ...train, outputs });
  try {
    await trainer.addAsync(values, targets, { signal, onProgress });
    return await trainer.solveAsync(train.ridge, { signal, onProgress });
  } finally {
    trainer.close();
  }
}

/**
 * Trains the network to predict the next row of its own series. Its state is then that after the last row:
 * `forecast(steps)` continues from there.
 * @deprecated new Esn({ network }).fit(series); removed in the next minor version.
 */
export function trainForecaster(network: Network, series: SeriesInput, options: TrainOptions = {}): TrainedNetwork {
  const { past, next, last } = nextRows(network, network.seriesOf(series));
  const trained = trainReadout(network, past, next, options);
  trained.run(last);
  return trained;
}

/**
 * The same off the JavaScript thread.
 * @deprecated Esn.fitAsync(series); removed in the next minor version.
 */
export async function trainForecasterAsync(
  network: Network,
  series: SeriesInput,
  options: TrainAsyncOptions = {},
): Promise<TrainedNetwork> {
  const { past, next, last } = nextRows(network, network.seriesOf(series, { shared: true }));
  const { signal, onProgress, ...train } = checkOptions(trainAsyncSchema, options, 'trainForecasterAsync');
  const trainer = new ReadoutTrainer(network, { ...train, outputs: network.inputs });
  try {
    await trainer.addAsync(past, next, { signal, onProgress });
    const atTheEnd = network.state.slice();
    const trained = await trainer.solveAsync(train.ridge, { signal, onProgress });
    network.reset(atTheEnd); // a caller may have run it while the readout was solved
    trained.run(last);
    return trained;
  } finally {
    trainer.close();
  }
}

/** The rows but the last, the row after each of them, and the last. */
function nextRows({ inputs }: Network, values: Floats) {
  if (values.length < 2 * inputs) throw shapeError('a series with at least 2 steps', values.length / inputs);
  const steps = values.length / inputs - 1;
  const next = matrix(steps, inputs, values.subarray(inputs));
  return { past: values.subarray(0, steps * inputs), next, last: values.subarray(steps * inputs) };
}

function columnsOf(targets: SeriesInput, steps: number): number {
  if (typeof targets === 'object' && targets !== null && 'rows' in targets) return targets.cols;
  if (Array.isArray(targets)) return Array.isArray(targets[0]) ? targets[0].length : 1;
  const columns = (targets as Floats)?.length / steps;
  return Number.isInteger(columns) && columns > 0 ? columns : 1; // reading the rows reports the error
}
