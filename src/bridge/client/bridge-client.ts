/** A client of the bridge for Node: over TCP or a Unix socket, with connections that are kept. */
import { randomUUID } from 'node:crypto';
import { CircuitBreaker } from '../../abort/index.js';
import { argumentError, checkOptions } from '../../errors/index.js';
import type { DtesnResultJson, EngineContext } from '../../processor/index.js';
import {
  type AdmitMessage,
  admitAnswerSchema,
  batchAnswerSchema,
  dispatchAnswerSchema,
  type EnginesMessage,
  enginesAnswerSchema,
  type InputMessage,
  modelRowsSchema,
  type PickMessage,
  pickAnswerSchema,
  sessionSchema,
  ticketAnswerSchema,
} from '../messages/index.js';
import { parseAddress } from './address.js';
import { BridgeSession } from './bridge-session.js';
import { isBridgeCallError } from './call-error.js';
import { type BridgeEvent, bridgeEvents } from './events.js';
import { type Call, Exchange } from './exchange.js';
import {
  type BridgeClientOptions,
  bridgeClientOptionsSchema,
  type CallOptions,
  callOptionsSchema,
  type EventsOptions,
  eventsOptionsSchema,
  type ProcessCallOptions,
  processOptionsSchema,
  type SessionOptions,
  type StreamCallOptions,
  sessionOptionsSchema,
  streamOptionsSchema,
  type TracedCallOptions,
} from './options.js';
import { type ProcessStreamEvent, processStream, type StreamedInput, streamCall } from './process-stream.js';
import { ClientToken } from './token.js';
import { Transport } from './transport.js';

/** A series as typed numbers, sent as they lie in memory: rows of `features` numbers, one after the other. */
export interface SeriesFrame {
  values: Float32Array | Float64Array;
  features: number;
}

/** The body of BridgeClient.pick: what is known of the request that looks for an engine. */
export interface PickRequest {
  /** Requests of one session go to one engine where that costs little; 1 to 256 characters. Default: none. */
  session?: string | undefined;
  /** Tokens of the prompt: engines without so much free KV memory cost more. Default: unknown. */
  promptTokens?: number | undefined;
  /** Objective for the time to the first token, in milliseconds. Default: none. */
  sloTtftMs?: number | undefined;
  /** Objective for the time between two tokens, in milliseconds. Default: none. */
  sloTpotMs?: number | undefined;
}

/** The body of BridgeClient.admit: a request, and what its first token may take. */
export interface AdmitRequest {
  /** Tokens of the prompt, 0 or more. Required. */
  promptTokens: number;
  /** Milliseconds within which the first token shall come, in (0, 86,400,000]. Required. */
  ttftSloMs: number;
  /** Share of that time that the prediction may take, in (0, 10]. Default 0.85. */
  margin?: number | undefined;
  /** Below 0: sheddable work, which is refused at half of the limit. Default 0. */
  priority?: number | undefined;
  /** Requests of one session share a prefix; 1 to 256 characters. Default: none. */
  session?: string | undefined;
}

/** The body of BridgeClient.dispatch: a request was sent to an engine. */
export interface DispatchRequest {
  /** Name of the engine, from pick() or engines(). Required. */
  engine: string;
  /** Tokens of the prompt, 0 or more. Default: unknown. */
  promptTokens?: number | undefined;
  /** The session of the request: its prefix is in the cache of the engine that it was sent to. Default: none. */
  session?: string | undefined;
  /** Id of the request: 1 to 128 of A-Z a-z 0-9 . _ : -. Default: made by the client. */
  ticket?: string | undefined;
}

/** The body of BridgeClient.finish: a request that was dispatched has ended. */
export interface FinishRequest {
  /** How the request ended, 1 to 64 characters: 'ok', 'error', 'aborted' ... Required. */
  outcome: string;
  /** Tokens that the engine generated, 0 or more. Default: unknown. */
  generatedTokens?: number | undefined;
  /** The header endpoint-load-metrics of the engine's answer, or its JSON. Default: none. */
  orca?: string | Record<string, unknown> | undefined;
}

/** The result of one input of a batch, or the error of that input; errors of single inputs do not reject the call. */
export type BatchItem = { ok: true; result: DtesnResultJson } | { ok: false; error: { code: string; message: string } };

const failuresInARow = 3;

