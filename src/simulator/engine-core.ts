/**
 * One engine of the simulation (a data-parallel rank): continuous batching as a discrete-event model in virtual time.
 *
 * A step gives each running request the tokens it lacks (one when it decodes, a chunk of its prompt before), in order
 * of admission and within `maxBatchedTokens`; then requests from the head of the queue join while a place, tokens and
 * blocks are free. KV memory is `kvBlocks` blocks of `blockSize` tokens; a request without a block preempts the one
 * admitted last, which loses its blocks and recomputes later. A client that is not served within its patience leaves
 * (abort).
 *
 * Nothing runs by itself: `advanceTo(seconds)` moves the model to a virtual time, in work proportional to the steps.
 * Faults are conditions of the engine (`hung`, `stormy`, `leakShare`, `slowdown`, sleep); who sets them is not its
 * concern.
 * Laws: running <= maxNumSeqs; blocks held + free + seized + leaked = kvBlocks; counters never decrease.
 */
import type { Arrival } from './arrivals.js';
import type { EngineRequest, FinishReason, RequestListener } from './engine-request.js';
import { EngineStatistics } from './engine-statistics.js';
import { stepSeconds } from './step-time.js';

/** Sizes of one simulated engine, in tokens, requests and blocks of KV memory. */
export interface CoreParameters {
  maxModelLen: number;
  maxNumSeqs: number;
  maxBatchedTokens: number;
  kvBlocks: number;
  blockSize: number;
}

/** 0 awake, 1 weights offloaded, 2 everything discarded: the levels of POST /sleep. */
export type SleepLevel = 0 | 1 | 2;
/** What becomes of requests under way: they end, are served first, or stay where they are. */
export type SleepMode = 'abort' | 'wait' | 'keep';

export class EngineCore {
  readonly statistics: EngineStatistics;
  /** Share of the blocks of a request that leaves which is never given back. */
  leakShare = 0;
  /** Factor on the step time at a virtual time. */
  slowdown: (time: number) => number = () => 1;
  private readonly runningRequests: EngineRequest[] = [];
  private readonly queue: EngineRequest[] = [];
  /** Arrivals during a hang, not admitted to the queue yet. */
  private inbox: EngineRequest[] = [];
  /** Cancellations during a hang, not processed yet. */
  private abandoned: EngineRequest[] = [];
  private clock: number;
  /** End of the step in flight; null when the engine idles. */
  private stepEnd: number | null = null;
  private steps = 0;
  private free: number;
  private seized = 0;
  private leaked = 0;
  private leakRemainder = 0;
  private hungSince: number | null = null;
  private storm = false;
  private level: SleepLevel = 0;
  private draining = false;

  constructor(
    readonly parameters: CoreParameters,
    startTime: number,
  ) {
    this.statistics = new EngineStatistics(parameters.maxModelLen);
    this.free = parameters.kvBlocks;
    this.clock = startTime;
  }

  get running(): number {
    return this.runningRequests.length;
  }

  get waiting(): number {
    return this.queue.length;
  }

  get freeBlocks(): number {
    return this.free;
  }

  get heldBlocks(): number {
    return this.runningRequests.reduce((sum, request) => sum + request.blocks, 0);
  }

  /** Blocks that an outside tenant has taken (`stormy`). */
  get seizedBlocks(): number {
    return this.seized;
  }

  /** Blocks that were lost (`leakShare`); only a new engine has them back. */
  get leakedBlocks(): number {
    return this.leaked;
  }

  /** Share of KV blocks that are not free, 0 to 1. */
  get kvUsage(): number {
    return 1 - this.free / this.parameters.kvBlocks;
  }

  get sleepLevel(): SleepLevel {
    return this.level;
  }

  /** Virtual time of the next change by itself; Infinity when none is due. */
  get nextEvent(): number {
    return this.stepEnd === null || this.hungSince !== null ? Number.POSITIVE_INFINITY : this.stepEnd;
  }

  /** Moves to virtual time `seconds`; a time in the past has no effect. */
  advanceTo(seconds: number): void {
    if (seconds < this.clock) return;
    while (this.nextEvent <= seconds) {
      this.clock = this.stepEnd!;
      this.finishStep(this.clock);
      this.startStep();
    }
    this.clock = seconds;
  }

