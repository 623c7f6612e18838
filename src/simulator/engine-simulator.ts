/** A simulated Aphrodite server for tests: real HTTP, continuous batching in virtual time, faults on demand. */

import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { argumentError, checkOptions, currentNames, DtesnError, rangeError } from '../errors/index.js';
import type { ArrivalSource } from './arrivals.js';
import { ServerCondition } from './condition.js';
import type { SleepMode } from './engine-core.js';
import type { RequestListener } from './engine-request.js';
import { type Crossing, checkFault, type FaultKind, type FaultOptions, FaultTimeline } from './faults.js';
import { metricsText } from './metrics-text.js';
import { RandomStream } from './random-stream.js';
import { SimulatorServer } from './server.js';
import type { SimulatedRequest } from './server-face.js';
import { EngineSimulation, type SimulationView } from './simulation.js';
import { parseTrace, TraceArrivals } from './trace.js';
import { VirtualClock } from './virtual-clock.js';

const VERSION = '0.0.0+simulation';
const BLOCK_SIZE = 16;
/** The longest a timer of Node can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const modelSchema = z.strictObject({
  id: z.string().min(1).default('dtesn/simulated-byte-8k'),
  maxModelLen: z.int().min(2).max(1_048_576).default(8192),
  hiddenSize: z.int().min(1).max(65_536).default(4096),
  maxNumSeqs: z.int().min(1).max(4096).default(64),
  maxBatchedTokens: z.int().min(1).max(1_048_576).default(2048),
  kvBlocks: z.int().min(1).max(16_777_216).default(5120),
});

export const optionsSchema = z.object({
  seed: z.int().min(0).default(0).describe('a whole number in [0, 2^53)'),
  model: modelSchema
    .prefault({})
    .describe('an object { id?, maxModelLen?, hiddenSize?, maxNumSeqs?, maxBatchedTokens?, kvBlocks? }'),
  engines: z.int().min(1).max(64).default(1).describe('a whole number of engines in [1, 64]'),
  load: z.number().gt(0).max(100).optional().describe('a number in (0, 100]'),
  trace: z.string().min(1).optional().describe('the path of a trace'),
  loop: z.boolean().default(false).describe('true or false'),
  speed: z.number().min(0).max(10_000).default(1).describe('virtual seconds a real second in [0, 10000]'),
  catchUpSeconds: z.number().gt(0).optional().describe('a number of virtual seconds above 0'),
  warmUpSeconds: z.number().min(0).max(86_400).default(0).describe('virtual seconds in [0, 86400]'),
  startSeconds: z.number().min(0).optional().describe('unix time in seconds'),
  port: z.int().min(0).max(65_535).default(0).describe('a port number, 0 for a free one'),
  host: z.string().min(1).default('127.0.0.1').describe('an address to listen on'),
  apiKey: z.string().min(1).optional().describe('a key'),
  devMode: z.boolean().default(false).describe('true or false'),
  loadTracking: z.boolean().default(false).describe('true or false'),
  metrics: z
    .enum(['single-process', 'multi-process'])
    .optional()
    .describe("'single-process' or 'multi-process' (default: multi-process with more than one engine)"),
  faults: z.array(z.unknown()).default([]).describe('an array of faults'),
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
});

/** The model that the simulated engines serve. */
export interface SimulatedModelOptions {
  /** Name of the model. Default 'dtesn/simulated-byte-8k'. */
  id?: string | undefined;
  /** Tokens of prompt and output together, 2 to 1,048,576. Default 8192. */
  maxModelLen?: number | undefined;
  /** Hidden size that its configuration names, 1 to 65,536. Default 4096. */
  hiddenSize?: number | undefined;
  /** Requests that run at the same time, 1 to 4096. Default 64. */
  maxNumSeqs?: number | undefined;
  /** Tokens of one step, 1 to 1,048,576. Default 2048. */
  maxBatchedTokens?: number | undefined;
  /** Blocks of 16 tokens of KV memory of each engine. Default 5120. */
  kvBlocks?: number | undefined;
}

