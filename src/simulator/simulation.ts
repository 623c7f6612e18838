/**
 * Continuous batching as a discrete-event model under virtual time.
 *
 *     step time, ms = 29.8 + 0.208 batch + 0.000173 kv_tokens + 0.0910 prefill_tokens    when any request decodes
 *                   = 10.1 + 0.0910 prefill_tokens                                       when all of them prefill
 *
 * A step gives each running request the tokens it lacks (one when it decodes, a chunk of its prompt before), in order of
 * admission and within `maxBatchedTokens`; then requests from the head of the queue join while a place, tokens and blocks are
 * free. KV memory is `kvBlocks` blocks of `blockSize` tokens; a request without a block preempts the one admitted last,
 * which loses its blocks and recomputes later. A client that is not served within `PATIENCE_SECONDS` leaves (abort).
 *
 * Nothing runs by itself: `advanceTo(seconds)` moves the model to a virtual time, in work proportional to the steps.
 * Laws: running <= maxNumSeqs; blocks held by running requests + freeBlocks = kvBlocks; counters never decrease.
 * Source of the step times: fit to SageServe's published measurements (Llama2-70B, H100, TP 8), R² 0.997 and 0.968.
 */
import { rangeError } from '../errors/index.js';
import { type Arrival, Arrivals, meanOutputTokens, meanPromptTokens } from './arrivals.js';
import { EngineStatistics, type FinishReason } from './engine-statistics.js';
import { RandomStream } from './random-stream.js';

const PREFILL_MS = 10.1;
const PREFILL_TOKEN_MS = 0.091;
const DECODE_MS = 29.8;
const DECODE_SEQUENCE_MS = 0.208;
const DECODE_KV_TOKEN_MS = 0.000173;
const PATIENCE_SECONDS = 60;

export interface SimulationParameters {
  seed: number;
  /** Mean rate of arrivals, as a share of what the engine can serve. */
  load: number;
  maxModelLen: number;
  maxNumSeqs: number;
  maxBatchedTokens: number;
  kvBlocks: number;
  blockSize: number;
}

interface Request extends Arrival {
  /** Tokens whose keys and values are in KV memory. */
  computed: number;
  generated: number;
  blocks: number;
  /** Tokens it was given in the present step. */
  scheduled: number;
  admittedAt: number | null;
  firstTokenAt: number | null;
  lastTokenAt: number;
}

export class EngineSimulation {
  readonly statistics: EngineStatistics;
  private readonly arrivals: Arrivals;
  private readonly runningRequests: Request[] = [];
  private readonly queue: Request[] = [];
  private next: Arrival;
  private clock = 0;
  /** End of the step in flight; null when the engine idles. */
  private stepEnd: number | null = null;
  private free: number;

  constructor(readonly parameters: SimulationParameters) {
    const { seed, load, maxModelLen, blockSize, kvBlocks } = parameters;
    if (kvBlocks * blockSize < maxModelLen) {
      throw rangeError(`at least ${Math.ceil(maxModelLen / blockSize)} (one longest request)`, 'kvBlocks', kvBlocks);
    }
    this.statistics = new EngineStatistics(maxModelLen);
    this.free = kvBlocks;
    this.arrivals = new Arrivals(new RandomStream(seed), load * servedPerSecond(parameters), maxModelLen, blockSize);
    this.next = this.arrivals.next();
  }

