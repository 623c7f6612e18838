/**
 * Execution settings of a series: everything except the operations on its numbers.
 *
 * threads threads that run series of a batch at the same time batchSize series taken together chunkSteps steps whose
 * states are kept at once activeMembranes membranes that are computed: the first ones in level order, so that the
 * deepest are switched off
 *                  first, no child outlives its parent and the skin is always there
 *
 * and what the flags of the plan allow:
 *
 * parallel         several inputs at the same time (else one after the other, on one thread)
 * caching          token ids, plans and explained plans of equal inputs are kept
 * batch            native batches (else one series at a time)
 * overlap          the next input is encoded and transformed while this one is in the model
 * chunked          states are kept a chunk at a time (else those of the whole series)
 */
import { z } from 'zod';
import type { PlanTarget } from './target.js';

export const executionPlanSchema = z.object({
  threads: z.int().positive(),
  batchSize: z.int().positive(),
  chunkSteps: z.int().positive(),
  activeMembranes: z.int().positive(),
  parallel: z.boolean(),
  caching: z.boolean(),
  batch: z.boolean(),
  overlap: z.boolean(),
  chunked: z.boolean(),
});

/**
 * Execution settings of a series: everything except the operations on its numbers.
 *
 *     threads           threads that run series of a batch at the same time
 *     batchSize         series taken together
 *     chunkSteps        steps whose states are kept at once
 *     activeMembranes   membranes that are computed: the first ones in level order
 */
export type ExecutionPlan = z.infer<typeof executionPlanSchema>;
/** A number of the execution plan that a pipeline may set or limit. */
export type ExecutionSetting = 'threads' | 'batchSize' | 'chunkSteps' | 'activeMembranes';

/** The settings by the name they have in a plan. */
export const settingOf = {
  threads: 'threads',
  batch_size: 'batchSize',
  chunk_steps: 'chunkSteps',
  active_membranes: 'activeMembranes',
} as const satisfies Record<string, ExecutionSetting>;

export type PlannedSetting = keyof typeof settingOf;
export const plannedSettings = Object.keys(settingOf) as PlannedSetting[];

const BATCH_SIZE = 8;
const CHUNK_STEPS = 256;

/** Defaults: every core, every membrane, batches of 8, chunks of 256 steps, all allowed. */
export function defaultExecution(target: PlanTarget): ExecutionPlan {
  return {
    threads: target.cores,
    batchSize: BATCH_SIZE,
    chunkSteps: CHUNK_STEPS,
    activeMembranes: target.membranes,
    parallel: true,
    caching: true,
    batch: true,
    overlap: true,
    chunked: true,
  };
}
