/**
 * How long a prompt waits for its first token, from what stands before it.
 *
 *     physics = max( base + (ahead - done + foreign + own)/R,
 *                    base + max(0, kv cap + queued + since + own - 0.97 cap)/release,
 *                    inFlight >= slots ? (inFlight + 1 - slots)/finishRate : 0 )
 *     metrics = 0.08 + ((waiting + sent) meanPrompt + own)/promptRate;   kv > 0.93: at least (waiting + sent)/finishRate
 *
 * own: tokens of the prompt; ahead: prompt tokens sent without a first token; done = min(head, R t): those of the oldest of
 * these requests that were computed in the t seconds since it was sent or the last first token came; since, sent: prompt
 * tokens and requests sent since the last scrape; queued: ahead × waiting / requests without a first token; kv: share of the
 * KV memory in use, of cap tokens; itl, finishRate, promptRate, meanPrompt: engine-view.ts.
 * base = itl, the step in flight and the first token's own; 0.015 s where nothing is in flight and nothing ran.
 * foreign = (waiting - own requests without a first token at that scrape, at least 0) × the mean prompt: what others sent.
 * R is the speed of prefill in tokens a second, Σ tokens net / Σ net², both sums decaying by 0.98 a first token, with
 * net = TTFT - base and tokens = ahead - done + foreign + own: of requests with more than 1,000 of them, kv < 0.9 and free
 * slots only, because others measure the queue and not the prefill. release is the rate of tokens that finished requests
 * gave back, over 20 s, and at least what a full KV memory gives back while its requests decode, (0.97 - lost) cap/(meanAnswer itl): where the prefill is what requests wait for, fewer finish than the memory allows. lost: memory in use
 * that no running request holds leaked, and is not given back.
 * A figure that is not known leaves its term out. Units: seconds and tokens.
 */
import type { EngineView } from './engine-view.js';

const PRIOR_ITL = 0.05;
const PRIOR_RATE = 8000;
const MOST_RATE = 1e9;
const RATE_DECAY = 0.98;
const RATE_TOKENS = 1000;
const RATE_KV = 0.9;
/** Share of the traffic below which the caller's own first tokens are no measure of the prefill. */
const SEEN = 0.9;
const LEAST_SEEN = 0.1;
/** Share of the slots above which the batch counts as full. */
const BATCH_FULL = 0.9;
const FULL = 0.97;
const METRICS_BASE = 0.08;
const METRICS_FULL = 0.93;
/** The longest prediction, so that no rate of 0 makes it infinite. */
const LONGEST = 600;

const IDLE_BASE = 0.015;
/** Requests of the mean prompt that the caller's own waiting requests are averaged with. */
const PRIOR_REQUESTS = 4;

/** What the caller's requests say; see the head of this file. */
export interface Traffic {
  aheadTokens: number;
  aheadRequests: number;
  /** Requests without a first token at the last scrape. */
  aheadAtScrape: number;
  /** Tokens of the oldest request without a first token, and since when it is the next. */
  headTokens: number;
  headSeconds: number;
  inFlight: number;
  /** Since the last scrape. */
  sinceTokens: number;
  sinceRequests: number;
  /** Tokens a second that finished requests gave back; null while unknown. */
  release: number | null;
  /** Requests a second that finished, as the caller counts them; null while unknown. */
  finishRate: number | null;
}

/** The state of QueuePhysics as plain JSON. */
export interface QueuePhysicsSnapshot {
  product: number;
  square: number;
}

export class QueuePhysics {
  #product = 0;
  #square = 0;

  constructor(
    private readonly view: EngineView,
    /** Requests that the engine runs at the same time; null where it is not known. */
    private readonly slots: number | null,
  ) {}

  get itl(): number {
    return this.view.itl ?? PRIOR_ITL;
  }

  /** Prompt tokens a second: as learned, else as the metrics say, else a guess. */
  get rate(): number {
    const { promptRate, seen } = this.view;
    const learned = this.#square > 0 ? Math.min(MOST_RATE, this.#product / this.#square) : null;
    return (seen < SEEN ? (promptRate ?? learned) : (learned ?? promptRate)) ?? PRIOR_RATE;
  }

  /** Tokens to compute before the first token of a prompt of `own` tokens. */
  tokens(own: number, traffic: Traffic, now: number): number {
    const done = Math.min(traffic.headTokens, this.rate * traffic.headSeconds);
    return traffic.aheadTokens - done + this.#foreignTokens(own, traffic, now) + own;
  }

