/**
 * Priorities of requests, and which of them is served next.
 *
 *     pass(p) += 1 / weight(p) for each request of p that is taken; the waiting priority of the least pass is next
 *
 * Weights are 16, 4 and 1: while all three wait, of 21 requests taken 16 are high, 4 normal and 1 low, so a waiting request
 * of any priority advances at least once in 21 takes. A priority without waiting requests begins at the pass of the last
 * take: idle time is no credit. Equal passes are served in the order high, normal, low.
 * Source: Waldspurger & Weihl (1995), "Stride scheduling".
 */
import { argumentError, rangeError } from '../../errors/index.js';

export const priorities = ['high', 'normal', 'low'] as const;
export type Priority = (typeof priorities)[number];

/** By name, or by number: 0 high, 1 normal, 2 low. */
export type PriorityChoice = Priority | 0 | 1 | 2;

const weights: Record<Priority, number> = { high: 16, normal: 4, low: 1 };

/** The priority of a choice, 'normal' where there is none. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT. */
export function priorityOf(choice: PriorityChoice | undefined): Priority {
  if (choice === undefined) return 'normal';
  const name = typeof choice === 'number' ? priorities[choice] : priorities.find((known) => known === choice);
  if (name !== undefined) return name;
  const wrong = typeof choice === 'number' || typeof choice === 'string' ? rangeError : argumentError;
  throw wrong("'high', 'normal', 'low' or 0, 1, 2", 'priority', choice);
}

export class Stride {
  readonly #pass: Record<Priority, number> = { high: 0, normal: 0, low: 0 };
  #last = 0;

  /** The first request of a priority has come. */
  begin(priority: Priority): void {
    this.#pass[priority] = Math.max(this.#pass[priority], this.#last);
  }

  /** The priority that is next among those with requests; undefined where there is none. */
  next(waits: (priority: Priority) => boolean): Priority | undefined {
    let least: Priority | undefined;
    for (const priority of priorities) {
      if (!waits(priority)) continue;
      if (least === undefined || this.#pass[priority] < this.#pass[least]) least = priority;
    }
    if (least !== undefined) {
      this.#last = this.#pass[least];
      this.#pass[least] += 1 / weights[least];
    }
    return least;
  }
}