const WARM_UP_SLICE_SECONDS = 60;
const oldNames = { catchUp: 'catchUpSeconds', warmUp: 'warmUpSeconds', startTime: 'startSeconds' };
/** Options of EngineSimulator under their names of 0.1, each with one warning. */
export interface DeprecatedSimulatorOptions {
  /**
   * Name of 0.1; default: that of `catchUpSeconds`.
   * @deprecated Use `catchUpSeconds`.
   */
  catchUp?: number;
  /**
   * Name of 0.1; default: that of `warmUpSeconds`.
   * @deprecated Use `warmUpSeconds`.
   */
  warmUp?: number;
  /**
   * Name of 0.1; default: that of `startSeconds`.
   * @deprecated Use `startSeconds`.
   */
  startTime?: number;
}

/** Options of EngineSimulator.start: engines, clients, the pace of virtual time, and faults. */
export interface EngineSimulatorOptions extends DeprecatedSimulatorOptions {
  /** Seed of everything that the simulation draws; the same seed gives the same run. Default 0. */
  seed?: number | undefined;
  /** The model that the engines serve. Default: the defaults of its fields. */
  model?: SimulatedModelOptions | undefined;
  /** Engines (ranks) of the server, 1 to 64. Default 1. */
  engines?: number | undefined;
  /**
   * In (0, 100]. Without a trace: share of what the engines can serve, of bursty synthetic clients; default 0.5. With one: times
   * its rate; default 1.
   */
  load?: number | undefined;
  /** The path of a file whose rows are the clients: CSV, or JSON lines (trace.ts). Default: synthetic clients. */
  trace?: string | undefined;
  /** Whether the trace begins again after its last row. Default false. */
  loop?: boolean | undefined;
  /** Virtual seconds a real second, 0 to 10,000; 0 leaves time to `advanceTo` alone, so that a test is the same every time. Default 1. */
  speed?: number | undefined;
  /** Virtual seconds to catch up with at most after a pause in which nothing was asked; the rest is skipped. Default: no limit. */
  catchUpSeconds?: number | undefined;
  /** Virtual seconds of history before the start, at most a day. Default 0. */
  warmUpSeconds?: number | undefined;
  /** Unix time in seconds at virtual time 0. Default: now, less warmUpSeconds. */
  startSeconds?: number | undefined;
  /** The port to listen on; 0 for a free one. Default 0. */
  port?: number | undefined;
  /** The address to listen on. Default '127.0.0.1'. */
  host?: string | undefined;
  /** API key that the paths under /v1 require. Default: none. */
  apiKey?: string | undefined;
  /** Whether the paths of an engine in development mode are there (/sleep, /wake_up and others). Default false. */
  devMode?: boolean | undefined;
  /** Whether /load says how many requests run and wait; it says 0 otherwise. Default false. */
  loadTracking?: boolean | undefined;
  /** The form of /metrics. Default: 'multi-process' with more than one engine, else 'single-process'. */
  metrics?: 'single-process' | 'multi-process' | undefined;
  /** Faults to come, and those of the start. Default: none. */
  faults?: FaultOptions[] | undefined;
  /** Ends start(), which then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined;
}

type CheckedOptions = z.output<typeof optionsSchema>;

/**
 * A simulated Aphrodite server for tests: real HTTP, continuous batching in virtual time, faults on demand.
 *
 *     const simulator = await EngineSimulator.start({ speed: 0, load: 0.8, seed: 7 });
 *     await simulator.advanceTo(60);                      // a minute of traffic
 *     simulator.inject({ kind: 'hang' });                 // /health says 200, the counters stand still
 *     await simulator.close();
 *
 * After the last row of a trace the engines idle. Requests over HTTP join the queue of the clients.
 * Errors: TypeError or RangeError for wrong options; DtesnError ERR_DTESN_SIMULATOR_PORT when the port cannot be bound,
 * ERR_DTESN_TRACE for a trace that cannot be read.
 */
export class EngineSimulator {
  private readonly clock: VirtualClock;
  private readonly faults = new FaultTimeline();
  private readonly condition: ServerCondition;
  private readonly server: SimulatorServer;
  private readonly epoch: number;
  private inFlight = 0;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  /** The last opening of the port, to be waited for. */
  private settled: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: CheckedOptions,
    private readonly world: EngineSimulation,
  ) {
    const { speed, catchUpSeconds, warmUpSeconds, startSeconds, model, host, port, apiKey, devMode } = options;
    this.clock = new VirtualClock(speed, catchUpSeconds ?? Number.POSITIVE_INFINITY);
    this.epoch = startSeconds ?? Date.now() / 1000 - warmUpSeconds;
    this.condition = new ServerCondition(world, this.faults, () => this.metricsNow());
    this.server = new SimulatorServer(
      {
        modelId: model.id,
        maxModelLen: model.maxModelLen,
        version: VERSION,
        random: new RandomStream(options.seed),
        devMode,
        apiKey: apiKey ?? null,
        moveOn: () => this.moveOn(),
        unixTime: () => this.epoch + this.world.time,
        condition: this.condition,
        load: () => (options.loadTracking ? this.world.running + this.world.waiting : 0),
        submit: (request, listener) => this.submit(request, listener),
        isSleeping: () => this.world.engines.every(({ sleepLevel }) => sleepLevel > 0),
        sleep: (level, mode) => this.sleep(level, mode),
        wakeUp: () => this.wakeUp(),
      },
      host,
      port,
    );
    for (const fault of options.faults) this.faults.add(checkFault(fault as FaultOptions, options.engines, 0));
  }

