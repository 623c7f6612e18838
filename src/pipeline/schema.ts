/**
 * The processing pipelines of the published multi-source format, and beside each pipeline the `steps` its
 * transformations became, with the reason in a sentence:
 *
 *     data        operations of a transform program, `on` the tokens before the embedding, the features after it, or the
 *                 series as it came in (before the embedding where there is one)
 *     execution   settings of the execution plan
 *     limit       upper bounds of those settings, in force once their pipeline acts
 *
 * A step that cannot be made (a figure is unknown, or it does not apply to the input) has no operations and no
 * settings, and its reason names the cause.
 */
import { z } from 'zod';
import { qualityJudgementSchema } from '../aggregation/index.js';
import { transformOpSchema } from '../transform/index.js';

export const errorHandlings = ['continue_with_available_data', 'fail'] as const;

/** The switches of data_flow_config and optimization_config. */
export const flagNames = [
  'parallel_execution',
  'enable_caching',
  'batch_processing',
  'memory_optimization',
  'concurrent_execution',
] as const;
/** Name of a switch of the plan, such as `parallel_execution`; `flags` of the options sets it. */
export type FlagName = (typeof flagNames)[number];

export const pipelineStepSchema = z.object({
  transformation: z.string(),
  kind: z.enum(['data', 'execution', 'limit']),
  /** Of data; 'features' where it is left out. */
  on: z.enum(['series', 'tokens', 'features']).optional(),
  operations: z.array(transformOpSchema),
  /** Limits of the data operations, settings of the execution plan. */
  parameters: z.partialRecord(
    z.enum(['max_steps', 'vocab_size', 'threads', 'batch_size', 'chunk_steps', 'active_membranes']),
    z.int(),
  ),
  reason: z.string(),
});

export const pipelineSchema = z
  .object({
    name: z.string(),
    source: z.string(),
    transformations: z.array(z.string()),
    output_format: z.string(),
    priority: z.int(),
    steps: z.array(pipelineStepSchema),
  })
  .loose();

export const processingPipelinesSchema = z
  .object({
    transformation_pipelines: z.array(pipelineSchema),
    data_flow_config: z.object({
      pipeline_order: z.array(z.string()),
      parallel_execution: z.boolean(),
      fallback_strategy: z.literal('sequential_processing'),
      error_handling: z.enum(errorHandlings),
    }),
    optimization_config: z.object({
      enable_caching: z.boolean(),
      batch_processing: z.boolean(),
      memory_optimization: z.boolean(),
      concurrent_execution: z.boolean(),
    }),
    /** Why each switch is as it was planned: 'true: ...' or 'false: ...'; of error_handling and pipeline_order the rule alone. */
    flag_reasons: z.record(z.string(), z.string()),
    /** Present with a quality gate. */
    quality_gate: qualityJudgementSchema.optional(),
    /** Operations that high quality adds after all pipelines; none when `enabled` is false. */
    high_quality_optimizations: z.object({
      enabled: z.boolean(),
      operations: z.array(transformOpSchema),
      reason: z.string(),
    }),
    /** Settings that the caller pinned (pins.ts): they override pipelines and limits. */
    pinned: z.object({ threads: z.int().positive(), active_membranes: z.int().positive() }).partial().optional(),
    /** Absent pipelines, with the reason; `error` where the host's plan() failed. */
    absent_pipelines: z.array(
      z.object({ name: z.string(), source: z.string(), reason: z.string(), error: z.string().optional() }),
    ),
  })
  .loose();

/**
 * What a transformation of a pipeline became: operations on the data, settings or limits of the execution, and the
 * reason.
 */
export type PipelineStep = z.infer<typeof pipelineStepSchema>;
/** A processing pipeline of the published multi-source format, with the steps its transformations became. */
export type Pipeline = z.infer<typeof pipelineSchema>;
/** The processing pipelines of the published multi-source format, with their priorities and switches. */
export type ProcessingPipelines = z.infer<typeof processingPipelinesSchema>;
