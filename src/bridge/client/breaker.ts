/**
 * Stops asking a bridge that fails: after 3 failures in a row no question is asked for `openMs`; then one is, and its outcome
 * decides whether the others follow or the pause begins again.
 */
import type { Clock } from '../../abort/index.js';

const failuresBeforeOpen = 3;

export class Breaker {
  readonly #openMs: number;
  readonly #clock: Clock;
  #failures = 0;
  #openUntil = Number.NEGATIVE_INFINITY;

  constructor(openMs: number, clock: Clock) {
    this.#openMs = openMs;
    this.#clock = clock;
  }

  /** Whether a question may be asked now. One that is admitted must be followed by `succeeded` or `failed`. */
  admit(): boolean {
    if (this.#failures < failuresBeforeOpen) return true;
    if (this.#clock.now() < this.#openUntil) return false;
    this.#openUntil = this.#clock.now() + this.#openMs;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(): void {
    this.#failures += 1;
    if (this.#failures >= failuresBeforeOpen) this.#openUntil = this.#clock.now() + this.#openMs;
  }
}
