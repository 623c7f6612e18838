/**
 * KV memory that an idle engine holds: nothing runs, waits or is in flight for SCRAPES scrapes, but more than SHARE of the memory is
 * not free.
 *
 * Only of an engine whose idle memory was empty once: some engines count the cached prefixes of requests that have ended.
 */
import type { Verdict } from './anomaly.js';
import type { HealthSample } from './health-sample.js';

const SHARE = 0.004;
const SCRAPES = 3;

export class IdleKvRule {
  #held = 0;
  #isEmptyWhenIdle = false;
  #since: number | null = null;

  observe({ running, waiting, kvUsage }: HealthSample, time: number, inFlight: number): Verdict {
    const silent: Verdict = { kind: 'leak', rule: 'idle-kv', alarm: null, evidence: '', since: this.#since ?? time };
    const isIdle = running === 0 && waiting === 0 && inFlight === 0 && kvUsage !== null;
    const isHeld = isIdle && kvUsage > SHARE;
    this.#held = isHeld ? this.#held + 1 : 0;
    if (!isIdle) return silent;
    if (!isHeld) {
      this.#isEmptyWhenIdle = true;
      this.#since = null;
      return { ...silent, alarm: false };
    }
    if (this.#held < SCRAPES || !this.#isEmptyWhenIdle) return silent;
    this.#since ??= time;
    const evidence = `nothing runs or waits, but ${(100 * kvUsage).toFixed(1)} % of the KV memory is held`;
    return { ...silent, alarm: true, evidence };
  }

  reset(): void {
    this.#held = 0;
    this.#since = null;
  }
}
