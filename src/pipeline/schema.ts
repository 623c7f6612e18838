/**
 * The processing pipelines of the published multi-source format, and beside each pipeline the `steps` its
 * transformations became: operations of a transform program (kind data) or settings of the execution plan (kind
 * execution), with the reason in a sentence.
 *
 * A step that cannot be made, because a figure is unknown or the input has no such thing, has no operations and no
 * settings, and its reason says so.
 */
import { z } from 'zod';
import { transformOpSchema } from './program.js';

export const pipelineStepSchema = z.object({
  transformation: z.string(),
  kind: z.enum(['data', 'execution']),
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
      error_handling: z.literal('continue_with_available_data'),
    }),
    optimization_config: z.object({
      enable_caching: z.boolean(),
      batch_processing: z.boolean(),
      memory_optimization: z.boolean(),
      concurrent_execution: z.boolean(),
    }),
    /** Operations that high quality adds after all pipelines; none when `enabled` is false. */
    high_quality_optimizations: z.object({
      enabled: z.boolean(),
      operations: z.array(transformOpSchema),
      reason: z.string(),
    }),
    /** Pipelines that are not there, and why. */
    absent_pipelines: z.array(z.object({ name: z.string(), source: z.string(), reason: z.string() })),
  })
  .loose();

export type PipelineStep = z.infer<typeof pipelineStepSchema>;
export type Pipeline = z.infer<typeof pipelineSchema>;
export type ProcessingPipelines = z.infer<typeof processingPipelinesSchema>;
