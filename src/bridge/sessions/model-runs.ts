/**
 * One-off runs of saved models, off the JavaScript thread: outputs of rows from rest, and the steps after them. Nothing of a run is kept.
 *
 * A model that a change of the configuration takes away stays until the runs that were asked for have ended.
 *
 * Errors: BridgeError not_found for an unknown model, impossible, malformed, memory, those of RunPlaces; the signal's reason.
 */
import type { Esn } from '../../esn/index.js';
import type { State } from '../../network/index.js';
import { type Matrix, matrix } from '../../numeric/index.js';
import { BridgeError, bridgeErrorOf, MAX_RUN_ROWS } from '../messages/index.js';
import type { Counter } from '../metrics/index.js';
import { AnswerRoom } from './answer-room.js';
import type { SessionNetwork } from './networks.js';
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

/** Numbers of one answer, whose JSON is made on the JavaScript thread. */
const MOST_NUMBERS = 2 ** 17;
/** Bytes of a number of an answer, about. */
const NUMBER_BYTES = 20;
/** Bytes of one answer in its room: all that are not yet read may take four times as many, those of one client half of that. */
const ROOM_BYTES = 16 * 2 ** 20;
/** Products of the readout, on the JavaScript thread, between two turns of the event loop. */
const PRODUCTS = 2 ** 23;

/** A run: who asks, and what becomes of its outputs. */
export interface ModelRunRequest<R> extends PlaceRequest {
  /** Makes the answer of the outputs. The place is kept until then, so that answers do not pile up. Default: the outputs. */
  answer?: ((outputs: Matrix) => R | Promise<R>) | undefined;
  /** Settles when the answer has left or its connection is gone; it has its room till then. Default: when it is made. */
  sent?: Promise<unknown> | undefined;
}

export class ModelRuns {
  readonly #networks: PinnedNetworks;
  readonly #places: RunPlaces;
  readonly #room = new AnswerRoom(ROOM_BYTES);
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

  /** Milliseconds that a run may wait for its place; 60,000 until it is set. */
  setWait(ms: number): void {
    this.#places.setWait(ms);
  }

  /** Outputs of rows, from rest. */
  async predict<R = Matrix>(name: string, rows: Rows, request: ModelRunRequest<R>): Promise<R> {
    return this.#run(name, countOf(rows), request, async ({ esn, state, made, signal }) => {
      const series = seriesOf(made, rows);
      const outputs = await outputsOf(esn, series, state, signal);
      const beyond = outputs.data.findIndex((value) => !Number.isFinite(value));
      if (beyond >= 0) {
        const row = Math.floor(beyond / outputs.cols);
        throw new BridgeError('impossible', `The outputs of row ${row} are infinite or NaN: it is far from the data`);
      }
      this.#rows.inc({ run: 'predict' }, series.rows);
      return outputs;
    });
  }

  /** The steps after rows, each computed from the one before. */
  async forecast<R = Matrix>(name: string, rows: Rows, steps: number, request: ModelRunRequest<R>): Promise<R> {
    return this.#run(name, steps, request, async ({ esn, state, made, signal }) => {
      const { inputs } = esn.featured;
      const { outputs } = esn.readout;
      if (outputs !== inputs) {
        const what = `${inputs} inputs and ${outputs} outputs`;
        throw new BridgeError('impossible', `Expected a model whose outputs are its inputs, but ${name} has ${what}`);
      }
      const series = seriesOf(made, rows);
      if (series.rows === 0) throw new BridgeError('impossible', 'Expected at least one row to forecast from');
      await outputsOf(esn, series, state, signal);
      const [ahead] = await esn.forecastAsync({ steps, starts: [state], signal });
      this.#rows.inc({ run: 'forecast' }, series.rows + steps);
      if (ahead!.rows === steps) return ahead!;
      throw new BridgeError('impossible', `The forecast became infinite or NaN at step ${ahead!.rows}`);
    });
  }

  /** Ends with the runs under way. */
  drain(): Promise<void> {
    return this.#places.drain();
  }

  /** Ends the runs under way with `draining`. */
  close(): Promise<void> {
    return this.#places.close();
  }

  async #run<R>(
    name: string,
    count: number,
    request: ModelRunRequest<R>,
    work: (run: Run) => Promise<Matrix>,
  ): Promise<R> {
    const { pinned, esn } = this.#model(name);
    const { outputs } = esn.readout;
    checkCount(count, outputs);
    const { client, sent, answer = (made: Matrix) => made as R } = request;
    pinned.sessions++; // while it waits, too
    try {
      return await this.#places.run(request, async (signal) => {
        const leave = this.#room.takeFor(client, count * outputs * NUMBER_BYTES, sent);
        const state = esn.createState();
        try {
          return await answer(await work({ esn, state, made: pinned.made, signal }));
        } finally {
          state.close();
          leave();
        }
      });
    } catch (error) {
      throw request.signal?.aborted ? error : bridgeErrorOf(error);
    } finally {
      this.#networks.leave(pinned);
    }
  }

  #model(name: string): { pinned: PinnedNetwork; esn: Esn } {
    const pinned = this.#networks.names.get(name);
    const esn = pinned?.made.model ?? null;
    if (pinned !== undefined && esn !== null) return { pinned, esn };
    throw new BridgeError('not_found', 'There is no such model: GET /v1/models lists those of the configuration');
  }
}

interface Run {
  esn: Esn;
  state: State;
  made: SessionNetwork;
  signal: AbortSignal;
}

function countOf(rows: Rows): number {
  return 'data' in rows ? rows.rows : rows.length;
}

/** Rows in the units of the data, all checked as those of sessions are: in the dtype and the units of the network, too. */
function seriesOf({ network, inputScaling }: SessionNetwork, rows: Rows): Matrix {
  const { inputs: width, dtype } = network;
  const { count, data } = storedRows(rows, { width, dtype: 'f64', scaling: null }, 'rows');
  if (dtype !== 'f64' || inputScaling !== null) storedRows(rows, { width, dtype, scaling: inputScaling }, 'rows');
  return matrix(count, width, data);
}

function checkCount(count: number, outputs: number): void {
  const most = Math.min(MAX_RUN_ROWS, Math.floor(MOST_NUMBERS / outputs));
  if (count <= most) return;
  const what = `Expected at most ${most} rows of ${outputs} outputs in an answer but received ${count}`;
  throw new BridgeError('impossible', what, { details: { rows: most } });
}

/** Outputs of every row, which move the state; a part at a time, since the readout works on the JavaScript thread. */
async function outputsOf(esn: Esn, { rows, cols, data }: Matrix, state: State, signal: AbortSignal) {
  const { outputs } = esn.readout;
  const most = Math.max(1, Math.floor(PRODUCTS / (outputs * esn.featured.featureSize)));
  const out = new Float64Array(rows * outputs);
  for (let from = 0; from < rows; from += most) {
    const to = Math.min(rows, from + most);
    const part = matrix(to - from, cols, data.subarray(from * cols, to * cols));
    const made = await esn.predictAsync(part, { state, signal });
    out.set(made.data, from * outputs);
  }
  return matrix(rows, outputs, out);
}
