/**
 * A network and its readout: outputs of a series, and forecasts in closed loop.
 *
 *     run        y(t) = W' [x(t), u(t)] + b
 *     forecast   u(t+1) = y(t): every output is fed back as the next input
 *
 * Both go on from where the network stands, and leave it where they end; network.reset() starts anew.
 * Errors: as run's of the network; RangeError ERR_DTESN_SHAPE for a forecast where the outputs are not the inputs;
 * DtesnError ERR_DTESN_STATE for a forecast before anything was run, or since the network was reset; DtesnError ERR_DTESN_DIVERGED when one leaves the
 * finite numbers (`cause` holds the steps until then).
 */
import { checkKeys, DtesnError, rangeError, shapeError } from '../errors/index.js';
import { floats } from '../native/index.js';
import type { Network } from '../network/index.js';
import { type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import type { LinearReadout } from './linear-readout.js';

const BLOCK_STEPS = 240;

export class TrainedNetwork {
  /** The last output, which a forecast feeds back first. */
  #last: Float64Array | null = null;
  /** How often the network's state had been set from outside then. */
  #resets = 0;

  constructor(
    readonly network: Network,
    readonly readout: LinearReadout,
  ) {}

  /** Outputs of a series, steps x outputs. */
  run(series: SeriesInput): Matrix {
    const { network, readout } = this;
    const values = network.seriesOf(series);
    const steps = values.length / network.inputs;
    const out = new Float64Array(steps * readout.outputs);
    const { featureSize } = network;
    const block = floats(network.dtype, Math.min(steps, BLOCK_STEPS) * featureSize);
    for (let from = 0; from < steps; from += BLOCK_STEPS) {
      const to = Math.min(steps, from + BLOCK_STEPS);
      const u = values.subarray(from * network.inputs, to * network.inputs);
      const states = block.subarray(0, (to - from) * featureSize);
      network.run(u, { out: states });
      const rows = out.subarray(from * readout.outputs, to * readout.outputs);
      readout.applyInto(states, readout.inputs > 0 ? u : undefined, rows);
    }
    if (steps > 0) {
      this.#last = out.slice(-readout.outputs);
      this.#resets = network.ownState.resets;
    }
    return matrix(steps, readout.outputs, out);
  }

  /** The next `steps` outputs, the first being the last one of run, fed back each in its turn. */
  forecast(steps: number, options: Record<string, never> = {}): Matrix {
    const { network, readout } = this;
    checkKeys(options, [], 'forecast');
    if (!Number.isSafeInteger(steps) || steps < 0) throw rangeError('a whole number, 0 or more,', 'steps', steps);
    if (readout.outputs !== network.inputs) {
      throw shapeError(`a readout with ${network.inputs} outputs (inputs of the network)`, readout.outputs);
    }
    if (this.#last === null || this.#resets !== network.ownState.resets) {
      throw new DtesnError('ERR_DTESN_STATE', 'Expected a series to forecast from: call run with what came before');
    }
    const out = new Float64Array(steps * readout.outputs);
    const last = this.#last;
    const input = floats(network.dtype, network.inputs);
    const features = floats(network.dtype, network.featureSize);
    for (let t = 0; t < steps; t++) {
      out.set(last, t * readout.outputs);
      input.set(last);
      if (!input.every(Number.isFinite)) throw diverged(t, out.subarray(0, t * readout.outputs), readout.outputs);
      network.run(input, { out: features });
      readout.applyInto(features, readout.inputs > 0 ? input : undefined, last);
    }
    return matrix(steps, readout.outputs, out);
  }
}

function diverged(step: number, data: Float64Array, outputs: number): DtesnError {
  const cause = matrix(step, outputs, data.slice());
  return new DtesnError('ERR_DTESN_DIVERGED', `The forecast left the finite numbers at step ${step}`, { cause });
}
