/**
 * Answers of a trained Esn after the last step of an input: by the readout of exactly the levels that ran, with the error that is
 * known of it. The Esn reads the series as it is, so that features are not standardised unless `plan` pins it.
 */
import { argumentError, rangeError } from '../errors/index.js';
import type { Esn } from '../esn/index.js';
import { type DeepTreeModel, isDeepTree } from '../network/index.js';
import type { DtesnResultJson } from './result.js';
import type { ModelRun } from './stages.js';

/**
 * The network of an Esn that can answer. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for one that is not nested, that scales its
 * inputs, is not f32, or reads more than the inputs and the states of a step; DtesnError ERR_DTESN_EMPTY for one without a fit.
 */
export function networkOfEsn(esn: Esn): DeepTreeModel {
  const { network, featured } = esn;
  if (esn.levels.length === 0 || !isDeepTree(network)) throw argumentError('an Esn with nested', 'esn', esn);
  if (esn.scale !== 'none') throw rangeError("'none' (the model reads inputs as they are)", 'esn.scale', esn.scale);
  if (network.dtype !== 'f32') throw rangeError("'f32' (the model runs in it)", 'esn.network.dtype', network.dtype);
  if (![network.units, network.inputs + network.units].includes(featured.featureSize)) {
    throw argumentError("['inputs', 'states'] or ['states']", 'features of esn', featured);
  }
  return network;
}

/** The outputs after the last step, `last` its inputs; null without an Esn. */
export function predictionOf(esn: Esn | null, { state }: ModelRun, last: Float32Array): DtesnResultJson['predictions'] {
  if (esn === null) return null;
  const { levels, featured, network } = esn;
  const closed = state.gates!.indexOf(0);
  const ran = levels.filter(({ membranes }) => closed < 0 || membranes <= closed).at(-1)!;
  const row = new Float32Array(featured.featureSize);
  row.set(state.data, featured.featureSize - state.data.length);
  if (featured !== network) row.set(last);
  return {
    levels: ran.levels,
    of: levels.length,
    outputs: [...esn.outputsOfLevels(ran.levels, row)],
    nrmse: ran.nrmse,
  };
}
