/**
 * How a series is run, apart from what is done to its numbers.
 *
 * threads          threads that run series of a batch at the same time
 * batchSize        series taken together
 * chunkSteps       steps whose states are kept at once
 * activeMembranes  membranes that are computed: the first ones in level order, so that the deepest are switched off
 *                  first, no child outlives its parent and the skin is always there
 */
import type { PlanTarget } from './target.js';

export interface ExecutionPlan {
  threads: number;
  batchSize: number;
  chunkSteps: number;
  activeMembranes: number;
}

const BATCH_SIZE = 8;
const CHUNK_STEPS = 256;

/** What holds where no pipeline says otherwise: every core, every membrane, batches of 8, chunks of 256 steps. */
export function defaultExecution(target: PlanTarget): ExecutionPlan {
  return {
    threads: target.cores,
    batchSize: BATCH_SIZE,
    chunkSteps: CHUNK_STEPS,
    activeMembranes: target.membranes,
  };
}
