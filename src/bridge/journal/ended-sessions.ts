/** How long, and how many, sessions that ended are remembered. */
import type { EndedSession } from './journal-types.js';

export const ENDED_MS = 3_600_000;
export const MOST_ENDED = 100_000;

export const endedWithinTheHour = ({ endedAt }: EndedSession, wallMs: number): boolean =>
  Date.parse(endedAt) > wallMs - ENDED_MS;

/** Beyond MOST_ENDED the oldest tenth goes at once: a Map skips all entries deleted from its front at each look. */
export function forgetOldest(ended: Map<unknown, unknown>): void {
  if (ended.size <= MOST_ENDED) return;
  for (const oldest of ended.keys()) {
    ended.delete(oldest);
    if (ended.size <= 0.9 * MOST_ENDED) break;
  }
}