  get time(): number {
    return this.clock;
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

  /** Moves to virtual time `seconds`; a time that is past already changes nothing. */
  advanceTo(seconds: number): void {
    if (seconds < this.clock) return;
    for (;;) {
      const event = this.stepEnd ?? this.next.time;
      if (event > seconds) break;
      this.clock = event;
      this.receive();
      if (this.stepEnd !== null) this.finishStep(event);
      this.startStep();
    }
    this.clock = seconds;
    this.receive();
  }

  private receive(): void {
    while (this.next.time <= this.clock) {
      const computed = this.next.cached;
      this.queue.push({
        ...this.next,
        computed,
        generated: 0,
        blocks: 0,
        scheduled: 0,
        admittedAt: null,
        firstTokenAt: null,
        lastTokenAt: 0,
      });
      this.next = this.arrivals.next();
    }
  }

  private startStep(): void {
    const requests = this.runningRequests;
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
    if (this.statistics.preemptions === preemptionsBefore) this.admit(budget);
    this.stepEnd = requests.length > 0 ? this.clock + this.stepSeconds() : null;
  }

  /** The blocks it lacks for this step, taken from the latest admitted when none is free; false: it had to go itself. */
  private reserve(request: Request): boolean {
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
    const { maxNumSeqs, blockSize } = this.parameters;
    let left = budget;
    while (left > 0 && this.running < maxNumSeqs && this.queue.length > 0) {
      const request = this.queue[0]!;
      if (request.admittedAt === null && this.clock - request.time > PATIENCE_SECONDS) {
        this.queue.shift();
        this.finish(request, 'abort');
        continue;
      }
      request.scheduled = Math.min(request.prompt + request.generated - request.computed, left);
      const needed = Math.ceil((request.computed + request.scheduled) / blockSize);
      if (needed > this.free) return;
      this.queue.shift();
      this.runningRequests.push(request);
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

  private stepSeconds(): number {
    let prefill = 0;
    let batch = 0;
    let kvTokens = 0;
    for (const request of this.runningRequests) {
      if (request.generated > 0 && request.scheduled === 1) {
        batch++;
        kvTokens += request.computed;
      } else {
        prefill += request.scheduled;
      }
    }
    const decode = batch > 0 ? DECODE_MS + DECODE_SEQUENCE_MS * batch + DECODE_KV_TOKEN_MS * kvTokens : PREFILL_MS;
    return (decode + PREFILL_TOKEN_MS * prefill) / 1000;
  }

  private finishStep(now: number): void {
    const { statistics, runningRequests: requests } = this;
    let tokens = 0;
    let kept = 0;
    for (const request of requests) {
      request.computed += request.scheduled;
      if (request.computed === request.prompt + request.generated) tokens += this.emitToken(request, now);
      if (request.generated < request.output) {
        requests[kept++] = request;
      } else {
        this.release(request);
        this.finish(request, request.reason);
      }
    }
    requests.length = kept;
    if (tokens > 0) statistics.histograms.iteration_tokens_total.observe(tokens);
  }

  /** One token more; returns the tokens the engine counts for it: with the first one its whole prompt. */
  private emitToken(request: Request, now: number): number {
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
    return first ? request.prompt + 1 : 1;
  }

  private release(request: Request): void {
    this.free += request.blocks;
    request.blocks = 0;
  }

  private finish(request: Request, reason: FinishReason): void {
    const { finished, histograms } = this.statistics;
    finished[reason]++;
    histograms.e2e_request_latency_seconds.observe(this.clock - request.time);
    histograms.request_prompt_tokens.observe(request.prompt);
    histograms.request_generation_tokens.observe(request.generated);
    histograms.request_max_num_generation_tokens.observe(request.maxTokens);
    histograms.request_params_n.observe(1);
    histograms.request_params_max_tokens.observe(request.maxTokens);
    if (request.admittedAt === null || request.firstTokenAt === null) return;
    const decode = request.lastTokenAt - request.firstTokenAt;
    histograms.request_queue_time_seconds.observe(request.admittedAt - request.time);
    histograms.request_inference_time_seconds.observe(request.lastTokenAt - request.admittedAt);
    histograms.request_prefill_time_seconds.observe(request.firstTokenAt - request.admittedAt);
    histograms.request_decode_time_seconds.observe(decode);
    histograms.request_prefill_kv_computed_tokens.observe(request.prompt - request.cached);
    if (request.generated > 1) {
      histograms.request_time_per_output_token_seconds.observe(decode / (request.generated - 1));
    }
  }
}

/** Requests a second at full batch: each costs its prefill and its share of the decode steps it is in. */
function servedPerSecond({ maxNumSeqs, kvBlocks, blockSize }: SimulationParameters): number {
  const length = meanPromptTokens + meanOutputTokens / 2;
  const batch = Math.max(1, Math.min(maxNumSeqs, (kvBlocks * blockSize) / length));
  const step = DECODE_MS + DECODE_SEQUENCE_MS * batch + DECODE_KV_TOKEN_MS * batch * length;
  return 1000 / (PREFILL_TOKEN_MS * meanPromptTokens + (meanOutputTokens * step) / batch);
}