/**
 * A client of the bridge for Node: over TCP or a Unix socket, with connections that are kept.
 *
 *     const bridge = new BridgeClient('http://127.0.0.1:2250', { tokenFile: '/etc/dtesn/use.token' });
 *     const picked = await bridge.pick({ promptTokens: 812 });          // null: go on with your own choice
 *
 * On the path of an engine's request (admit, pick, dispatch, firstToken, finish) it fails open: no failure of the bridge throws, no call
 * takes longer than `budgetMs`, and after 3 failures in a row, or where half of at least 5 calls of the last 10 s failed, nothing
 * is asked for `breakMs` (abort/circuit-breaker.ts). All else rejects with BridgeCallError. Nothing here loads the addon.
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for wrong arguments, BridgeCallError, DtesnError ERR_DTESN_STATE for a token
 * file that cannot be read, the signal's reason.
 */
export class BridgeClient {
  readonly #options: ReturnType<typeof bridgeClientOptionsSchema.parse>;
  readonly #transport: Transport;
  readonly #exchange: Exchange;
  readonly #breaker: CircuitBreaker;

  constructor(address: string, options: BridgeClientOptions = {}) {
    this.#options = checkOptions(bridgeClientOptionsSchema, options, 'BridgeClient');
    const { token, tokenFile, ca, clock, breakMs } = this.#options;
    if (token !== undefined && tokenFile !== undefined) {
      throw argumentError('no token beside tokenFile', 'token', token.length);
    }
    this.#transport = new Transport(parseAddress(address), ca, clock);
    this.#exchange = new Exchange(this.#transport, new ClientToken(token, tokenFile), clock);
    const limits = { inARow: failuresInARow, firstMs: breakMs, maxMs: breakMs };
    this.#breaker = new CircuitBreaker(() => 1, clock, limits);
  }

  /** The engine context: five sources, the aggregation, the plan explained. */
  context(options: CallOptions = {}): Promise<EngineContext> {
    return this.#get('/v1/context', options, 'context');
  }

  /** The engines with their states, since when, and the evidence. */
  async engines(options: CallOptions = {}): Promise<EnginesMessage> {
    const { signal } = checkOptions(callOptionsSchema, options, 'engines');
    return this.#exchange.json(this.#call('GET', '/v1/engines', signal), enginesAnswerSchema);
  }

