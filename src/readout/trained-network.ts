/** A network and its readout: outputs of a series, and forecasts in closed loop. */
import { checkKeys, DtesnError, rangeError, shapeError } from '../errors/index.js';
import { type Floats, floats, longRun, longRunKeys, type NativeForecaster } from '../native/index.js';
import { checkState, type Network, State } from '../network/index.js';
import { type Matrix, matrix, type SeriesInput } from '../numeric/index.js';
import {
  checkSteps,
  diverged,
  type ForecastAsyncOptions,
  type ForecastBatchAsyncOptions,
  type ForecastOptions,
  type ForecastStarts,
  forecastsOf,
  numbers,
  type PreparedStarts,
  prepareStarts,
} from './forecast.js';
import type { LinearReadout } from './linear-readout.js';

const BLOCK_STEPS = 240;

/** The last output of a state, which a forecast feeds back first. */
interface Last {
  /** On shared memory: native code writes there. */
  output: Float64Array;
  /** `resets` of the state when it was stored. */
  resets: number;
}

/**
 * A network and its readout: outputs of a series, and forecasts in closed loop.
 *
 *     run        y(t) = W' [x(t), u(t)] + b
 *     forecast   u(t+1) = y(t): every output is fed back as the next input
 *
 * Both continue from a state, the network's own by default, and update it; state.reset() (network.reset() for the own
 * one) starts from rest. A forecast is one native call, and so are forecasts from many starts.
 * Errors: as run's of the network; RangeError ERR_DTESN_SHAPE for a forecast where the outputs are not the inputs;
 * DtesnError ERR_DTESN_STATE for a forecast before a run, or after a reset of the state; DtesnError ERR_DTESN_DIVERGED
 * when a single forecast becomes infinite or NaN (`cause` holds the rows before).
 * @deprecated Esn has the network and its readout in one object; removed in the next minor version.
 */
export class TrainedNetwork {
  readonly #lasts = new WeakMap<State, Last>();
  /** Null where the outputs are not the inputs. */
  readonly #forecaster: NativeForecaster<Floats> | null;

  constructor(
    /** The network that the readout belongs to. */
    readonly network: Network,
    /** The trained map of the network's features. */
    readonly readout: LinearReadout,
  ) {
    const { states, inputs, outputs, weights, bias } = readout;
    const shape = { states, inputs, outputs, intercept: true };
    const loops = outputs === network.inputs;
    this.#forecaster = loops ? network.forecaster(shape, weights.data as Float64Array, bias) : null;
  }

  /** Outputs of a series, steps x outputs. */
  run(series: SeriesInput, options: ForecastOptions = {}): Matrix {
    const { network, readout } = this;
    const state = this.#stateOf(options, [], 'run');
    const values = network.seriesOf(series);
    const steps = values.length / network.inputs;
    const out = new Float64Array(steps * readout.outputs);
    const { featureSize } = network;
    const block = floats(network.dtype, Math.min(steps, BLOCK_STEPS) * featureSize);
    for (let from = 0; from < steps; from += BLOCK_STEPS) {
      const to = Math.min(steps, from + BLOCK_STEPS);
      const u = values.subarray(from * network.inputs, to * network.inputs);
      const states = block.subarray(0, (to - from) * featureSize);
      network.run(u, { state, out: states });
      const rows = out.subarray(from * readout.outputs, to * readout.outputs);
      readout.applyInto(states, readout.inputs > 0 ? u : undefined, rows);
    }
    if (steps > 0) this.#remember(state, out.subarray(-readout.outputs));
    return matrix(steps, readout.outputs, out);
  }

  /** The next `steps` outputs, each computed from the one before; the first input is the last output of run. */
  forecast(steps: number, options: ForecastOptions = {}): Matrix {
    const state = this.#stateOf(options, [], 'forecast');
    const last = this.#lastOf(state, steps);
    const out = numbers(steps * last.length, false);
    return this.#checked(this.#closedLoop().run(state.native, last, out, null), out, steps);
  }

