/**
 * A circuit breaker: after repeated failures no call passes for a while, then one call probes.
 *
 *     closed     calls pass; opens after 5 failures in a row, or when at least half of at least 5 calls of the last 10 s failed
 *     open       no call passes for uniform(b/2, b), b = min(30 s, 1 s · 2^(n-1)) at the n-th opening in a row
 *     half-open  one call passes, as a probe: its success closes, its failure opens once more
 *
 * A failure may bring times of its own: `restMs`, to be left alone just that long at once (at most 30 s), and `longestMs`,
 * the longest b. Other limits may be given (`limits`). Calls that began before the breaker changed its mind do not change it again. Times are of the monotonic clock.
 * Source: Nygard (2018), "Release It!", 2nd ed., section 5.2.
 */
import { type Clock, systemClock } from './clock.js';

const windowMs = 10_000;
const bucketMs = 1000;
const enoughCalls = 5;
/** What a breaker opens at, and the first and the longest b. */
export interface BreakerLimits {
  inARow: number;
  firstMs: number;
  maxMs: number;
}

const standardLimits: BreakerLimits = { inARow: 5, firstMs: 1000, maxMs: 30_000 };

export interface Pass {
  probe: boolean;
  /** How often the breaker had changed when the call began. */
  readonly change: number;
}

export interface Failure {
  restMs?: number;
  longestMs?: number;
}

interface Bucket {
  start: number;
  calls: number;
  failures: number;
}

export class CircuitBreaker {
  readonly #random: () => number;
  readonly #clock: Clock;
  readonly #limits: BreakerLimits;
  #buckets: Bucket[] = [];
  #inARow = 0;
  #openings = 0;
  #openUntil: number | null = null;
  #probing = false;
  #change = 0;

  constructor(random: () => number = Math.random, clock: Clock = systemClock, limits: BreakerLimits = standardLimits) {
    this.#random = random;
    this.#clock = clock;
    this.#limits = limits;
  }

  get state(): 'closed' | 'open' | 'half-open' {
    if (this.#openUntil === null) return 'closed';
    return this.#probing || this.#clock.now() < this.#openUntil ? 'open' : 'half-open';
  }

  /** Milliseconds until a call may pass: 0 when it may now. */
  get restMs(): number {
    return this.#openUntil === null ? 0 : Math.max(0, this.#openUntil - this.#clock.now());
  }

  /** Lets a call begin, or null. Every pass is given back by one of the three below. */
  enter(): Pass | null {
    const { state } = this;
    if (state === 'open') return null;
    this.#probing = state === 'half-open';
    return { probe: this.#probing, change: this.#change };
  }

  succeeded(pass: Pass): void {
    if (pass.change !== this.#change) return;
    this.#inARow = 0;
    if (pass.probe) this.#close();
    else this.#count(false);
  }

  failed(pass: Pass, { restMs = 0, longestMs = this.#limits.maxMs }: Failure = {}): void {
    if (pass.change !== this.#change) return;
    this.#inARow += 1;
    this.#count(true);
    if (restMs > 0) this.#open(Math.min(restMs, this.#limits.maxMs));
    else if (pass.probe || this.#isTooMuch()) this.#open(this.#backoff(longestMs));
  }

  /** The call ended without a conclusion about what was asked. */
  abandoned(pass: Pass): void {
    if (pass.change === this.#change && pass.probe) this.#probing = false;
  }

  #isTooMuch(): boolean {
    const calls = this.#buckets.reduce((sum, bucket) => sum + bucket.calls, 0);
    const failures = this.#buckets.reduce((sum, bucket) => sum + bucket.failures, 0);
    return this.#inARow >= this.#limits.inARow || (calls >= enoughCalls && failures >= calls / 2);
  }

  #count(failed: boolean): void {
    const now = this.#clock.now();
    this.#buckets = this.#buckets.filter(({ start }) => now - start < windowMs);
    let last = this.#buckets.at(-1);
    if (last === undefined || now - last.start >= bucketMs) {
      last = { start: now, calls: 0, failures: 0 };
      this.#buckets.push(last);
    }
    last.calls += 1;
    if (failed) last.failures += 1;
  }

  #backoff(longestMs: number): number {
    const { firstMs, maxMs } = this.#limits;
    const most = Math.min(longestMs, maxMs, firstMs * 2 ** this.#openings);
    this.#openings += 1;
    return (most / 2) * (1 + this.#random());
  }

  #open(ms: number): void {
    this.#openUntil = this.#clock.now() + ms;
    this.#changed();
  }

  #close(): void {
    this.#openings = 0;
    this.#openUntil = null;
    this.#changed();
  }

  #changed(): void {
    this.#change += 1;
    this.#probing = false;
    this.#inARow = 0;
    this.#buckets = [];
  }
}
