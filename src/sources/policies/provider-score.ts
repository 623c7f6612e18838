/**
 * What was learned of one provider of one source: how likely and how quickly it answers.
 *
 *     success  EWMA of 1 and 0 with weight 1/2, from 1; a failure is forgiven with a half-life of 60 s without a question
 *     latency  EWMA of the answers' times with weight 1/5; half of the limit while there is none
 *     cost     latency + (1 - success) · limit, and for the main provider limit / 4 less: it wins where it is nearly as good
 *
 * It is due for a question beside the real one when it was never asked, 5 s after the last question while its success is
 * below 0.9, else 60 s after it: so one that failed comes back. Times are of the monotonic clock.
 */
import { type Clock, systemClock } from '../../abort/index.js';
import type { ProviderMetrics } from '../source-figures.js';

const successWeight = 1 / 2;
const latencyWeight = 1 / 5;
const forgivenessMs = 60_000;
const trusted = 0.9;
const failedAgainMs = 5000;
const knownAgainMs = 60_000;

export class ProviderScore {
  readonly #isMain: boolean;
  readonly #clock: Clock;
  #requests = 0;
  #failures = 0;
  #success = 1;
  #latencyMs: number | null = null;
  #askedAt: number | null = null;

  constructor(isMain: boolean, clock: Clock = systemClock) {
    this.#isMain = isMain;
    this.#clock = clock;
  }

  asked(): void {
    this.#requests += 1;
    this.#askedAt = this.#clock.now();
  }

  /** It answered after some milliseconds. */
  answered(ms: number): void {
    this.#success += successWeight * (1 - this.#success);
    this.#latencyMs = this.#latencyMs === null ? ms : this.#latencyMs + latencyWeight * (ms - this.#latencyMs);
  }

  /** It failed, or was silent until another one answered. */
  failed(): void {
    this.#failures += 1;
    this.#success *= 1 - successWeight;
  }

  cost(limitMs: number): number {
    const failure = (1 - this.#success) * 2 ** (-this.#restMs() / forgivenessMs);
    const bonus = this.#isMain ? limitMs / 4 : 0;
    return (this.#latencyMs ?? limitMs / 2) + failure * limitMs - bonus;
  }

  get isDue(): boolean {
    return this.#askedAt === null || this.#restMs() >= (this.#success < trusted ? failedAgainMs : knownAgainMs);
  }

  metrics(): Omit<ProviderMetrics, 'breakerOpen'> {
    const successMean = this.#requests === 0 ? null : this.#success;
    return { requests: this.#requests, failures: this.#failures, latencyMeanMs: this.#latencyMs, successMean };
  }

  /** Since it was last asked. */
  #restMs(): number {
    return this.#askedAt === null ? 0 : this.#clock.now() - this.#askedAt;
  }
}
