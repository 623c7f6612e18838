/**
 * Runs requests through a processor: those that wait together run as one native batch.
 *
 *     wait = batchWaitMs (1 - waiting / size)²        ms since the oldest arrived, while the model is idle; 0 when full
 *
 * `size` is `execution.batchSize` of the plan of the last results, 8 before the first; what waited for a batch runs in ENOUGH at most.
 * While `lanes` batches are under way, requests gather without a wait of their own. One more begins once as many wait as each of
 * those has, where that is LEAST_EACH at least, so that it is prepared (context and tokens) when one of them ends; where a full
 * one waits, AHEAD begin.
 *
 * Results equal those of `processor.process` to rounding (1e-5 relative, f32): batches sum in another order. They depend
 * neither on the batch nor on its size, to the bit, while the plan is the same.
 *
 * Errors: BridgeError of the queue (admission-queue.ts) and of the input (failures.ts); the signal's reason; 429
 * too_many_streams and client_share for streams. Metric: dtesn_batch_size, and those of the queue.
 */
import { z } from 'zod';
import { type Clock, Underway } from '../../abort/index.js';
import { argumentError, checkOptions } from '../../errors/index.js';
import type { DtesnProcessor, DtesnResultJson } from '../../processor/index.js';
import { bridgeErrorOf } from '../messages/index.js';
import type { Histogram, MetricsRegistry } from '../metrics/index.js';
import {
  type Admission,
  AdmissionQueue,
  type QueueBounds,
  type QueueOptions,
  queueOptionsSchema,
} from './admission-queue.js';
import { chunkedStream } from './chunked-stream.js';
import { type ModelRequest, type Outcome, runTogether } from './native-batch.js';
import { paceOf } from './pace.js';
import { bytesOf } from './request-bytes.js';
import type {
  BatchEntry,
  ChunkOutcome,
  ModelInput,
  RequestOptions,
  StreamChunk,
  StreamOptions,
  StreamSummary,
} from './types.js';
import { Uses } from './uses.js';

export interface BatchRunnerOptions extends QueueOptions {
  /** Where requests run; it stays open when the runner closes. */
  processor: DtesnProcessor;
  metrics: MetricsRegistry;
  /** Milliseconds that a batch which is not full may wait for more requests while the model is idle, 0 to 5; 1 by default. */
  batchWaitMs?: number | undefined;
  /** Batches that begin as soon as requests wait, 1 to 1,024; all usable CPUs but one by default (pace.ts). */
  lanes?: number | undefined;
  /** Chunked streams under way, 2 to 100,000; 256 by default. A client may have half of them. */
  maxStreams?: number | undefined;
}

/** What may change while it runs, as in BatchRunnerOptions. */
export interface RunnerBounds extends QueueBounds {
  batchWaitMs: number;
  maxStreams: number;
}

export const batchRunnerOptionsSchema = queueOptionsSchema.extend({
  processor: z.custom<DtesnProcessor>((value) => value !== undefined).describe('a DtesnProcessor'),
  metrics: z.custom<MetricsRegistry>((value) => value !== undefined).describe('a MetricsRegistry'),
  batchWaitMs: z.number().min(0).max(5).default(1).describe('milliseconds, 0 to 5'),
  lanes: z.int().min(1).max(1024).optional().describe('a whole number of batches, 1 to 1024'),
  maxStreams: z.int().min(2).max(100_000).default(256).describe('a whole number of streams, 2 to 100000'),
});

const FIRST_SIZE = 8;
/** Requests of a batch after or beside others: more take hardly less time each, since the product is bound by its arithmetic. */
const ENOUGH = 8;
/** Batches that are prepared while the model is busy and a full one waits. */
const AHEAD = 2;
/** Requests of a batch beside which one more begins: the end of a small one comes soon. */
const LEAST_EACH = 4;
const SIZE_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128];

/** What a request has beside its admission. */
interface RequestParts
  extends Pick<ModelRequest, 'context' | 'traceparent'>,
    Partial<Pick<ModelRequest, 'processor' | 'continuation'>> {
  /** Whether the bounds of the queue do not apply. */
  reserved?: boolean;
}