  /** A request comes now. */
  submit(arrival: Arrival, listener: RequestListener | null = null): EngineRequest {
    const request: EngineRequest = {
      ...arrival,
      listener,
      computed: arrival.cached,
      generated: 0,
      blocks: 0,
      scheduled: 0,
      admittedAt: null,
      firstTokenAt: null,
      lastTokenAt: 0,
    };
    if (this.hungSince !== null) {
      this.inbox.push(request);
      return request;
    }
    this.queue.push(request);
    if (this.stepEnd === null) this.startStep();
    return request;
  }

  /** The client of a request went away; nothing happens when it has ended already. */
  cancel(request: EngineRequest): void {
    if (this.hungSince !== null) {
      this.abandoned.push(request);
      return;
    }
    for (const requests of [this.runningRequests, this.queue]) {
      const index = requests.indexOf(request);
      if (index < 0) continue;
      requests.splice(index, 1);
      this.release(request);
      this.finish(request, 'abort');
    }
  }

  /** Ends everything under way without counting it: the process that would count is gone. */
  die(): void {
    const lost = [...this.runningRequests, ...this.queue, ...this.inbox];
    this.free += this.heldBlocks;
    this.runningRequests.length = 0;
    this.queue.length = 0;
    this.inbox = [];
    this.abandoned = [];
    this.stepEnd = null;
    for (const { listener } of lost) listener?.end('error');
  }

  /** A copy that goes its own way, without the listeners: what would become of the requests if nothing more came. */
  fork(): EngineCore {
    const copy = new EngineCore(this.parameters, this.clock);
    const copies = (requests: EngineRequest[]) => requests.map((request) => ({ ...request, listener: null }));
    copy.leakShare = this.leakShare;
    copy.slowdown = this.slowdown;
    copy.runningRequests.push(...copies(this.runningRequests));
    copy.queue.push(...copies(this.queue));
    copy.inbox = copies(this.inbox);
    copy.stepEnd = this.stepEnd;
    copy.steps = this.steps;
    copy.free = this.free;
    copy.seized = this.seized;
    copy.leaked = this.leaked;
    copy.leakRemainder = this.leakRemainder;
    copy.hungSince = this.hungSince;
    copy.storm = this.storm;
    copy.level = this.level;
    copy.draining = this.draining;
    return copy;
  }

  /** Hung: the step in flight does not end; arrivals and cancellations are queued. Processing resumes afterwards. */
  set hung(hung: boolean) {
    if (hung === (this.hungSince !== null)) return;
    if (hung) {
      this.hungSince = this.clock;
      return;
    }
    if (this.stepEnd !== null) this.stepEnd += this.clock - this.hungSince!;
    this.hungSince = null;
    this.queue.push(...this.inbox);
    this.inbox = [];
    for (const request of this.abandoned.splice(0)) this.cancel(request);
    if (this.stepEnd === null) this.startStep();
  }

  /**
   * A storm of preemptions: an outside tenant takes every block that is free, and every second step it yields what the
   * head of the queue needs, which then takes the place of a request that must grow.
   */
  set stormy(stormy: boolean) {
    if (stormy === this.storm) return;
    this.storm = stormy;
    if (stormy) return;
    this.free += this.seized;
    this.seized = 0;
    if (this.stepEnd === null) this.startStep();
  }

  sleep(level: 1 | 2, mode: SleepMode): void {
    this.level = level;
    this.draining = mode === 'wait';
    if (mode !== 'abort') return;
    for (const request of [...this.runningRequests, ...this.queue]) this.cancel(request);
    this.stepEnd = null;
  }

  wakeUp(): void {
    if (this.level === 0) return;
    this.level = 0;
    if (this.stepEnd === null) this.startStep();
  }

  private startStep(): void {
    const requests = this.runningRequests;
    const asleep = this.level > 0;
    this.stepEnd = null;
    if (this.hungSince !== null || (asleep && !this.draining)) return;
    if (this.storm) this.seize();
    const preemptionsBefore = this.statistics.preemptions;
    const { blockSize, maxBatchedTokens } = this.parameters;
    let budget = maxBatchedTokens;
    for (let i = 0; i < requests.length; i++) {
      const request = requests[i]!;
      request.scheduled = Math.min(request.prompt + request.generated - request.computed, budget);
      const enough = request.computed + request.scheduled <= request.blocks * blockSize;
      if (!enough && !this.reserve(request)) break;
      budget -= request.scheduled;
    }
    if (this.statistics.preemptions === preemptionsBefore && !asleep) this.admit(budget);
    if (requests.length > 0) this.stepEnd = this.clock + this.stepSeconds();
  }