  /** The engine for the next request with the reason, or null within `budgetMs`: go on with your own choice. Never throws. */
  async pick(request: PickRequest = {}, { signal, traceparent }: TracedCallOptions = {}): Promise<PickMessage | null> {
    const { session, promptTokens, sloTtftMs, sloTpotMs } = request;
    const json = { session, promptTokens, sloTtftMs, sloTpotMs };
    const call = { path: '/v1/pick', json, signal, headers: traced(traceparent) };
    return this.#failingOpen('pick', null, signal, (urgent) =>
      this.#exchange.json({ ...urgent, ...call }, pickAnswerSchema),
    );
  }

  /**
   * Whether a request is taken, by which engine and when its first token is expected, else when to ask again and why; null within
   * `budgetMs` where the bridge does not say: go on as if it were admitted. Never throws.
   */
  async admit(request: AdmitRequest, { signal, traceparent }: TracedCallOptions = {}): Promise<AdmitMessage | null> {
    const { promptTokens, ttftSloMs, margin, priority, session } = request;
    const json = { promptTokens, ttftSloMs, margin, priority, session };
    const call = { path: '/v1/admit', json, signal, headers: traced(traceparent) };
    return this.#failingOpen('admit', null, signal, (urgent) =>
      this.#exchange.json({ ...urgent, ...call }, admitAnswerSchema),
    );
  }

  /** Says that a request was sent to an engine; answers its ticket, also where the bridge did not hear of it. Never throws. */
  async dispatch(request: DispatchRequest, { signal, traceparent }: TracedCallOptions = {}): Promise<string> {
    const { engine, promptTokens, session, ticket = randomUUID() } = request;
    const call = {
      path: '/v1/dispatch',
      json: { engine, promptTokens, session, ticket },
      signal,
      headers: traced(traceparent),
    };
    const send = async (urgent: Call) => {
      const answer = await this.#exchange.json({ ...urgent, ...call }, dispatchAnswerSchema);
      return answer.ticket;
    };
    return this.#failingOpen('dispatch', ticket, signal, send);
  }

  /** Says that the first token of a request came; whether the bridge knows the ticket. Never throws. */
  async firstToken(ticket: string, { signal, traceparent }: TracedCallOptions = {}): Promise<boolean> {
    const call = { path: '/v1/first-token', json: { ticket }, signal, headers: traced(traceparent) };
    return this.#failingOpen('firstToken', false, signal, async (urgent) => {
      const { known } = await this.#exchange.json({ ...urgent, ...call }, ticketAnswerSchema);
      return known;
    });
  }

  /** Says how a request ended; whether the bridge knows the ticket. Never throws. */
  async finish(
    ticket: string,
    request: FinishRequest,
    { signal, traceparent }: TracedCallOptions = {},
  ): Promise<boolean> {
    const { outcome, generatedTokens, orca } = request;
    const call = {
      path: '/v1/finish',
      json: { ticket, outcome, generatedTokens, orca },
      signal,
      headers: traced(traceparent),
    };
    return this.#failingOpen('finish', false, signal, async (urgent) => {
      const { known } = await this.#exchange.json({ ...urgent, ...call }, ticketAnswerSchema);
      return known;
    });
  }

  /** The result of one input. */
  async process(input: InputMessage | SeriesFrame, options: ProcessCallOptions = {}): Promise<DtesnResultJson> {
    const { signal, priority, budgetMs, traceparent } = checkOptions(processOptionsSchema, options, 'process');
    const path = priority === undefined ? '/v1/process' : `/v1/process?priority=${priority}`;
    const own = { ...budgeted(budgetMs), ...traced(traceparent) };
    const { headers, ...body } = isFrame(input) ? frameBody(input) : { json: input, headers: {} };
    return this.#exchange.json({ ...this.#call('POST', path, signal), ...body, headers: { ...headers, ...own } });
  }

  /** The results of up to 100 inputs in their order; one that fails is an entry with its error. */
  async processBatch(inputs: readonly InputMessage[], options: ProcessCallOptions = {}): Promise<BatchItem[]> {
    const { signal, priority, budgetMs, traceparent } = checkOptions(processOptionsSchema, options, 'processBatch');
    const path = priority === undefined ? '/v1/process/batch' : `/v1/process/batch?priority=${priority}`;
    const headers = { ...budgeted(budgetMs), ...traced(traceparent) };
    const call = { ...this.#call('POST', path, signal), json: { inputs }, headers };
    const { items } = await this.#exchange.json(call, batchAnswerSchema);
    return items as unknown as BatchItem[];
  }

  /** Chunk after chunk of a long input, at the pace in which they are read; the last event is the summary. */
  async *processStream(
    input: InputMessage | StreamedInput,
    options: StreamCallOptions = {},
  ): AsyncGenerator<ProcessStreamEvent, void, void> {
    const { signal, chunk, traceparent } = checkOptions(streamOptionsSchema, options, 'processStream');
    const stop = signal ?? new AbortController().signal;
    const { headers, ...body } = streamCall(input, chunk);
    const call = { ...this.#call('POST', '/v1/process/stream', stop), ...body, signal: stop };
    yield* processStream(this.#exchange, { ...call, headers: { ...headers, ...traced(traceparent) } });
  }

  /**
   * Outputs of a saved model of the bridge, from rest, in the units of the data: rows x inputs give rows x outputs. Errors: BridgeCallError
   * `not_found` for an unknown model, `impossible` for rows of another width or more than 2^17 numbers of outputs; those of other calls.
   */
  predict(model: string, rows: readonly (readonly number[])[], options: CallOptions = {}): Promise<number[][]> {
    return this.#model(model, 'predict', { rows }, options);
  }

  /**
   * The `steps` rows that a saved model of the bridge expects after `rows`, in the units of the data: rows x inputs give steps x inputs.
   * Errors: as those of predict; `impossible` for a model whose outputs are not its inputs.
   */
  forecast(
    model: string,
    rows: readonly (readonly number[])[],
    steps: number,
    options: CallOptions = {},
  ): Promise<number[][]> {
    return this.#model(model, 'forecast', { rows, steps }, options);
  }

  /** Opens a session: a new one, or the one of this id where it left off. */
  async session(options: SessionOptions = {}): Promise<BridgeSession> {
    const checked = checkOptions(sessionOptionsSchema, options, 'session');
    const { signal, id = randomUUID(), network, targets, outputs, maxKeptRows } = checked;
    const json = { id, network, targets, outputs };
    const opened = await this.#exchange.json({ ...this.#call('POST', '/v1/sessions', signal), json }, sessionSchema);
    const { timeoutMs, retries, resumeMs } = this.#options;
    const settings = { timeoutMs, retries, resumeMs, maxKeptRows };
    const session = new BridgeSession(this.#exchange, opened, settings);
    await session.settle(signal);
    return session;
  }

  /** State changes, restarts, drains and plan changes, until the loop is left or the signal aborts. */
  async *events(options: EventsOptions = {}): AsyncGenerator<BridgeEvent, void, void> {
    const { signal, lastEventId } = checkOptions(eventsOptionsSchema, options, 'events');
    yield* bridgeEvents(this.#exchange, this.#options.timeoutMs, signal, lastEventId);
  }

  /** Ends what is under way and the connections. Sessions stay at the bridge. */
  async close(): Promise<void> {
    this.#transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #get<T>(path: string, options: CallOptions, owner: string): Promise<T> {
    const { signal } = checkOptions(callOptionsSchema, options, owner);
    return this.#exchange.json<T>(this.#call('GET', path, signal));
  }

  async #model(name: string, run: 'predict' | 'forecast', json: object, options: CallOptions): Promise<number[][]> {
    const { signal } = checkOptions(callOptionsSchema, options, run);
    const path = `/v1/models/${encodeURIComponent(name)}/${run}`;
    const { outputs } = await this.#exchange.json({ ...this.#call('POST', path, signal), json }, modelRowsSchema);
    return outputs;
  }

  #call(method: Call['method'], path: string, signal: AbortSignal | undefined): Call {
    const { timeoutMs, retries } = this.#options;
    return { method, path, timeoutMs, retries, signal };
  }

  /** What `ask` answers within the budget, else `otherwise`. An answer that refuses is no failure of the bridge, nor is an abort. */
  async #failingOpen<T>(
    name: string,
    otherwise: T,
    signal: AbortSignal | undefined,
    ask: (urgent: Call) => Promise<T>,
  ): Promise<T> {
    const pass = this.#breaker.enter();
    if (pass === null) return otherwise;
    const urgent = { method: 'POST', path: '', timeoutMs: this.#options.budgetMs, retries: 0, urgent: true } as const;
    try {
      const answer = await ask(urgent);
      this.#breaker.succeeded(pass);
      return answer;
    } catch (error) {
      const isAnswer =
        isBridgeCallError(error) && (error.code === 'no_engine' || (error.status > 0 && error.status < 500));
      if (signal?.aborted) this.#breaker.abandoned(pass);
      else if (isAnswer) this.#breaker.succeeded(pass);
      else this.#breaker.failed(pass);
      this.#report(error, name);
      return otherwise;
    }
  }

  #report(error: unknown, name: string): void {
    try {
      this.#options.onFailure?.(error, name);
    } catch (thrown) {
      process.emitWarning(`onFailure of BridgeClient threw: ${thrown}`, { code: 'DTESN_LISTENER' });
    }
  }
}

function traced(traceparent: string | undefined): Record<string, string> {
  return traceparent === undefined ? {} : { traceparent };
}

function budgeted(ms: number | undefined): Record<string, string> {
  return ms === undefined ? {} : { 'x-dtesn-budget-ms': String(ms) };
}

function isFrame(input: InputMessage | SeriesFrame): input is SeriesFrame {
  return typeof input === 'object' && input !== null && 'values' in input;
}

function frameBody({ values, features }: SeriesFrame): Pick<Call, 'bytes'> & { headers: Record<string, string> } {
  const isWide = values instanceof Float64Array;
  if (!isWide && !(values instanceof Float32Array))
    throw argumentError('a Float32Array or Float64Array', 'values', values);
  const steps = values.length / features;
  if (!Number.isSafeInteger(features) || features < 1 || !Number.isSafeInteger(steps)) {
    throw argumentError(`a number of features that divides ${values.length}`, 'features', features);
  }
  const headers = { 'x-dtesn-dtype': isWide ? 'f64' : 'f32', 'x-dtesn-shape': `${steps},${features}` };
  return { headers, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}
