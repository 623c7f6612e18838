/**
 * FORCE: an online readout learns while its own outputs are fed back, so that it meets the errors that its loop makes.
 *
 *     u(t) = [y(t - 1), inputs(t)]      y(t) = W(t - 1)' row t + b      W(t) by the target of step t
 *
 * Source: Sussillo & Abbott (2009), "Generating coherent patterns of activity from chaotic neural networks", Neuron 63(4).
 */
import { argumentError, checkKeys, rangeError } from '../errors/index.js';
import { floats } from '../native/index.js';
import type { Network, State } from '../network/index.js';
import { columnsOf, type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import { isRidge } from '../readout/index.js';
import { readGiven } from './given.js';
import type { Learner } from './options.js';
import { type Scaling, unscale } from './scaling.js';
import type { Trained } from './trained.js';
import { readWanted } from './training.js';

/** Options of force: what is known beside the outputs. */
export interface ForceOptions {
  /** Known inputs beyond the outputs, steps x (inputs - outputs). Default: none. */
  inputs?: SeriesInput | undefined;
}

export interface ForceLoop {
  network: Network;
  state: State;
  learner: Learner;
  scaling: Scaling | null;
  /** What was learned so far, whose outputs are fed back first; null: zeros are. */
  trained: Trained | null;
}

/**
 * Returns the outputs before each step was learned, in the units of the data. Nothing is learned where an argument is wrong: RangeError
 * ERR_DTESN_ARGUMENT for a target that is NaN, which a loop cannot be held to.
 */
export function force(loop: ForceLoop, targets: SeriesInput, options: ForceOptions): Matrix {
  checkKeys(options, ['inputs'], 'force');
  const { network, state, learner, scaling, trained } = loop;
  if (isRidge(learner)) throw argumentError('a RecursiveLeastSquares or LeastMeanSquares', 'readout', learner);
  if (typeof targets !== 'object' || targets === null) throw argumentError('a series', 'targets', targets);
  const outputs = columnsOf(targets) ?? 1;
  const steps = 'rows' in targets ? targets.rows : targets.length;
  const wanted = readWanted(targets, steps, outputs, scaling, network);
  if (wanted.some(Number.isNaN)) throw rangeError('finite numbers', 'targets', Number.NaN);
  const given = readGiven({ network, scaling, outputs }, options.inputs, steps);
  const last = new Float64Array(outputs);
  trained?.read(network.featuresOf(state), last);
  const input = floats(network.dtype, network.inputs);
  const row = floats(network.dtype, network.featureSize);
  const out = new Float64Array(wanted.length);
  for (let t = 0; t < steps; t++) {
    input.set(last);
    if (given) input.set(given.subarray((t * given.length) / steps, ((t + 1) * given.length) / steps), outputs);
    state.native.run(input, row);
    const target = wanted.subarray(t * outputs, (t + 1) * outputs);
    last.set(learner.update(matrix(1, row.length, row), matrix(1, outputs, target)).data);
    out.set(last, t * outputs);
  }
  if (scaling !== null) unscale(out, scaling, outputs);
  return matrix(steps, outputs, out);
}
