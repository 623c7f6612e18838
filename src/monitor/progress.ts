/** Whether an engine worked between two scrapes: the counters that stand still in one that hangs. */
import type { EngineFigures } from '../engine/index.js';

export const progressCounters = [
  'iterationCount',
  'generationTokens',
  'promptTokens',
  'requestsTotal',
  'preemptions',
] as const;

/** Whether work was counted since; null when the engine counts none. */
export function progressed(before: EngineFigures, now: EngineFigures): boolean | null {
  const known = progressCounters.filter((name) => before[name] !== null && now[name] !== null);
  return known.length === 0 ? null : known.some((name) => now[name]! > before[name]!);
}
