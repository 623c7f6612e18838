/** What a fit leaves: the readout, its native closed loop, and the units of its outputs. */

import { shapeError } from '../errors/index.js';
import type { Floats, NativeForecaster } from '../native/index.js';
import type { Network } from '../network/index.js';
import type { LinearReadout } from '../readout/index.js';
import { type Scaling, unscale } from './scaling.js';

export class Trained {
  readonly readout: LinearReadout;
  readonly #network: Network;
  readonly #scaling: Scaling | null;
  #forecaster: NativeForecaster<Floats> | null = null;

  constructor(network: Network, readout: LinearReadout, scaling: Scaling | null) {
    this.readout = readout;
    this.#network = network;
    this.#scaling = scaling;
  }

  get outputs(): number {
    return this.readout.outputs;
  }

  /** Inputs beyond the outputs, which a forecast is given. */
  get given(): number {
    return this.#network.inputs - this.outputs;
  }

  /** The closed loop, made when it is first asked for. */
  get forecaster(): NativeForecaster<Floats> {
    if (this.#forecaster !== null) return this.#forecaster;
    const { states, outputs, weights, bias } = this.readout;
    if (this.given < 0) {
      throw shapeError(`a readout with up to ${this.#network.inputs} outputs (inputs of the network)`, outputs);
    }
    const shape = { states, inputs: 0, outputs, intercept: true };
    this.#forecaster = this.#network.forecaster(shape, weights.data as Float64Array, bias);
    return this.#forecaster;
  }

  /** Outputs of rows of features, in the units of the network. */
  read(features: Floats, out: Float64Array): void {
    this.readout.applyInto(features, undefined, out);
  }

  /** Outputs in the units of the data, in place. */
  toData(out: Float64Array): void {
    if (this.#scaling !== null && this.given >= 0) unscale(out, this.#scaling, this.outputs);
  }
}
