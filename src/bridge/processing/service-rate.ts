/**
 * The measured rate of service: requests begun a second, as a mean that forgets with a time constant of 10 s.
 *
 *     mass <- mass e^(-dt/τ) + n        rate = mass / (τ (1 - e^(-t/τ))),  t since the first request
 *
 * Retry-After of a refused request is the time in which the waiting ones are begun at this rate, 1 to 60 s.
 */
import type { Clock } from '../../abort/index.js';

const TAU_SECONDS = 10;
const MOST_SECONDS = 60;

export class ServiceRate {
  readonly #clock: Clock;
  #mass = 0;
  #first: number | null = null;
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begun(requests: number): void {
    const now = this.#clock.now() / 1000;
    this.#first ??= now;
    this.#mass = this.#massAt(now) + requests;
    this.#last = now;
  }

  /** Requests a second; null before the first. */
  get perSecond(): number | null {
    if (this.#first === null) return null;
    const now = this.#clock.now() / 1000;
    const observed = 1 - Math.exp(-Math.max(1, now - this.#first) / TAU_SECONDS);
    return this.#massAt(now) / (TAU_SECONDS * observed);
  }

  /** Whole seconds until this many requests are begun. */
  secondsFor(requests: number): number {
    const rate = this.perSecond;
    if (rate === null) return 1;
    return Math.min(MOST_SECONDS, Math.max(1, Math.ceil(requests / rate)));
  }

  #massAt(now: number): number {
    return this.#mass * Math.exp(-(now - this.#last) / TAU_SECONDS);
  }
}
