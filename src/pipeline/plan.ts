/**
 * From the aggregation to the three pipelines, each only when its source succeeded, in priority order.
 *
 *     parallel_execution  = data_quality_score > 0.7
 *     enable_caching      = the engine is ready          batch_processing     = max_concurrent > 1
 *     memory_optimization = max_sequence_length > 1024   concurrent_execution = more than one pipeline
 *
 * Unknown figures count as not met. The same sources and target give the same plan.
 */
import type { Aggregation } from '../aggregation/index.js';
import type { Sources } from '../sources/index.js';
import { defaultExecution } from './execution.js';
import { planHighQuality, QUALITY_THRESHOLD } from './high-quality.js';
import { MODEL_AWARE, planModelAware } from './model-aware.js';
import { PERFORMANCE_OPTIMIZED, planPerformance } from './performance.js';
import { planResources, RESOURCE_AWARE } from './resource-scaling.js';
import type { Pipeline, ProcessingPipelines } from './schema.js';
import { checkTarget, type PlanTarget } from './target.js';

const LONG_SEQUENCE = 1024;

export function createDataProcessingPipelines(
  sources: Sources,
  aggregation: Aggregation,
  target: PlanTarget,
): ProcessingPipelines {
  checkTarget(target);
  const pipelines: Pipeline[] = [];
  const absent: ProcessingPipelines['absent_pipelines'] = [];
  const plan = (name: string, source: 'model_config' | 'performance' | 'resources', make: () => Pipeline) => {
    const { state, error } = sources[source];
    if (state !== 'error') pipelines.push(make());
    else absent.push({ name, source, reason: error ?? `the ${source} source failed` });
  };
  plan(MODEL_AWARE, 'model_config', () => planModelAware(aggregation, target));
  plan(PERFORMANCE_OPTIMIZED, 'performance', () => planPerformance(sources, aggregation, target));
  plan(RESOURCE_AWARE, 'resources', () => {
    return planResources(sources, aggregation, target, plannedThreads(pipelines) ?? defaultExecution(target).threads);
  });
  const { max_concurrent, max_sequence_length } = aggregation.processing_constraints;
  return {
    transformation_pipelines: pipelines,
    data_flow_config: {
      pipeline_order: pipelines.map(({ name }) => name),
      parallel_execution: aggregation.data_quality_score > QUALITY_THRESHOLD,
      fallback_strategy: 'sequential_processing',
      error_handling: 'continue_with_available_data',
    },
    optimization_config: {
      enable_caching: aggregation.optimization_hints.engine_optimizations_available === true,
      batch_processing: (max_concurrent ?? 1) > 1,
      memory_optimization: (max_sequence_length ?? 0) > LONG_SEQUENCE,
      concurrent_execution: pipelines.length > 1,
    },
    high_quality_optimizations: planHighQuality(aggregation),
    absent_pipelines: absent,
  };
}

function plannedThreads(pipelines: Pipeline[]): number | undefined {
  const steps = pipelines.flatMap((pipeline) => pipeline.steps);
  return steps.find(({ parameters }) => parameters.threads !== undefined)?.parameters.threads;
}
