/**
 * FORCE: an online readout learns while its own outputs are fed back, so that it meets the errors that its loop makes.
 *
 *     u(t) = [y(t - 1), inputs(t)]      y(t) = W(t - 1)' row t + b      W(t) by the target of step t
 *
 * Source: Sussillo & Abbott (2009), "Generating coherent patterns of activity from chaotic neural networks", Neuron 63(4).
 */
import { argumentError, checkKeys, shapeError } from '../errors/index.js';
import { type Floats, floats } from '../native/index.js';
import type { Network, State } from '../network/index.js';
import { type Matrix, matrix, readSeries, type SeriesInput } from '../numeric/index.js';
import { isRidge } from '../readout/index.js';
import type { Learner } from './options.js';
import { type Scaling, scaled, unscale } from './scaling.js';

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
  /** Targets, steps x outputs, in the units of the network. */
  wanted: Float64Array;
  outputs: number;
  /** The output that is fed back first. */
  last: Float64Array;
}

/** Returns the outputs before each step was learned, in the units of the data. */
export function force(loop: ForceLoop, options: ForceOptions): Matrix {
  checkKeys(options, ['inputs'], 'force');
  const { network, state, learner, scaling, wanted, outputs, last } = loop;
  if (isRidge(learner)) throw argumentError('a RecursiveLeastSquares or LeastMeanSquares', 'readout', learner);
  const steps = wanted.length / outputs;
  const given = readGiven(loop, options.inputs, steps);
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

function readGiven(
  { network, scaling, outputs }: ForceLoop,
  inputs: SeriesInput | undefined,
  steps: number,
): Floats | null {
  const beyond = network.inputs - outputs;
  if (beyond < 0) throw shapeError(`targets with up to ${network.inputs} columns (inputs of the network)`, outputs);
  if (beyond === 0) {
    if (inputs !== undefined) throw shapeError('no inputs (the outputs are all inputs of the network)', 'some');
    return null;
  }
  if (inputs === undefined) throw shapeError(`inputs with ${beyond} columns (those beyond the outputs)`, 'none');
  const { owner, dtype } = network;
  const target = { inputs: beyond, dtype: 'f64', shared: false, owner, argument: 'inputs' } as const;
  const read = readSeries(inputs, { ...target, columns: 'inputs beyond the outputs' });
  if (read.length !== steps * beyond) throw shapeError(`${steps} rows of inputs (targets)`, read.length / beyond);
  if (scaling === null) return read;
  return scaled(read, scaling, floats(dtype, read.length), beyond, outputs);
}
