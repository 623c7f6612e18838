/**
 * One-off runs of saved models, off the JavaScript thread: outputs of rows from rest, and the steps after them. Nothing of a run is kept.
 *
 * A model that a change of the configuration takes away stays until the runs that were asked for have ended.
 *
 * Errors: BridgeError not_found for an unknown model, impossible, malformed, those of RunPlaces; the signal's reason.
 */
import type { Esn } from '../../esn/index.js';
import type { State } from '../../network/index.js';
import { type Matrix, matrix } from '../../numeric/index.js';
import { BridgeError, bridgeErrorOf, MAX_RUN_ROWS } from '../messages/index.js';
import type { Counter } from '../metrics/index.js';
import type { CheckedOptions } from './options.js';
import type { PinnedNetwork, PinnedNetworks } from './pinned-networks.js';
import type { Rows } from './requests.js';
import { storedRows } from './rows.js';
import { type PlaceRequest, RunPlaces } from './run-places.js';

/** A saved model as it is listed. */
export interface ModelDescription {
  name: string;
  /** SHA-256 of its weights, readout and scaling, hexadecimal: that of sessions on it. */
  fingerprint: string;
  /** Elements of a row. */
  inputs: number;
  /** Elements of a row of outputs. */
  outputs: number;
  /** Whether its outputs are its next inputs, so that it forecasts. */
  forecasts: boolean;
  dtype: 'f32' | 'f64';
}

/** Numbers of one answer. */
const MOST_NUMBERS = 2 ** 20;
/** Products of the readout, on the JavaScript thread, between two turns of the event loop. */
const PRODUCTS = 2 ** 23;

export class ModelRuns {
  readonly #networks: PinnedNetworks;
  readonly #places: RunPlaces;
  readonly #rows: Counter;

  constructor(networks: PinnedNetworks, { metrics, clock }: Pick<CheckedOptions, 'metrics' | 'clock'>) {
    this.#networks = networks;
    const shed = metrics.counter('dtesn_shed_total', 'Requests refused or dropped before they were begun', ['reason']);
    this.#places = new RunPlaces(clock, shed);
    this.#rows = metrics.counter('dtesn_model_rows_total', 'Rows of one-off runs of saved models', ['run']);
    for (const run of ['predict', 'forecast']) this.#rows.begin({ run });
  }

  list(): ModelDescription[] {
    return [...this.#networks.names].flatMap(([name, { made }]) => {
      const { network, readout, fingerprint, model } = made;
      if (model === null || readout === null) return [];
      const { inputs, dtype } = network;
      const { outputs } = readout;
      return [{ name, fingerprint, inputs, outputs, forecasts: outputs === inputs, dtype }];
    });
  }

  /** Outputs of rows, from rest. */
  async predict(name: string, rows: Rows, request: PlaceRequest): Promise<Matrix> {
    return this.#run(name, request, async (esn, state) => {
      const series = seriesOf(esn, rows);
      const outputs = await outputsOf(esn, series, state, request.signal);
      this.#rows.inc({ run: 'predict' }, series.rows);
      return outputs;
    });
  }

  /** The steps after rows, each computed from the one before. */
  async forecast(name: string, rows: Rows, steps: number, request: PlaceRequest): Promise<Matrix> {
    return this.#run(name, request, async (esn, state) => {
      const { inputs } = esn.featured;
      const { outputs } = esn.readout;
      if (outputs !== inputs) {
        const what = `${inputs} inputs and ${outputs} outputs`;
        throw new BridgeError('impossible', `Expected a model whose outputs are its inputs, but ${name} has ${what}`);
      }
      const series = seriesOf(esn, rows);
      if (series.rows === 0) throw new BridgeError('impossible', 'Expected at least one row to forecast from');
      checkRoom(steps, outputs);
      await outputsOf(esn, series, state, request.signal);
      const [made] = await esn.forecastAsync({ steps, starts: [state], ...signalled(request) });
      this.#rows.inc({ run: 'forecast' }, series.rows + steps);
      if (made!.rows === steps) return made!;
      throw new BridgeError('impossible', `The forecast became infinite or NaN at step ${made!.rows}`);
    });
  }

  /** Ends with the runs under way. */
  close(): Promise<void> {
    return this.#places.close();
  }

  async #run<R>(name: string, request: PlaceRequest, work: (esn: Esn, state: State) => Promise<R>): Promise<R> {
    const { pinned, model } = this.#model(name);
    pinned.sessions++; // while it waits, too
    try {
      return await this.#places.run(request, async () => {
        const state = model.createState();
        try {
          return await work(model, state);
        } finally {
          state.close();
        }
      });
    } catch (error) {
      throw request.signal?.aborted ? error : bridgeErrorOf(error);
    } finally {
      this.#networks.leave(pinned);
    }
  }

  #model(name: string): { pinned: PinnedNetwork; model: Esn } {
    const pinned = this.#networks.names.get(name);
    const model = pinned?.made.model ?? null;
    if (pinned !== undefined && model !== null) return { pinned, model };
    throw new BridgeError('not_found', 'There is no such model: GET /v1/models lists those of the configuration');
  }
}

/** Rows in the units of the data, checked as those of sessions are. */
function seriesOf({ featured, readout }: Esn, rows: Rows): Matrix {
  const { inputs: width } = featured;
  const { count, data } = storedRows(rows, { width, dtype: 'f64', scaling: null }, 'rows');
  checkRoom(count, readout.outputs);
  return matrix(count, width, data);
}

function checkRoom(rows: number, outputs: number): void {
  const most = Math.min(MAX_RUN_ROWS, Math.floor(MOST_NUMBERS / outputs));
  if (rows > most) throw new BridgeError('impossible', `Expected at most ${most} rows at a time but received ${rows}`);
}

/** Outputs of every row, which move the state; a part at a time, since the readout works on the JavaScript thread. */
async function outputsOf(esn: Esn, { rows, cols, data }: Matrix, state: State, signal: AbortSignal | undefined) {
  const { outputs } = esn.readout;
  const most = Math.max(1, Math.floor(PRODUCTS / (outputs * esn.featured.featureSize)));
  const out = new Float64Array(rows * outputs);
  for (let from = 0; from < rows; from += most) {
    const to = Math.min(rows, from + most);
    const part = matrix(to - from, cols, data.subarray(from * cols, to * cols));
    const made = await esn.predictAsync(part, { state, ...signalled({ signal }) });
    out.set(made.data, from * outputs);
  }
  return matrix(rows, outputs, out);
}

function signalled({ signal }: { signal?: AbortSignal | undefined }): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
