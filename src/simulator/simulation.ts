/**
 * The simulated server under virtual time: clients arrive and go to one of the engines (data-parallel ranks).
 *
 *     rank of a request = the first of those with the least 4 waiting + running
 *
 * Nothing runs by itself: `advanceTo(seconds)` moves the clients and all engines to a virtual time, and the way there
 * (many small advances or one) does not matter. Laws: those of each engine (engine-core.ts); a client that arrives
 * while `refusing` is lost.
 */
import { rangeError } from '../errors/index.js';
import { type Arrival, type ArrivalSource, BurstyArrivals } from './arrivals.js';
import { type CoreParameters, EngineCore } from './engine-core.js';
import type { RequestListener } from './engine-request.js';
import type { EngineStatistics } from './engine-statistics.js';
import { RandomStream } from './random-stream.js';
import { servedPerSecond } from './step-time.js';

export interface SimulationParameters extends CoreParameters {
  seed: number;
  /** Mean rate of arrivals, as a share of what the engines can serve. */
  load: number;
  /** Data-parallel ranks, each with the memory and the places given; 1 when left out. */
  engines?: number;
}

/** One simulated engine, as it is now. */
export interface SimulatedEngine {
  readonly parameters: Readonly<CoreParameters>;
  readonly running: number;
  readonly waiting: number;
  /** Blocks of KV memory. */
  readonly freeBlocks: number;
  readonly heldBlocks: number;
  /** Held by the outside tenant of a preemption storm. */
  readonly seizedBlocks: number;
  readonly leakedBlocks: number;
  /** Share of the blocks that are not free, in [0, 1]. */
  readonly kvUsage: number;
  /** 0 awake, 1 or 2 asleep. */
  readonly sleepLevel: number;
  /** What it counted since it started. */
  readonly statistics: EngineStatistics;
}

/** What is behind the metrics of a simulated server, as it is now. Virtual seconds. */
export interface SimulationView {
  readonly time: number;
  readonly startedAt: number;
  /** Of all engines. */
  readonly running: number;
  readonly waiting: number;
  readonly freeBlocks: number;
  readonly heldBlocks: number;
  /** True when no client is to come any more. */
  readonly arrivalsEnded: boolean;
  readonly engines: readonly SimulatedEngine[];
}

export class EngineSimulation implements SimulationView {
  /** True while clients that arrive are turned away. */
  refusing = false;
  private cores: readonly EngineCore[];
  private upcoming: Arrival | null;
  private clock = 0;
  private started = 0;

  /** `arrivals`: who comes when; the bursty process of `seed` and `load` when left out. */
  constructor(
    readonly parameters: SimulationParameters,
    private readonly arrivals: ArrivalSource = burstyArrivals(parameters),
  ) {
    const { maxModelLen, blockSize, kvBlocks } = parameters;
    if (kvBlocks * blockSize < maxModelLen) {
      throw rangeError(
        `at least ${Math.ceil(maxModelLen / blockSize)} (one request of maxModelLen tokens)`,
        'kvBlocks',
        kvBlocks,
      );
    }
    this.cores = this.newCores();
    this.upcoming = arrivals.next();
  }

  get engines(): readonly EngineCore[] {
    return this.cores;
  }

  get time(): number {
    return this.clock;
  }

  /** Virtual time at which the present engines started. */
  get startedAt(): number {
    return this.started;
  }

  get running(): number {
    return sum(this.cores, (core) => core.running);
  }

  get waiting(): number {
    return sum(this.cores, (core) => core.waiting);
  }

  get freeBlocks(): number {
    return sum(this.cores, (core) => core.freeBlocks);
  }

  get heldBlocks(): number {
    return sum(this.cores, (core) => core.heldBlocks);
  }

  /** True when no client is to come any more. */
  get arrivalsEnded(): boolean {
    return this.upcoming === null;
  }

  /** Virtual time of the next end of a step; Infinity when no engine is in one. */
  get nextStepEnd(): number {
    return Math.min(...this.cores.map((core) => core.nextEvent));
  }

  /** Moves to virtual time `seconds`; a time in the past has no effect. */
  advanceTo(seconds: number): void {
    if (seconds < this.clock) return;
    while (this.upcoming !== null && this.upcoming.time <= seconds) {
      for (const core of this.cores) core.advanceTo(this.upcoming.time);
      if (!this.refusing) this.leastLoaded().submit(this.upcoming);
      this.upcoming = this.arrivals.next();
    }
    for (const core of this.cores) core.advanceTo(seconds);
    this.clock = seconds;
  }

  /** A request from outside comes now; returns what the client calls when it goes away. */
  submit(arrival: Arrival, listener: RequestListener): () => void {
    const core = this.leastLoaded();
    const request = core.submit(arrival, listener);
    return () => core.cancel(request);
  }

  /** The process ends and another one starts: empty engines whose counters begin at 0. */
  restart(): void {
    this.die();
    this.cores = this.newCores();
    this.started = this.clock;
  }

  /** Every request under way is lost. */
  die(): void {
    for (const core of this.cores) core.die();
  }

  private newCores(): EngineCore[] {
    return Array.from({ length: this.parameters.engines ?? 1 }, () => new EngineCore(this.parameters, this.clock));
  }

  private leastLoaded(): EngineCore {
    const load = (core: EngineCore) => 4 * core.waiting + core.running;
    return this.cores.reduce((least, core) => (load(core) < load(least) ? core : least));
  }
}

function sum(cores: readonly EngineCore[], of: (core: EngineCore) => number): number {
  return cores.reduce((total, core) => total + of(core), 0);
}

function burstyArrivals(parameters: SimulationParameters): ArrivalSource {
  const { seed, load, engines = 1, maxModelLen, maxNumSeqs, kvBlocks, blockSize } = parameters;
  const rate = load * engines * servedPerSecond(maxNumSeqs, kvBlocks * blockSize);
  return new BurstyArrivals(new RandomStream(seed), rate, maxModelLen, blockSize);
}
