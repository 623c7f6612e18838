/**
 * What the learned correction of a predicted time to first token reads, in this order:
 *
 *     ln physics             seconds, by the physics (queue-physics.ts)
 *     ln metrics             seconds, by the metrics alone
 *     ln own                 tokens of the prompt, at least 1
 *     log1p waiting          requests in the engine's queue at the last scrape
 *     log1p ahead            requests sent without a first token
 *     running / 64           requests in the batch at the last scrape
 *     kv                     share of the KV memory in use, 0 to 1
 *     kv > 0.9               1 or 0
 *     ahead = 0              1 or 0
 *     own / (R physics)      share of the time that the prompt itself takes
 *     itl / physics          share of the time that one step takes
 *     1
 *
 * A figure that is not known counts as 0. Every value is finite.
 */
import type { EngineView } from './engine-view.js';
import type { QueuePhysics, Traffic } from './queue-physics.js';

export const FEATURES = 12;
const FULL_KV = 0.9;
/** log1p of small counts, which is half of the time of a prediction otherwise. */
const logs = Float64Array.from({ length: 1024 }, (_, count) => Math.log1p(count));

export function writeFeatures(x: Float64Array, own: number, { view, physics, traffic, ...seconds }: Inputs): void {
  const { physicsSeconds, metricsSeconds } = seconds;
  const kvUsage = view.kvUsage ?? 0;
  x[0] = Math.log(physicsSeconds);
  x[1] = Math.log(metricsSeconds);
  x[2] = Math.log(Math.max(1, own));
  x[3] = logOf(view.waiting ?? 0);
  x[4] = logOf(traffic.aheadRequests);
  x[5] = (view.running ?? 0) / 64;
  x[6] = kvUsage;
  x[7] = kvUsage > FULL_KV ? 1 : 0;
  x[8] = traffic.aheadRequests === 0 ? 1 : 0;
  x[9] = own / (physics.rate * physicsSeconds);
  x[10] = physics.itl / physicsSeconds;
  x[11] = 1;
}

interface Inputs {
  view: EngineView;
  physics: QueuePhysics;
  traffic: Traffic;
  /** Of this prompt, above 0. */
  physicsSeconds: number;
  metricsSeconds: number;
}

function logOf(count: number): number {
  return logs[count] ?? Math.log1p(count);
}