  /** The same off the JavaScript thread. An abort stops within 32 steps; the state is then that after the steps done. */
  async forecastAsync(steps: number, options: ForecastAsyncOptions = {}): Promise<Matrix> {
    const state = this.#stateOf(options, longRunKeys, 'forecastAsync');
    const last = this.#lastOf(state, steps);
    const out = numbers(steps * last.length, true);
    const start = (control: Int32Array) => this.#closedLoop().runAsync(state.native, last, out, null, control);
    const done = await State.during([state], () => longRun(start, options, { stage: 'forecast', total: steps }));
    return this.#checked(done, out, steps);
  }

  /**
   * Forecasts from many starts, stepped together: states that `run` of this object was called with, or rows of states
   * and of their first inputs. The numbers depend neither on the threads nor on which starts are batched together; they
   * equal those of `forecast` to rounding. A forecast that becomes infinite or NaN ends there, with fewer rows.
   */
  forecastBatch(starts: ForecastStarts, steps: number): Matrix[] {
    const loop = this.#closedLoop();
    const batch = prepareStarts(this.network, starts, steps, false, (state) => this.#lastOf(state, steps));
    loop.runMany(...this.#batchArguments(batch));
    this.#rememberAll(batch);
    return forecastsOf(batch, steps, this.readout.outputs);
  }

  /** The same off the JavaScript thread. Progress counts the steps of all starts; an abort leaves states as after the steps done. */
  async forecastBatchAsync(
    starts: ForecastStarts,
    steps: number,
    options: ForecastBatchAsyncOptions = {},
  ): Promise<Matrix[]> {
    checkKeys(options, ['threads', ...longRunKeys], 'forecastBatchAsync');
    const { threads } = options;
    if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
      throw rangeError('a whole number of threads, 1 or more', 'threads', threads);
    }
    const loop = this.#closedLoop();
    const batch = prepareStarts(this.network, starts, steps, true, (state) => this.#lastOf(state, steps));
    const start = async (control: Int32Array) => {
      await loop.runManyAsync(...this.#batchArguments(batch), control, threads);
      this.#rememberAll(batch);
      return batch.done.reduce((sum, one) => sum + one, 0);
    };
    const states = Array.isArray(batch.states) ? batch.states : [];
    await State.during(states, () => longRun(start, options, { stage: 'forecast', total: batch.done.length * steps }));
    return forecastsOf(batch, steps, this.readout.outputs);
  }

  #stateOf(options: ForecastOptions, more: readonly string[], owner: string): State {
    checkKeys(options, ['state', ...more], owner);
    const { state = this.network.ownState } = options;
    checkState(this.network, state, 'state');
    return state;
  }

  #closedLoop(): NativeForecaster<Floats> {
    if (this.#forecaster !== null) return this.#forecaster;
    const { network, readout } = this;
    throw shapeError(`a readout with ${network.inputs} outputs (inputs of the network)`, readout.outputs);
  }

  #lastOf(state: State, steps: number): Float64Array {
    checkSteps(steps);
    this.#closedLoop();
    const last = this.#lasts.get(state);
    if (last !== undefined && last.resets === state.resets) return last.output;
    throw new DtesnError(
      'ERR_DTESN_STATE',
      'Expected a run before the forecast: call run with the series that precedes it',
    );
  }

  #remember(state: State, output: Float64Array): void {
    const last = this.#lasts.get(state) ?? { output: numbers(this.readout.outputs, true), resets: 0 };
    last.output.set(output);
    last.resets = state.resets;
    this.#lasts.set(state, last);
  }

  #checked(done: number, out: Float64Array, steps: number): Matrix {
    const { outputs } = this.readout;
    if (done < steps) throw diverged(done, out, outputs);
    return matrix(steps, outputs, out);
  }

  #batchArguments({ states, last, out, done }: PreparedStarts) {
    const native = Array.isArray(states) ? states.map((state) => state.native) : states;
    return [native, this.network.ownState.gates, last, out, done, null] as const;
  }

  /** Stores the new last outputs of the states of a batch. */
  #rememberAll({ states, last }: PreparedStarts): void {
    if (!Array.isArray(states)) return;
    const { outputs } = this.readout;
    states.forEach((state, i) => {
      this.#remember(state, last.subarray(i * outputs, (i + 1) * outputs));
    });
  }
}
