/** Inputs that a closed loop is given beside its own outputs. */
import { shapeError } from '../errors/index.js';
import { type Floats, floats, sharedFloats } from '../native/index.js';
import type { Network } from '../network/index.js';
import { readSeries, type SeriesInput } from '../numeric/index.js';
import { type Scaling, scaled } from './scaling.js';

/** What is fed back: outputs of a readout, as the first inputs of a network. */
export interface FedBack {
  network: Network;
  scaling: Scaling | null;
  outputs: number;
}

/**
 * The inputs beyond the outputs, in the units and the dtype of the network; null where there are none. Errors: ERR_DTESN_SHAPE for more
 * outputs than inputs, and for inputs that are missing, too many, or of other steps.
 */
export function readGiven(
  { network, scaling, outputs }: FedBack,
  inputs: SeriesInput | undefined,
  steps: number,
  shared = false,
): Floats | null {
  const given = network.inputs - outputs;
  if (given < 0) throw shapeError(`targets with up to ${network.inputs} columns (inputs of the network)`, outputs);
  if (given === 0) {
    if (inputs !== undefined) throw shapeError('no inputs (the outputs are all inputs of the network)', 'some');
    return null;
  }
  if (inputs === undefined) throw shapeError(`inputs with ${given} columns (those beyond the outputs)`, 'none');
  const { dtype, owner } = network;
  const target = { inputs: given, dtype: 'f64', shared: false, owner, argument: 'inputs' } as const;
  const read = readSeries(inputs, { ...target, columns: 'inputs beyond the outputs' });
  if (read.length !== steps * given) throw shapeError(`inputs with ${steps} rows (steps)`, read.length / given);
  const out = shared ? sharedFloats(dtype, read.length) : floats(dtype, read.length);
  if (scaling === null) out.set(read);
  else scaled(read, scaling, out, given, outputs);
  return out;
}
