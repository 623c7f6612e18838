/** Pipeline 2, `performance_optimized_processing`: the load of the engine sets threads and batch size. */
import type { Aggregation } from '../aggregation/index.js';
import type { Sources } from '../sources/index.js';
import type { Draft } from './draft.js';
import type { MultiSourceData } from './envelope.js';
import type { Pipeline, PipelineStep } from './schema.js';
import { applyPipeline } from './step-application.js';
import type { PlanTarget } from './target.js';

export const PERFORMANCE_OPTIMIZED = 'performance_optimized_processing';

const LARGEST_BATCH = 64;

export function planPerformance(sources: Sources, aggregation: Aggregation, target: PlanTarget): Pipeline {
  const steps = [adjustConcurrency(aggregation, target), optimizeBatchSize(sources.performance.concurrent_requests)];
  return {
    name: PERFORMANCE_OPTIMIZED,
    source: 'performance',
    transformations: steps.map((step) => step.transformation),
    output_format: 'performance_tuned',
    priority: 2,
    steps,
  };
}

/**
 * Pipeline 2, `performance_optimized_processing`: the load of the engine sets threads and batch size.
 *
 *     adjust_concurrency     threads = min(cores, max_concurrent), halved under high load and never below 1
 *     optimize_batch_size    batchSize = least power of two >= requests in flight, within [1, 64]
 */
export function applyPerformanceOptimization(draft: Draft, data: MultiSourceData): Draft {
  return applyPipeline(draft, data, PERFORMANCE_OPTIMIZED);
}

function adjustConcurrency(aggregation: Aggregation, { cores }: PlanTarget): PipelineStep {
  const { max_concurrent } = aggregation.processing_constraints;
  const { high_load_detected, high_load_reasons } = aggregation.optimization_hints;
  const usable = Math.max(1, Math.min(cores, max_concurrent ?? cores));
  const limit = usable < cores ? `${usable} of ${cores} cores may be used` : `${cores} cores`;
  const threads = high_load_detected ? Math.max(1, Math.floor(usable / 2)) : usable;
  const load = high_load_detected
    ? `load is high (${high_load_reasons.join('; ')}), so half of them at most`
    : high_load_detected === null
      ? 'load is unknown'
      : 'load is not high';
  return {
    transformation: 'adjust_concurrency',
    kind: 'execution',
    operations: [],
    parameters: { threads },
    reason: `${limit}, ${load}`,
  };
}

function optimizeBatchSize(inFlight: number | null): PipelineStep {
  const step = { transformation: 'optimize_batch_size', kind: 'execution' as const, operations: [] };
  if (inFlight === null) return { ...step, parameters: {}, reason: 'requests in flight are unknown' };
  let batchSize = 1;
  while (batchSize < inFlight && batchSize < LARGEST_BATCH) batchSize *= 2;
  return {
    ...step,
    parameters: { batch_size: batchSize },
    reason: `the engine has ${inFlight} requests in flight; batches are powers of two up to ${LARGEST_BATCH}`,
  };
}
