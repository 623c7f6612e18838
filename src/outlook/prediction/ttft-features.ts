/**
 * What the learned correction of a predicted time to first token reads, in this order:
 *
 *     log1p waiting          requests in the engine's queue at the last scrape
 *     ln own                 tokens of the prompt, at least 1
 *     since / 10,000         prompt tokens sent since the last scrape
 *     ahead / 10,000         prompt tokens sent without a first token
 *     log1p aheadRequests    the requests that they belong to
 *     ln metrics             seconds, by the metrics alone (queue-physics.ts)
 *     ln physics             seconds, by the physics
 *     running / 64           requests in the batch at the last scrape
 *     kv                     share of the KV memory in use, 0 to 1
 *     10 itl                 seconds between two tokens
 *     1
 *
 * A figure that is not known counts as 0. Every value is finite.
 */
import type { EngineView } from './engine-view.js';
import type { QueuePhysics, Traffic } from './queue-physics.js';

export const FEATURES = 11;

export function writeFeatures(x: Float64Array, own: number, { view, physics, traffic, physicsSeconds }: Inputs): void {
  x[0] = Math.log1p(view.waiting ?? 0);
  x[1] = Math.log(Math.max(1, own));
  x[2] = traffic.sinceTokens / 10_000;
  x[3] = traffic.aheadTokens / 10_000;
  x[4] = Math.log1p(traffic.aheadRequests);
  x[5] = Math.log(physics.metricsSeconds(own, traffic.sinceRequests));
  x[6] = Math.log(physicsSeconds);
  x[7] = (view.running ?? 0) / 64;
  x[8] = view.kvUsage ?? 0;
  x[9] = 10 * physics.itl;
  x[10] = 1;
}

interface Inputs {
  view: EngineView;
  physics: QueuePhysics;
  traffic: Traffic;
  /** Of this prompt, above 0. */
  physicsSeconds: number;
}
