/**
 * Requests a second that one engine serves when its queue is never empty: load 1 of a mix of requests.
 *
 *     rate = finished requests / virtual seconds, all requests waiting at second 0, until the last one is admitted
 *
 * Measured once for each mix and kept.
 */
import { setImmediate } from 'node:timers/promises';
import { type Arrival, EngineCore } from '../../simulator/index.js';
import { modelParameters } from './model-parameters.js';

const MOST_KEPT = 64;
const STEPS_BETWEEN_TURNS = 2000;
const known = new Map<string, number>();

export async function floodRate(
  key: string,
  mix: readonly Arrival[],
  signal: AbortSignal | undefined,
): Promise<number> {
  const before = known.get(key);
  if (before !== undefined) return before;
  const rate = await measured(mix, signal);
  if (known.size === MOST_KEPT) known.delete(known.keys().next().value!);
  known.set(key, rate);
  return rate;
}

async function measured(mix: readonly Arrival[], signal: AbortSignal | undefined): Promise<number> {
  const core = new EngineCore(modelParameters, 0);
  let finished = 0;
  let now = 0;
  const listener = { token() {}, end: () => void finished++ };
  for (const arrival of mix) core.submit({ ...arrival, time: 0, patience: Number.POSITIVE_INFINITY }, listener);
  for (let step = 1; core.waiting > 0; step++) {
    now = core.nextEvent;
    core.advanceTo(now);
    if (step % STEPS_BETWEEN_TURNS === 0) {
      await setImmediate();
      signal?.throwIfAborted();
    }
  }
  if (finished > 0) return finished / now;
  // So few that the queue is empty at once.
  core.advanceTo(Number.MAX_SAFE_INTEGER);
  return finished / core.statistics.busySeconds;
}