  seconds(own: number, traffic: Traffic, now: number): number {
    const { inFlight, release, finishRate } = traffic;
    const { kvUsage, kvTokens, running, seen } = this.view;
    const base = this.#base(inFlight);
    let seconds = base + this.tokens(own, traffic, now) / this.rate;
    const freed = this.#freed(release);
    if (kvUsage !== null && kvTokens !== null && freed !== null) {
      const lacking = (kvUsage - FULL) * kvTokens + this.#waitingTokens(own, traffic, now) + own;
      if (lacking > 0) seconds = Math.max(seconds, base + lacking / Math.max(freed, 1e-3));
    }
    const rate = seen < SEEN ? this.view.finishRate : (finishRate ?? this.view.finishRate);
    const inside = seen < SEEN ? Math.max(inFlight, this.#inside(traffic)) : inFlight;
    if (
      this.slots !== null &&
      rate !== null &&
      inside >= this.slots &&
      (running ?? inside) >= BATCH_FULL * this.slots
    ) {
      seconds = Math.max(seconds, (inside + 1 - this.slots) / Math.max(rate, 1e-3));
    }
    return Math.min(seconds, LONGEST);
  }

  /** Tokens of prompts that have no KV memory yet, without that of the request itself. */
  #waitingTokens(own: number, traffic: Traffic, now: number): number {
    const { aheadTokens, aheadRequests, sinceTokens } = traffic;
    const mine = Math.max(0, (this.view.waiting ?? 0) - this.#others(traffic));
    const share = aheadRequests > 0 ? Math.min(1, mine / aheadRequests) : 0;
    return aheadTokens * share + this.#foreignTokens(own, traffic, now) + sinceTokens;
  }

  /** Requests that waited at the last scrape and are not the caller's. */
  #others({ aheadAtScrape }: Traffic): number {
    return this.view.seen < SEEN ? Math.max(0, (this.view.waiting ?? 0) - aheadAtScrape) : 0;
  }

  /** Prompt tokens that others sent and that are not computed yet: of those in the queue, and as many as the caller sent since. */
  #foreignTokens(own: number, traffic: Traffic, now: number): number {
    const { seen, readSeconds } = this.view;
    if (seen >= SEEN || readSeconds === null) return 0;
    const mean = this.view.meanPrompt ?? own;
    const likely = (traffic.aheadTokens + PRIOR_REQUESTS * mean) / (traffic.aheadRequests + PRIOR_REQUESTS);
    const since = traffic.sinceTokens * (1 / Math.max(seen, LEAST_SEEN) - 1);
    const computed = this.rate * Math.max(0, now - readSeconds) * (1 - seen);
    return Math.max(0, this.#others(traffic) * likely + since - computed);
  }

  /** Requests in the engine, by its metrics. */
  #inside({ sinceRequests }: Traffic): number {
    const { running, waiting } = this.view;
    return (running ?? 0) + (waiting ?? 0) + sinceRequests;
  }

  /** Without any request of the caller. */
  metricsSeconds(own: number, sinceRequests: number): number {
    const { waiting, meanPrompt, promptRate, finishRate, kvUsage } = this.view;
    const queue = (waiting ?? 0) + sinceRequests;
    const seconds = METRICS_BASE + (queue * (meanPrompt ?? own) + own) / (promptRate ?? this.rate);
    const blocked = kvUsage !== null && kvUsage > METRICS_FULL && finishRate !== null;
    const drained = blocked ? queue / Math.max(finishRate, 1e-3) : 0;
    return Math.min(Math.max(seconds, drained), LONGEST);
  }

  /** A first token came `ttft` seconds after its request, which found so much before it. */
  learn(ttft: number, { tokens, kvUsage, inFlight }: { tokens: number; kvUsage: number; inFlight: number }): void {
    const net = ttft - this.#base(inFlight);
    const free = this.slots === null || inFlight < this.slots;
    if (tokens <= RATE_TOKENS || kvUsage >= RATE_KV || !free || net <= 0) return;
    this.#product = RATE_DECAY * this.#product + tokens * net;
    this.#square = RATE_DECAY * this.#square + net * net;
  }

  /** Tokens a second that a full KV memory gives back; null while unknown. */
  #freed(release: number | null): number | null {
    const { kvTokens, meanAnswer, lost } = this.view;
    if (kvTokens === null || meanAnswer === null) return release;
    return Math.max(release ?? 0, (Math.max(0, FULL - lost) * kvTokens) / (meanAnswer * this.itl));
  }

  #base(inFlight: number): number {
    return inFlight === 0 && (this.view.running ?? 0) === 0 ? IDLE_BASE : this.itl;
  }

  reset(): void {
    this.#product = 0;
    this.#square = 0;
  }

  snapshot(): QueuePhysicsSnapshot {
    return { product: this.#product, square: this.#square };
  }

  restore({ product, square }: QueuePhysicsSnapshot): void {
    this.#product = product;
    this.#square = square;
  }
}
