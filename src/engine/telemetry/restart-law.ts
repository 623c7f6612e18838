/**
 * The restart law: whether an engine restarted between two observations. Everything that compares observations (rates,
 * the monitor's state, the history of the aggregation, the caches of the fetch) uses it.
 *
 *     sign        before    now       restarted
 *     start       a         b         yes         the start of the process, where both are known and differ
 *     counter     a         b < a     yes         any counter that fell
 *     capacity    a         b         yes         tokens of the KV cache: set when an engine starts or is scaled
 *     absence     seen, gone, seen      yes         nothing listened, or it said it was not well
 *     any         unknown   a         no          a figure that appears is no evidence
 *     any         a         unknown   no          nor one that disappears; the last known value is compared with the next
 *     any         a         a         no          equal, or a counter that rose
 *
 * Signs are joined by or. A counter that fell while the start of the process is known and the same contradicts it: then
 * `contradiction` is true (the core restarted within its process, or the figures cannot be trusted).
 * After a restart only the new observation is kept.
 */
type Figure = number | null;

export interface RunFigures {
  /** Seconds since 1970. */
  startTime: Figure;
  kvTokensCapacity: Figure;
  counters: Readonly<Record<string, Figure>>;
}

export interface Restart {
  /** One sentence for each sign. */
  reasons: string[];
  contradiction: boolean;
}

export class RestartDetector {
  #last: RunFigures | null = null;
  #absent = false;

  /** The engine was unavailable since the last observation: nothing listened, or it reported a failure. */
  gone(): void {
    this.#absent = this.#last !== null;
  }

  /** Takes the next observation in order of time; null when it belongs to the same run as those before. */
  observe(now: RunFigures): Restart | null {
    const before = this.#last;
    const reasons = before === null ? [] : signs(before, now);
    if (this.#absent) reasons.push('the engine was unavailable in between');
    this.#absent = false;
    if (before === null || reasons.length > 0) this.#last = now;
    else this.#last = remembered(before, now);
    if (before === null || reasons.length === 0) return null;
    const sameProcess = before.startTime !== null && now.startTime === before.startTime;
    return { reasons, contradiction: sameProcess && fallen(before, now).length > 0 };
  }
}

/** Both are known and differ. */
export function differs(before: Figure | string, now: Figure | string): boolean {
  return before !== null && now !== null && before !== now;
}

/** Both are known and it is less now. */
export function fell(before: Figure, now: Figure): boolean {
  return before !== null && now !== null && now < before;
}

function signs(before: RunFigures, now: RunFigures): string[] {
  const reasons = fallen(before, now);
  if (differs(before.startTime, now.startTime)) reasons.unshift('the start time of the process changed');
  if (differs(before.kvTokensCapacity, now.kvTokensCapacity)) reasons.push('the capacity of the KV cache changed');
  return reasons;
}

function fallen(before: RunFigures, now: RunFigures): string[] {
  return Object.entries(now.counters).flatMap(([name, value]) => {
    const earlier = before.counters[name] ?? null;
    return fell(earlier, value) ? [`${name} fell from ${earlier} to ${value}`] : [];
  });
}

/** The last known value of each figure. */
function remembered(before: RunFigures, now: RunFigures): RunFigures {
  const counters: Record<string, Figure> = { ...before.counters };
  for (const [name, value] of Object.entries(now.counters)) counters[name] = value ?? counters[name] ?? null;
  return {
    startTime: now.startTime ?? before.startTime,
    kvTokensCapacity: now.kvTokensCapacity ?? before.kvTokensCapacity,
    counters,
  };
}
