/**
 * The requests that a caller has sent to one engine and that have not ended, as sums.
 *
 * Bounded whatever the caller does: a request without an end counts for EXPIRY seconds, and of more than MOST requests the
 * oldest are dropped. What happens to a request that was dropped has no effect any more.
 */
import { DecayedRate, type DecayedRateSnapshot } from './decayed-rate.js';
import type { Traffic } from './queue-physics.js';

const EXPIRY = 900;
const MOST = 65_536;
const RATE_WINDOW = 20;

/** A request under way. */
export interface SentRequest {
  readonly promptTokens: number;
  readonly sentAt: number;
  firstTokenAt: number | null;
}

/** What happened since the last scrape, and at it. */
export interface SinceScrape {
  /** When it was; null before the first. */
  atSeconds: number | null;
  /** Of requests sent since that have not ended. */
  tokens: number;
  requests: number;
  /** Prompt tokens of requests that had their first token. */
  startedTokens: number;
  /** Requests without a first token at the last scrape. */
  aheadAtScrape: number;
  /** When the last first token came, before that scrape too. */
  lastFirstToken: number | null;
}

/** What of a RequestLedger outlives its process: rates, and no requests under way. */
export interface RequestLedgerSnapshot {
  since: SinceScrape;
  release: DecayedRateSnapshot;
  finishes: DecayedRateSnapshot;
}

export class RequestLedger<R extends SentRequest> {
  readonly #open = new Set<R>();
  /** Those without a first token, in the order in which they were sent. */
  readonly #ahead = new Set<R>();
  #release = new DecayedRate(RATE_WINDOW);
  #finishes = new DecayedRate(RATE_WINDOW);
  /** The first of them. */
  #head: R | null = null;
  #aheadTokens = 0;
  #since: SinceScrape = {
    atSeconds: null,
    tokens: 0,
    requests: 0,
    startedTokens: 0,
    aheadAtScrape: 0,
    lastFirstToken: null,
  };
  readonly #traffic: Traffic = {
    aheadTokens: 0,
    aheadRequests: 0,
    aheadAtScrape: 0,
    headTokens: 0,
    headSeconds: 0,
    inFlight: 0,
    sinceTokens: 0,
    sinceRequests: 0,
    release: null,
    finishRate: null,
  };

  /** Requests under way. */
  get size(): number {
    return this.#open.size;
  }

  /** The sums; the object is written again at the next call. */
  traffic(now: number): Traffic {
    const traffic = this.#traffic;
    const head = this.#head;
    traffic.aheadTokens = this.#aheadTokens;
    traffic.aheadRequests = this.#ahead.size;
    traffic.aheadAtScrape = this.#since.aheadAtScrape;
    traffic.headTokens = head === null ? 0 : head.promptTokens;
    traffic.headSeconds =
      head === null ? 0 : Math.max(0, now - Math.max(head.sentAt, this.#since.lastFirstToken ?? head.sentAt));
    traffic.inFlight = this.#open.size;
    traffic.sinceTokens = this.#since.tokens;
    traffic.sinceRequests = this.#since.requests;
    traffic.release = this.#release.rate;
    traffic.finishRate = this.#finishes.rate;
    return traffic;
  }

  /**
   * A scrape shows all that was sent until it was read; returns the prompt tokens of first tokens since the scrape before. One that is no
   * later than that one has no effect.
   */
  scraped(readAt: number): number {
    const { atSeconds, startedTokens, lastFirstToken } = this.#since;
    if (atSeconds !== null && readAt <= atSeconds) return 0;
    this.#expire(readAt);
    this.#release.moveTo(readAt);
    this.#finishes.moveTo(readAt);
    const since = { atSeconds: readAt, tokens: 0, requests: 0, startedTokens: 0, lastFirstToken };
    let aheadAtScrape = this.#ahead.size;
    for (const { sentAt, promptTokens, firstTokenAt } of this.#open) {
      if (sentAt <= readAt) continue;
      since.requests++;
      since.tokens += promptTokens;
      if (firstTokenAt === null) aheadAtScrape--;
    }
    this.#since = { ...since, aheadAtScrape };
    return startedTokens;
  }

  add(request: R): void {
    this.#expire(request.sentAt);
    this.#open.add(request);
    this.#ahead.add(request);
    this.#head ??= request;
    this.#release.begin(request.sentAt);
    this.#finishes.begin(request.sentAt);
    this.#aheadTokens += request.promptTokens;
    this.#since.tokens += request.promptTokens;
    this.#since.requests++;
  }

  /** Whether a request is under way. */
  has(request: R): boolean {
    return this.#open.has(request);
  }

  /** The first token of a request under way that had none. */
  firstToken(request: R, now: number): void {
    request.firstTokenAt = now;
    this.#since.startedTokens += request.promptTokens;
    this.#since.lastFirstToken = Math.max(this.#since.lastFirstToken ?? now, now);
    this.#leaveQueue(request);
  }

  /** A request under way ends; `tokens`: what it gave back, prompt and answer. */
  end(request: R, tokens: number, now: number): void {
    this.#drop(request);
    this.#release.add(tokens, now);
    this.#finishes.add(1, now);
  }

  /** Forgets the rates, not the requests under way. */
  resetRates(): void {
    this.#release = new DecayedRate(RATE_WINDOW);
    this.#finishes = new DecayedRate(RATE_WINDOW);
  }

  snapshot(): RequestLedgerSnapshot {
    return { since: { ...this.#since }, release: this.#release.snapshot(), finishes: this.#finishes.snapshot() };
  }

  restore({ since, release, finishes }: RequestLedgerSnapshot): void {
    this.#since = { ...since };
    this.#release.restore(release);
    this.#finishes.restore(finishes);
  }

  #expire(now: number): void {
    for (const request of this.#open) {
      if (now - request.sentAt <= EXPIRY && this.#open.size < MOST) return;
      this.#drop(request);
    }
  }

  #drop(request: R): void {
    this.#open.delete(request);
    this.#leaveSince(request);
    if (request.firstTokenAt === null) this.#leaveQueue(request);
  }

  #leaveSince({ sentAt, promptTokens }: R): void {
    const since = this.#since;
    if (since.requests === 0 || (since.atSeconds !== null && sentAt <= since.atSeconds)) return;
    since.requests--;
    since.tokens = since.requests === 0 ? 0 : Math.max(0, since.tokens - promptTokens);
  }

  #leaveQueue(request: R): void {
    this.#ahead.delete(request);
    if (request === this.#head) this.#head = this.#ahead.values().next().value ?? null;
    this.#aheadTokens = this.#ahead.size === 0 ? 0 : this.#aheadTokens - request.promptTokens;
  }
}
