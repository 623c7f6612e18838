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

/** What of a RequestLedger outlives its process: rates, and no requests under way. */
export interface RequestLedgerSnapshot {
  release: DecayedRateSnapshot;
  finishes: DecayedRateSnapshot;
}

export class RequestLedger<R extends SentRequest> {
  readonly #open = new Set<R>();
  /** Those without a first token, in the order in which they were sent. */
  readonly #ahead = new Set<R>();
  #release = new DecayedRate(RATE_WINDOW);
  #finishes = new DecayedRate(RATE_WINDOW);
  #aheadTokens = 0;
  #aheadAtScrape = 0;
  #startedTokens = 0;
  #lastFirstToken = Number.NEGATIVE_INFINITY;
  #sinceTokens = 0;
  #sinceRequests = 0;
  #scrapedAt: number | null = null;

  /** Requests under way. */
  get size(): number {
    return this.#open.size;
  }

  traffic(now: number): Traffic {
    return {
      aheadTokens: this.#aheadTokens,
      aheadRequests: this.#ahead.size,
      aheadAtScrape: this.#aheadAtScrape,
      ...this.#head(now),
      inFlight: this.#open.size,
      sinceSeconds: this.#scrapedAt === null ? 0 : Math.max(0, now - this.#scrapedAt),
      sinceTokens: this.#sinceTokens,
      sinceRequests: this.#sinceRequests,
      release: this.#release.at(now),
      finishRate: this.#finishes.at(now),
    };
  }

  /** A scrape shows all that was sent before it; returns the prompt tokens of first tokens since the scrape before. */
  scraped(now: number): number {
    const started = this.#startedTokens;
    this.#startedTokens = 0;
    this.#scrapedAt = now;
    this.#sinceTokens = 0;
    this.#sinceRequests = 0;
    this.#aheadAtScrape = this.#ahead.size;
    this.#expire(now);
    return started;
  }

  add(request: R): void {
    this.#expire(request.sentAt);
    this.#open.add(request);
    this.#ahead.add(request);
    this.#release.begin(request.sentAt);
    this.#finishes.begin(request.sentAt);
    this.#aheadTokens += request.promptTokens;
    this.#sinceTokens += request.promptTokens;
    this.#sinceRequests++;
  }

  /** Whether a request is under way. */
  has(request: R): boolean {
    return this.#open.has(request);
  }

  /** The first token of a request under way that had none. */
  firstToken(request: R, now: number): void {
    request.firstTokenAt = now;
    this.#startedTokens += request.promptTokens;
    this.#lastFirstToken = Math.max(this.#lastFirstToken, now);
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
    return { release: this.#release.snapshot(), finishes: this.#finishes.snapshot() };
  }

  restore({ release, finishes }: RequestLedgerSnapshot): void {
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
    if (request.firstTokenAt === null) this.#leaveQueue(request);
  }

  #leaveQueue(request: R): void {
    this.#ahead.delete(request);
    this.#aheadTokens = this.#ahead.size === 0 ? 0 : this.#aheadTokens - request.promptTokens;
  }

  #head(now: number): Pick<Traffic, 'headTokens' | 'headSeconds'> {
    for (const { promptTokens, sentAt } of this.#ahead) {
      return { headTokens: promptTokens, headSeconds: Math.max(0, now - Math.max(sentAt, this.#lastFirstToken)) };
    }
    return { headTokens: 0, headSeconds: 0 };
  }
}
