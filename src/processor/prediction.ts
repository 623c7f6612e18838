/**
 * Answers of a trained Esn after the last step of an input: by the readout of exactly the levels that ran, with the error that is
 * known of it. The Esn reads the series as it is, so that features are not standardised unless `plan` pins it.
 */
import { argumentError, rangeError } from '../errors/index.js';
import { type Esn, type EsnLevel, featuresOf } from '../esn/index.js';
import { type DeepTreeModel, isDeepTree } from '../network/index.js';
import type { DtesnResultJson } from './result.js';
import type { ModelRun } from './stages.js';

/** The readouts of the levels as they are when it is made: later fits of the Esn, which may be under way, do not change them. */
export class Predictor {
  readonly network: DeepTreeModel;
  readonly #levels: readonly EsnLevel[];
  readonly #readsInputs: boolean;

  /**
   * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for an Esn that is not nested, that scales its inputs, is not f32, or reads more
   * than the inputs and the states of a step; DtesnError ERR_DTESN_EMPTY for one without a fit.
   */
  constructor(esn: Esn) {
    const { network, featured, levels, scale } = esn;
    if (levels.length === 0 || !isDeepTree(network)) throw argumentError('an Esn with nested', 'esn', esn);
    if (scale !== 'none') throw rangeError("'none' (the model reads inputs as they are)", 'esn.scale', scale);
    if (network.dtype !== 'f32') throw rangeError("'f32' (the model runs in it)", 'esn.network.dtype', network.dtype);
    const features = featuresOf(featured, network);
    const before = features.slice(0, -1);
    if (features.at(-1) !== 'states' || before.length > 1 || before.some((one) => one !== 'inputs')) {
      throw argumentError("['inputs', 'states'] or ['states']", 'features of esn', features);
    }
    this.network = network;
    this.#levels = levels;
    this.#readsInputs = before.length > 0;
  }

  /** The outputs after the last step, `last` its inputs; null where not even the first level ran whole. */
  predict({ state }: ModelRun, last: Float32Array): DtesnResultJson['predictions'] {
    const closed = state.gates!.indexOf(0);
    const ran = this.#levels.filter(({ membranes }) => closed < 0 || membranes <= closed).at(-1);
    if (ran === undefined) return null;
    const { levels, features, readout, nrmse } = ran;
    const inputs = this.#readsInputs ? last : [];
    const row = Float32Array.from([...inputs, ...state.data.subarray(0, features - inputs.length)]);
    const outputs = new Float64Array(readout.outputs);
    readout.applyInto(row, undefined, outputs);
    return { levels, of: this.#levels.length, outputs: [...outputs], nrmse };
  }
}
