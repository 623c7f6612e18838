/**
 * Trains the readout of a network (Reservoir, DeepTreeModel, ...) on series: every series starts from the zero state, its first
 * `washout` steps are run and left out, and states go into the sums block by block, so that none are kept.
 *
 *     row t = [x(t), u(t)]  ->  target(t)          for t >= washout
 *
 * Memory: O(features²), whatever the steps.
 * Errors: as Ridge's and as run's of the network; RangeError ERR_DTESN_SHAPE when series and targets differ in steps, or a
 * series is no longer than the washout.
 */
import { z } from 'zod';
import { checkOptions, shapeError } from '../errors/index.js';
import { type Floats, floats } from '../native/index.js';
import type { Network } from '../network/index.js';
import { matrix, type SeriesInput } from '../numeric/index.js';
import { shapeFields } from './features.js';
import { Ridge, type RidgeSolution, ridgeFields } from './ridge.js';
import { TrainedNetwork } from './trained-network.js';

/** What QR takes in at once: the states of so many steps stay in the second cache. */
const BLOCK_STEPS = 240;

const trainFields = {
  washout: z.int().min(0).default(0).describe('a whole number, 0 or more,'),
  inputs: z.boolean().default(true).describe('true or false'),
  intercept: shapeFields.intercept,
  ...ridgeFields,
};
export const trainSchema = z.object(trainFields);
const optionsSchema = z.object({ ...trainFields, outputs: shapeFields.outputs });

export interface TrainOptions extends RidgeSolution {
  /** First steps of each series that are run and left out of the sums. Default 0. */
  washout?: number | undefined;
  /** Whether the readout sees u(t) beside the state. Default true. */
  inputs?: boolean | undefined;
  /** Whether b is learned; it is 0 otherwise. Default true. */
  intercept?: boolean | undefined;
}

export class ReadoutTrainer {
  readonly network: Network;
  readonly #ridge: Ridge;
  readonly #washout: number;
  readonly #seesInputs: boolean;
  readonly #block: Floats;

  constructor(network: Network, options: TrainOptions & { outputs: number }) {
    const { washout, inputs, ...rest } = checkOptions(optionsSchema, options, 'ReadoutTrainer');
    this.network = network;
    this.#ridge = new Ridge({ states: network.featureSize, inputs: inputs ? network.inputs : 0, ...rest });
    this.#washout = washout;
    this.#seesInputs = inputs;
    this.#block = floats(network.dtype, BLOCK_STEPS * network.featureSize);
  }

  /** Runs one series from the zero state and takes its rows in. */
  add(series: SeriesInput, targets: SeriesInput): void {
    const { network } = this;
    const values = network.seriesOf(series);
    const steps = values.length / network.inputs;
    const wanted = this.#ridge.targetsOf(targets, steps);
    if (steps <= this.#washout) throw shapeError(`a series with more than ${this.#washout} steps (washout)`, steps);
    const outputs = wanted.length / steps;
    network.reset();
    network.run(values.subarray(0, this.#washout * network.inputs), { out: null });
    for (let from = this.#washout; from < steps; from += BLOCK_STEPS) {
      const to = Math.min(steps, from + BLOCK_STEPS);
      const u = values.subarray(from * network.inputs, to * network.inputs);
      const states = this.#block.subarray(0, (to - from) * network.featureSize);
      network.run(u, { out: states });
      this.#ridge.add(states, wanted.subarray(from * outputs, to * outputs), this.#seesInputs ? u : undefined);
    }
  }

  /** The network with the readout of all series so far, for this or another ridge. */
  solve(ridge?: number): TrainedNetwork {
    return new TrainedNetwork(this.network, this.#ridge.solve(ridge));
  }
}

/** Trains on one series and its targets, steps x outputs. */
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
 * Trains the network to say the next row of its own series. It stands at the end of the series then: `forecast(steps)`
 * goes on from there.
 */
export function trainForecaster(network: Network, series: SeriesInput, options: TrainOptions = {}): TrainedNetwork {
  const values = network.seriesOf(series);
  const { inputs } = network;
  if (values.length < 2 * inputs) throw shapeError('a series with at least 2 steps', values.length / inputs);
  const steps = values.length / inputs - 1;
  const next = matrix(steps, inputs, values.subarray(inputs));
  const trained = trainReadout(network, values.subarray(0, steps * inputs), next, options);
  trained.run(values.subarray(steps * inputs));
  return trained;
}

function columnsOf(targets: SeriesInput, steps: number): number {
  if (typeof targets === 'object' && targets !== null && 'rows' in targets) return targets.cols;
  if (Array.isArray(targets)) return Array.isArray(targets[0]) ? targets[0].length : 1;
  const columns = (targets as Floats)?.length / steps;
  return Number.isInteger(columns) && columns > 0 ? columns : 1; // what is wrong is said where the rows are read
}
