/** Pipeline 3, `resource_aware_scaling`: this host's memory and CPUs bound the work. */
import { type Aggregation, cpuContention } from '../aggregation/index.js';
import type { Sources } from '../sources/index.js';
import type { Draft } from './draft.js';
import type { MultiSourceData } from './envelope.js';
import type { Pipeline, PipelineStep } from './schema.js';
import { applyPipeline } from './step-application.js';
import type { PlanTarget } from './target.js';

export const RESOURCE_AWARE = 'resource_aware_scaling';

export const MEMORY_SHARE = 1 / 16;
const SHORTEST_CHUNK = 16;
const LONGEST_CHUNK = 4096;

/** `threads` are those that keep states at the same time. */
export function planResources(
  sources: Sources,
  aggregation: Aggregation,
  target: PlanTarget,
  threads: number,
): Pipeline {
  const steps = [
    scaleToMemory(aggregation.processing_constraints.memory_available_bytes, target, threads),
    distributeLoad(sources.resources, aggregation, target),
  ];
  return {
    name: RESOURCE_AWARE,
    source: 'resources',
    transformations: steps.map((step) => step.transformation),
    output_format: 'resource_optimized',
    priority: 3,
    steps,
  };
}

/**
 * Pipeline 3, `resource_aware_scaling`: this host's memory and CPUs bound the work.
 *
 *     scale_to_available_memory    chunkSteps = memory share / (units · bytesPerUnit · threads), in whole 16s,
 *                                  within [16, 4096]; the share is 1/16 of the available memory
 *     distribute_processing_load   levels switched off, deepest first: one under high load, one more when this host's
 *                                  CPUs are overloaded (aggregation/cpu-contention.ts); the skin's level stays
 */
export function applyResourceScaling(draft: Draft, data: MultiSourceData): Draft {
  return applyPipeline(draft, data, RESOURCE_AWARE);
}

function scaleToMemory(available: number | null, target: PlanTarget, threads: number): PipelineStep {
  const step = { transformation: 'scale_to_available_memory', kind: 'execution' as const, operations: [] };
  if (available === null) return { ...step, parameters: {}, reason: 'available memory is unknown' };
  const stepBytes = target.units * target.bytesPerUnit * threads;
  const fitting = Math.floor((available * MEMORY_SHARE) / stepBytes / SHORTEST_CHUNK) * SHORTEST_CHUNK;
  const chunkSteps = Math.min(LONGEST_CHUNK, Math.max(SHORTEST_CHUNK, fitting));
  const mebibytes = Math.round(available / 2 ** 20);
  const bound =
    fitting > LONGEST_CHUNK ? ', the most is taken' : fitting < SHORTEST_CHUNK ? ', the least is taken' : '';
  return {
    ...step,
    parameters: { chunk_steps: chunkSteps },
    reason:
      `states take ${stepBytes} bytes a step (${target.units} units on ${threads} threads); ` +
      `1/16 of ${mebibytes} MiB available holds ${fitting} steps${bound}`,
  };
}

function distributeLoad(
  resources: Sources['resources'],
  { optimization_hints: { high_load_detected } }: Aggregation,
  { membraneLevels, membranes }: PlanTarget,
): PipelineStep {
  const step = { transformation: 'distribute_processing_load', kind: 'execution' as const, operations: [] };
  const contention = cpuContention(resources);
  if (high_load_detected === null) return { ...step, parameters: {}, reason: 'load is unknown' };
  const wanted = (high_load_detected ? 1 : 0) + (contention?.isOverload ? 1 : 0);
  const off = Math.min(wanted, membraneLevels.length - 1);
  const activeMembranes = membraneLevels.slice(0, membraneLevels.length - off).reduce((sum, level) => sum + level, 0);
  const load = high_load_detected ? 'load is high' : 'load is not high';
  const cpus = contention === null ? '' : `, ${contention.sentence}`;
  const result =
    off === 0
      ? `all ${membranes} membranes stay active`
      : `the deepest ${off === 1 ? 'level is' : `${off} levels are`} switched off, ${activeMembranes} of ${membranes} membranes stay active`;
  return { ...step, parameters: { active_membranes: activeMembranes }, reason: `${load}${cpus}: ${result}` };
}
