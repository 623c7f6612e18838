/** Series on their way through the network and the readout of an Esn, in the units of the data at both ends. */
import { checkKeys, DtesnError } from '../errors/index.js';
import { type Floats, floats, type LongRunOptions, sharedFloats } from '../native/index.js';
import type { Network, State } from '../network/index.js';
import { type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import { BLOCK_STEPS } from '../readout/index.js';
import { partOf } from './fitting.js';
import { isList, listOf } from './lists.js';
import type { PredictOptions } from './options.js';
import type { Scale, Scaling } from './scaling.js';
import type { Trained } from './trained.js';
import { readInputs, statesOf } from './training.js';

/** Steps of an asynchronous run whose features are in memory at once. */
const ASYNC_STEPS = 16 * BLOCK_STEPS;

/** Series in the units of the network, and where each starts. */
export interface BegunSeries {
  isMany: boolean;
  series: Floats[];
  begin: (i: number) => State;
}

export class Runner {
  /** That of the last fit, or of the first partialFit; null before, and where inputs are not scaled. */
  scaling: Scaling | null = null;
  readonly #network: Network;
  readonly #scale: Scale;
  #block: Floats | null = null;

  /** The network as the readout sees it. */
  constructor(network: Network, scale: Scale) {
    this.#network = network;
    this.#scale = scale;
  }

  /** The scaling of what does not learn one. Errors: ERR_DTESN_EMPTY where inputs are scaled and none is known. */
  knownScaling(): Scaling | null {
    if (this.scaling !== null || this.#scale === 'none') return this.scaling;
    const message = `Expected the units of the inputs (scale '${this.#scale}'): call fit or partialFit first`;
    throw new DtesnError('ERR_DTESN_EMPTY', message);
  }

  /** Series in the units and the dtype of the network. Errors: as those of knownScaling. */
  toNetwork(raw: readonly SeriesInput[], shared: boolean): Floats[] {
    const scaling = this.knownScaling();
    return readInputs(raw, { network: this.#network, scale: this.#scale, scaling, shared }).series;
  }

  /** Checks the series and the options of a call. */
  series(
    x: SeriesInput | readonly SeriesInput[],
    options: PredictOptions,
    { call, own, shared = false }: { call: string; own: State; shared?: boolean },
  ): BegunSeries {
    checkKeys(options, ['state', 'levels'], call);
    own.checkIdle();
    const isMany = isList(x);
    const raw = listOf<SeriesInput>(x as SeriesInput, isMany);
    const series = this.toNetwork(raw, shared);
    const { state = isMany ? 'reset' : 'carry' } = options;
    const states = statesOf(state, raw.length, own);
    const begin = (i: number) => {
      if (state === 'reset') own.reset();
      return states?.[i] ?? own;
    };
    return { isMany, series, begin };
  }

  /** Outputs of a checked series, which moves the state. */
  outputs(trained: Trained, values: Floats, state: State): Matrix {
    const { inputs } = this.#network;
    const steps = values.length / inputs;
    const out = new Float64Array(steps * trained.outputs);
    for (let from = 0; from < steps; from += BLOCK_STEPS) {
      const to = Math.min(steps, from + BLOCK_STEPS);
      const rows = this.rows(to - from);
      state.native.run(values.subarray(from * inputs, to * inputs), rows);
      trained.read(rows, out.subarray(from * trained.outputs, to * trained.outputs));
    }
    trained.toData(out);
    return matrix(steps, trained.outputs, out);
  }

  /** The same off the JavaScript thread, some thousand steps at a time; `before` of `total` steps were done. */
  async outputsAsync(
    trained: Trained,
    values: Floats,
    state: State,
    run: LongRunOptions,
    { before, total }: { before: number; total: number },
  ): Promise<Matrix> {
    const { inputs, featureSize, dtype } = this.#network;
    const steps = values.length / inputs;
    const out = new Float64Array(steps * trained.outputs);
    const block = sharedFloats(dtype, Math.min(steps, ASYNC_STEPS) * featureSize);
    for (let from = 0; from < steps; from += ASYNC_STEPS) {
      const to = Math.min(steps, from + ASYNC_STEPS);
      const rows = block.subarray(0, (to - from) * featureSize);
      const some = values.subarray(from * inputs, to * inputs);
      await this.#network.runAsync(some, { state, out: rows, ...partOf(run, before + from, total) });
      trained.read(rows, out.subarray(from * trained.outputs, to * trained.outputs));
    }
    trained.toData(out);
    return matrix(steps, trained.outputs, out);
  }

  /** Outputs of rows of features. */
  read(trained: Trained, features: Floats): Matrix {
    const rows = features.length / this.#network.featureSize;
    const out = new Float64Array(rows * trained.outputs);
    trained.read(features, out);
    trained.toData(out);
    return matrix(rows, trained.outputs, out);
  }

  /** Room for the features of so many steps, up to a block, which is kept. */
  rows(steps: number): Floats {
    const { featureSize, dtype } = this.#network;
    this.#block ??= floats(dtype, BLOCK_STEPS * featureSize);
    return this.#block.subarray(0, steps * featureSize);
  }
}
