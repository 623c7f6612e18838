/**
 * Objectives of a request for the latency of its engine, and what was observed of it.
 *
 *     expected    p90 of the time to first token and of the time between tokens, of the last pair of scrapes in which any was
 *                 counted, as long as that is not older than FRESH_SECONDS; null where nothing was
 *     meets       false where a known p90 exceeds its objective; null where one that is asked for is not known; else true
 *     factor      MISSED x (the largest p90 / objective) on the cost of an engine that misses one, else 1
 *
 * An engine that is not known to miss costs as ever: it is new, or idle. One that misses is passed over while another costs less,
 * so that a burst does not go to a single engine between two scrapes.
 */
import type { Latency, Rates } from '../../engine/index.js';

const FRESH_SECONDS = 60;
const MISSED = 4;

export interface Objectives {
  /** Milliseconds to the first token. */
  sloTtftMs?: number | undefined;
  /** Milliseconds between two tokens. */
  sloTpotMs?: number | undefined;
}

/** Null where it is not known. */
export interface ExpectedLatency {
  ttftSeconds: number | null;
  interTokenSeconds: number | null;
}

interface Seen {
  seconds: number;
  at: number;
}

/** The latencies of one engine. Times are seconds of a clock that never steps. */
export class ObservedLatency {
  #firstToken: Seen | null = null;
  #interToken: Seen | null = null;

  /** Takes the rates of the last two scrapes; null where there are none. */
  observe(rates: Rates | null, at: number): void {
    this.#firstToken = seen(rates?.timeToFirstTokenSeconds, at) ?? this.#firstToken;
    this.#interToken = seen(rates?.interTokenSeconds, at) ?? this.#interToken;
  }

  /** The engine is another process. */
  forget(): void {
    this.#firstToken = null;
    this.#interToken = null;
  }

  expected(now: number): ExpectedLatency {
    return { ttftSeconds: fresh(this.#firstToken, now), interTokenSeconds: fresh(this.#interToken, now) };
  }
}

/** Whether what is expected meets the objectives; null without one. */
export function meetsObjectives(expected: ExpectedLatency, objectives: Objectives): boolean | null {
  const asked = ratiosOf(expected, objectives);
  if (asked.some((ratio) => ratio !== null && ratio > 1)) return false;
  return asked.length === 0 || asked.includes(null) ? null : true;
}

export function objectivesFactor(expected: ExpectedLatency, objectives: Objectives): number {
  const worst = Math.max(0, ...ratiosOf(expected, objectives).map((ratio) => ratio ?? 0));
  return worst > 1 ? MISSED * worst : 1;
}

/** What is expected by each objective that is asked for; null where it is not known. */
function ratiosOf(
  { ttftSeconds, interTokenSeconds }: ExpectedLatency,
  { sloTtftMs, sloTpotMs }: Objectives,
): (number | null)[] {
  const pairs = [
    [ttftSeconds, sloTtftMs],
    [interTokenSeconds, sloTpotMs],
  ] as const;
  return pairs.flatMap(([seconds, ms]) => (ms === undefined ? [] : [seconds === null ? null : (1000 * seconds) / ms]));
}

function seen(latency: Latency | null | undefined, at: number): Seen | null {
  const seconds = latency?.p90;
  return typeof seconds === 'number' && Number.isFinite(seconds) ? { seconds, at } : null;
}

function fresh(last: Seen | null, now: number): number | null {
  return last !== null && now - last.at <= FRESH_SECONDS ? last.seconds : null;
}