  static async start(options: EngineSimulatorOptions = {}): Promise<EngineSimulator> {
    const checked = checkOptions(optionsSchema, currentNames(options, oldNames, 'EngineSimulator'), 'EngineSimulator');
    if (checked.loop && checked.trace === undefined)
      throw argumentError('a file (`loop: true` requires it)', 'trace', undefined);
    const { signal } = checked;
    signal?.throwIfAborted();
    const simulator = new EngineSimulator(checked, await newSimulation(checked));
    await simulator.server.open();
    try {
      for (let time = WARM_UP_SLICE_SECONDS; signal && time < checked.warmUpSeconds; time += WARM_UP_SLICE_SECONDS) {
        await simulator.advanceTo(time);
        await setImmediate(); // a signal is seen when the event loop turns
        signal.throwIfAborted();
      }
      await simulator.advanceTo(checked.warmUpSeconds);
      signal?.throwIfAborted();
    } catch (error) {
      await simulator.close();
      throw error;
    }
    return simulator;
  }

  /** Address of the server. */
  get url(): string {
    return this.server.url;
  }

  /** Virtual seconds since the start. */
  get time(): number {
    return this.moveOn().time;
  }

  /** The engines and their queues, as they are now; to be read, not driven. */
  get simulation(): SimulationView {
    return this.moveOn();
  }

  /** Kinds of the faults that are active now. */
  get activeFaults(): FaultKind[] {
    this.moveOn();
    return this.faults.active.map(({ kind }) => kind);
  }

  /** The body that GET /metrics answers with now. */
  get metrics(): string {
    this.moveOn();
    return this.condition.metrics;
  }

  /** Moves to virtual time `seconds` over every step and fault on the way; resolves when the port is as it should be. */
  async advanceTo(seconds: number): Promise<void> {
    if (!(seconds >= 0 && seconds < Number.POSITIVE_INFINITY)) {
      throw rangeError('a number of virtual seconds, 0 or more,', 'seconds', seconds);
    }
    this.clock.jumpTo(seconds);
    this.moveOn();
    await this.settled;
  }