export class BatchRunner implements AsyncDisposable {
  readonly #queue: AdmissionQueue<ModelRequest>;
  readonly #clock: Clock;
  #batchWaitMs: number;
  readonly #lanes: number;
  #maxStreams: number;
  readonly #sizes: Histogram;
  readonly #uses = new Uses<DtesnProcessor>();
  readonly #streams = new Map<string, number>();
  readonly #running = new Underway();
  /** Those of the batches under way that have not left the model. */
  #inModel = 0;
  /** Requests of these batches. */
  #requestsInModel = 0;
  #processor: DtesnProcessor;
  #size = FIRST_SIZE;
  #turn: NodeJS.Immediate | null = null;
  /** Resolves when the batch that began last has had its turn of the event loop: those that end meanwhile are answered in their order. */
  #begun: Promise<void> | null = null;
  #cancelWait = () => {};

  constructor(options: BatchRunnerOptions) {
    const { processor, metrics, batchWaitMs, lanes, maxStreams, ...queue } = checkOptions(
      batchRunnerOptionsSchema,
      options,
      'BatchRunner',
    );
    this.#processor = processor;
    this.#clock = queue.clock;
    this.#batchWaitMs = batchWaitMs;
    this.#lanes = lanes ?? paceOf().lanes;
    this.#maxStreams = maxStreams;
    this.#queue = new AdmissionQueue(metrics, queue, () => this.#nextTurn());
    this.#sizes = metrics.histogram('dtesn_batch_size', 'Requests of a native batch', SIZE_BOUNDS);
  }

