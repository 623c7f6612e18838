/**
 * A planned pipeline's steps as entries of a draft: its data operations, and its settings of the execution plan.
 */
import type { AppliedTransformation } from './draft.js';
import type { ExecutionPlan } from './execution.js';
import type { PipelineStep, ProcessingPipelines } from './schema.js';

/** The settings by the name they have in a plan. */
const settings = {
  threads: 'threads',
  batch_size: 'batchSize',
  chunk_steps: 'chunkSteps',
  active_membranes: 'activeMembranes',
} as const;

/** The planned steps of a pipeline; none when it is absent. */
function plannedSteps(plan: ProcessingPipelines, pipeline: string): PipelineStep[] {
  return plan.transformation_pipelines.find(({ name }) => name === pipeline)?.steps ?? [];
}

export function appliedData(plan: ProcessingPipelines, pipeline: string): AppliedTransformation[] {
  return plannedSteps(plan, pipeline).map(({ transformation, operations, reason }) => ({
    transformation,
    pipeline,
    kind: 'data',
    applied: operations.length > 0,
    operations,
    reason,
    effect: null,
  }));
}

/** One setting after the other: what it was and what it is now. */
export function applyExecution(
  execution: ExecutionPlan,
  plan: ProcessingPipelines,
  pipeline: string,
): { execution: ExecutionPlan; applied: AppliedTransformation[] } {
  const next = { ...execution };
  const applied = plannedSteps(plan, pipeline).map(({ transformation, parameters, reason }): AppliedTransformation => {
    const name = (Object.keys(settings) as (keyof typeof settings)[]).find((key) => parameters[key] !== undefined);
    const entry = { transformation, pipeline, kind: 'execution' as const, operations: [], reason };
    if (name === undefined) return { ...entry, applied: false, effect: null };
    const setting = settings[name];
    const before = next[setting];
    next[setting] = parameters[name]!;
    return { ...entry, applied: true, effect: { quantity: setting, before, after: next[setting] } };
  });
  return { execution: next, applied };
}