  /** A fault from virtual time `at` (left out or past: now) for `duration` seconds (left out: until it is cleared). */
  inject(fault: FaultOptions): void {
    const { time } = this.moveOn();
    this.faults.add(checkFault(fault, this.options.engines, time));
    this.moveOn();
  }

  /** Ends the active faults and takes back those to come: of one kind, or all. What a leak has taken stays lost. */
  async clear(kind?: FaultKind): Promise<void> {
    this.moveOn();
    const which = (fault: { kind: FaultKind }) => kind === undefined || fault.kind === kind;
    this.faults.cancel(which);
    this.change({ ended: this.faults.end(which), started: [] });
    this.schedule();
    await this.settled;
  }

  /** Closes the server and ends what it answers; idempotent. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.server.shut();
    await this.settled.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The world, moved on to now. */
  private moveOn(): EngineSimulation {
    const now = this.clock.now();
    for (let at = this.faults.nextBoundary; at <= now; at = this.faults.nextBoundary) {
      this.world.advanceTo(at);
      this.change(this.faults.cross(at));
    }
    this.world.advanceTo(now);
    this.schedule();
    return this.world;
  }

  private change(crossing: Crossing): void {
    // The sockets go first: a process that crashes does not close them in order.
    if (!this.condition.listening) this.server.shut();
    this.condition.change(crossing);
    if (this.closed || !this.condition.listening || this.server.listening) return;
    this.settled = this.server.open();
    this.settled.catch(() => undefined); // told to whoever waits for it next
  }

  private metricsNow(): string {
    const form = this.options.metrics ?? (this.options.engines > 1 ? 'multi-process' : 'single-process');
    const startTime = this.epoch + this.world.startedAt;
    return metricsText(this.world, { modelName: this.options.model.id, startTime, form });
  }

  private submit(request: SimulatedRequest, listener: RequestListener): () => void {
    const { time } = this.moveOn();
    this.inFlight++;
    const end: RequestListener['end'] = (reason) => {
      this.inFlight--;
      listener.end(reason);
    };
    const arrival = { ...request, time, cached: 0, patience: Number.POSITIVE_INFINITY };
    const cancel = this.world.submit(arrival, { token: () => listener.token(), end });
    this.schedule();
    return cancel;
  }

  private sleep(level: 1 | 2, mode: SleepMode): void {
    for (const core of this.world.engines) core.sleep(level, mode);
    this.schedule();
  }

  private wakeUp(): void {
    for (const core of this.world.engines) core.wakeUp();
    this.schedule();
  }

  /** Wakes up for the next boundary of a fault, and for the next step when a client over HTTP waits for it. */
  private schedule(): void {
    clearTimeout(this.timer);
    if (this.closed) return;
    const step = this.inFlight > 0 ? this.world.nextStepEnd : Number.POSITIVE_INFINITY;
    const wait = this.clock.millisecondsUntil(Math.min(this.faults.nextBoundary, step));
    if (wait === Number.POSITIVE_INFINITY) return;
    this.timer = setTimeout(() => this.moveOn(), Math.min(Math.ceil(wait), MAX_TIMER_MS)).unref();
  }
}

async function newSimulation(options: CheckedOptions): Promise<EngineSimulation> {
  const { seed, model, engines, load, trace, loop } = options;
  const parameters = { ...model, seed, engines, load: load ?? 0.5, blockSize: BLOCK_SIZE };
  if (trace === undefined) return new EngineSimulation(parameters);
  const text = await readFile(trace, 'utf8').catch((cause: unknown) => {
    throw new DtesnError('ERR_DTESN_TRACE', `Expected a trace in ${trace} but it could not be read`, { cause });
  });
  const replay = { load: load ?? 1, loop, maxModelLen: model.maxModelLen };
  const arrivals: ArrivalSource = new TraceArrivals(parseTrace(text, trace), replay);
  return new EngineSimulation(parameters, arrivals);
}