  /** Further requests and streams have other bounds. */
  setBounds({ batchWaitMs, maxStreams, ...queue }: RunnerBounds): void {
    this.#batchWaitMs = batchWaitMs;
    this.#maxStreams = maxStreams;
    this.#queue.setBounds(queue);
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /** Chunked streams under way. */
  get streams(): number {
    return [...this.#streams.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Processes one input. */
  async process(
    input: ModelInput,
    { context, traceparent, ...admission }: RequestOptions = {},
  ): Promise<DtesnResultJson> {
    const [outcome] = await this.#submit([input], admission, { context, traceparent });
    return resultOf(outcome!, admission.signal);
  }

  /** Processes many inputs, which are admitted all or none: an entry for each, in order. */
  async processBatch(
    inputs: readonly ModelInput[],
    { context, traceparent, ...admission }: RequestOptions = {},
  ): Promise<BatchEntry[]> {
    if (!Array.isArray(inputs)) throw argumentError('an array of inputs', 'inputs', inputs);
    const outcomes = await this.#submit(inputs, admission, { context, traceparent });
    admission.signal?.throwIfAborted();
    return outcomes.map((outcome) => {
      if (outcome.ok) return outcome;
      const { code, message } = bridgeErrorOf(outcome.error);
      return { ok: false, error: { code, message } };
    });
  }

  /**
   * Processes a long input in chunks (chunked-stream.ts). `budgetMs` is for the first chunk; the next one of a stream under
   * way is admitted though the queue be full, since streams are bounded by `maxStreams`.
   */
  async *processStream(
    chunks: AsyncIterable<StreamChunk>,
    { context, traceparent, totalBytes, ...admission }: StreamOptions = {},
  ): AsyncGenerator<ChunkOutcome | StreamSummary, void, void> {
    const { client = '', signal } = admission;
    signal?.throwIfAborted();
    this.#beginStream(client);
    const processor = this.#processor;
    this.#uses.hold(processor);
    try {
      const parts = { context, traceparent, processor, continuation: processor.openContinuation() };
      const run = async (input: ModelInput, index: number, bytes: number) => {
        const first = index === 0;
        const own: Admission = { ...admission, bytes, budgetMs: first ? admission.budgetMs : undefined };
        const [outcome] = await this.#submit([input], own, { ...parts, reserved: !first });
        return resultOf(outcome!, signal);
      };
      yield* chunkedStream(chunks, { run, clock: this.#clock, totalBytes, signal });
    } finally {
      this.#uses.free(processor);
      this.#endStream(client);
    }
  }

  /**
   * Further requests run on another processor. Resolves with the old one once no batch and no stream uses it, for the caller
   * to close.
   */
  async replace(processor: DtesnProcessor): Promise<DtesnProcessor> {
    const old = this.#processor;
    this.#processor = processor;
    await this.#uses.none(old);
    return old;
  }

  /** Drops waiting requests with 503 draining and waits for the batches under way. */
  async close(): Promise<void> {
    this.#queue.close();
    this.#cancelWait();
    if (this.#turn !== null) clearImmediate(this.#turn);
    await this.#running.none();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // ---- requests ----

  async #submit(inputs: readonly ModelInput[], admission: Admission, parts: RequestParts): Promise<Outcome[]> {
    const bytes = admission.bytes ?? inputs.reduce<number>((sum, input) => sum + bytesOf(input), 0);
    const { context, traceparent, processor = this.#processor, continuation = null, reserved = false } = parts;
    const outcomes: Promise<Outcome>[] = [];
    const requests = inputs.map((input): ModelRequest => {
      let settle: ModelRequest['settle'] = () => {};
      const outcome = new Promise<Outcome>((resolve) => {
        settle = resolve;
      });
      outcomes.push(outcome.then((settled) => this.#learn(settled)));
      return { input, processor, context, continuation, traceparent, signal: admission.signal, settle };
    });
    const shed = ({ settle }: ModelRequest, error: unknown) => settle({ ok: false, error });
    this.#queue.admit(requests, { ...admission, bytes }, shed, reserved);
    this.#uses.hold(processor);
    try {
      return await Promise.all(outcomes);
    } finally {
      this.#uses.free(processor);
    }
  }

  /** The size of further batches is that of the newest plan. */
  #learn(outcome: Outcome): Outcome {
    if (outcome.ok) this.#size = outcome.result.execution.batchSize;
    return outcome;
  }

  #beginStream(client: string): void {
    const own = this.#streams.get(client) ?? 0;
    if (this.streams >= this.#maxStreams) {
      throw this.#queue.refusal('too_many_streams', `${this.#maxStreams} streams are under way`);
    }
    if (own + 1 > this.#maxStreams / 2) {
      const most = Math.floor(this.#maxStreams / 2);
      throw this.#queue.refusal('client_share', `One client may have ${most} streams under way`);
    }
    this.#streams.set(client, own + 1);
  }

  #endStream(client: string): void {
    const left = this.#streams.get(client)! - 1;
    if (left > 0) this.#streams.set(client, left);
    else this.#streams.delete(client);
  }

  // ---- batches ----

  /** After what has arrived in this turn of the event loop: requests of many sockets come in one. */
  #nextTurn(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = null;
      this.#begin();
    });
  }

  /** `wasBusy` says whether what waits has waited for a batch. */
  #begin(wasBusy = false): void {
    this.#cancelWait();
    for (;;) {
      const { waiting } = this.#queue;
      const full = waiting >= this.#size;
      if (waiting === 0 || this.#inModel >= this.#lanes + (full ? AHEAD : this.#oneMore(waiting))) return;
      const wait = full ? 0 : this.#batchWaitMs * (1 - waiting / this.#size) ** 2 - this.#queue.oldestMs;
      if (wait > 0) {
        this.#cancelWait = this.#clock.after(wait, () => this.#begin(), { hold: true });
        return;
      }
      const most = wasBusy || this.#inModel > 0 ? Math.min(this.#size, ENOUGH) : this.#size;
      this.#run(this.#queue.take(most));
    }
  }

  /** Batches that may begin beside those of all lanes, 0 or 1. */
  #oneMore(waiting: number): number {
    const each = this.#requestsInModel / this.#inModel;
    return each >= LEAST_EACH && waiting >= each ? 1 : 0;
  }

  #run(requests: readonly ModelRequest[]): void {
    if (requests.length === 0) return;
    this.#sizes.observe({}, requests.length);
    this.#inModel++;
    this.#requestsInModel += requests.length;
    const leave = () => this.#leaveModel(requests.length);
    void this.#running.during(runTogether(requests, leave));
  }

  /** The next batch enters the model before the answers of this one take the event loop. */
  async #leaveModel(requests: number): Promise<void> {
    this.#inModel--;
    this.#requestsInModel -= requests;
    if (this.#queue.waiting > 0) {
      this.#begin(true);
      this.#begun = new Promise((resolve) => setImmediate(resolve));
    }
    await this.#begun;
  }
}

/** The result, or its error: the signal's reason where the caller left. */
function resultOf(outcome: Outcome, signal: AbortSignal | undefined): DtesnResultJson {
  if (outcome.ok) return outcome.result;
  signal?.throwIfAborted();
  throw bridgeErrorOf(outcome.error);
}