  private seize(): void {
    const yields = this.running === 0 || ++this.steps % 2 === 0;
    const head = yields ? this.queue[0] : undefined;
    const all = this.free + this.seized;
    this.free = Math.min(all, head === undefined ? 0 : this.blocksToAdmit(head, this.parameters.maxBatchedTokens));
    this.seized = all - this.free;
  }

  /** The blocks it lacks for this step, from the latest admitted when none is free; false: it had to go itself. */
  private reserve(request: EngineRequest): boolean {
    const needed = Math.ceil((request.computed + request.scheduled) / this.parameters.blockSize) - request.blocks;
    while (needed > this.free) {
      const victim = this.runningRequests.pop()!;
      this.release(victim);
      victim.computed = 0;
      victim.scheduled = 0;
      this.queue.unshift(victim);
      this.statistics.preemptions++;
      if (victim === request) return false;
    }
    request.blocks += needed;
    this.free -= needed;
    return true;
  }

  private admit(budget: number): void {
    let left = budget;
    while (left > 0 && this.running < this.parameters.maxNumSeqs && this.queue.length > 0) {
      const request = this.queue[0]!;
      if (request.admittedAt === null && this.clock - request.time > request.patience) {
        this.queue.shift();
        this.finish(request, 'abort');
        continue;
      }
      const needed = this.blocksToAdmit(request, left);
      if (needed > this.free) return;
      this.queue.shift();
      this.runningRequests.push(request);
      request.scheduled = Math.min(request.prompt + request.generated - request.computed, left);
      request.blocks = needed;
      this.free -= needed;
      left -= request.scheduled;
      if (request.admittedAt === null) {
        request.admittedAt = this.clock;
        this.statistics.prefixQueries += request.prompt;
        this.statistics.prefixHits += request.cached;
      }
    }
  }

  private blocksToAdmit({ prompt, generated, computed }: EngineRequest, budget: number): number {
    return Math.ceil((computed + Math.min(prompt + generated - computed, budget)) / this.parameters.blockSize);
  }

  private stepSeconds(): number {
    let prefillTokens = 0;
    let batch = 0;
    let kvTokens = 0;
    for (const request of this.runningRequests) {
      if (request.generated > 0 && request.scheduled === 1) {
        batch++;
        kvTokens += request.computed;
      } else {
        prefillTokens += request.scheduled;
      }
    }
    const seconds = stepSeconds({ prefillTokens, batch, kvTokens }) * this.slowdown(this.clock);
    this.statistics.busySeconds += seconds;
    return seconds;
  }

  private finishStep(now: number): void {
    const { statistics, runningRequests: requests } = this;
    const ended: EngineRequest[] = [];
    let tokens = 0;
    let kept = 0;
    for (const request of requests) {
      request.computed += request.scheduled;
      if (request.computed === request.prompt + request.generated) tokens += this.countToken(request, now);
      if (request.generated < request.output) requests[kept++] = request;
      else ended.push(request);
    }
    requests.length = kept;
    for (const request of ended) {
      this.release(request);
      this.finish(request, request.reason);
    }
    if (tokens > 0) statistics.histograms.iteration_tokens_total.observe(tokens);
  }

  /** One token more; returns the tokens the engine counts for it: with the first one its whole prompt. */
  private countToken(request: EngineRequest, now: number): number {
    const { statistics } = this;
    const { histograms } = statistics;
    request.generated++;
    statistics.generatedTokens++;
    const first = request.firstTokenAt === null;
    if (first) {
      request.firstTokenAt = now;
      statistics.promptTokens += request.prompt;
      statistics.cachedPromptTokens += request.cached;
      histograms.time_to_first_token_seconds.observe(now - request.time);
    } else {
      histograms.inter_token_latency_seconds.observe(now - request.lastTokenAt);
    }
    request.lastTokenAt = now;
    request.listener?.token();
    return first ? request.prompt + 1 : 1;
  }

  private release(request: EngineRequest): void {
    const lost = request.blocks * this.leakShare + this.leakRemainder;
    this.leaked += Math.floor(lost);
    this.leakRemainder = lost - Math.floor(lost);
    this.free += request.blocks - Math.floor(lost);
    request.blocks = 0;
  }

  private finish(request: EngineRequest, reason: FinishReason): void {
    this.statistics.finish(request, reason, this.clock);
    request.listener?.end(reason);
  }
}
