/**
 * The aggregation of the published multi-source format: what the sources together say of the engine and this host.
 *
 * Units: *_timestamp seconds since 1970, *_bytes bytes, *_tokens_* tokens. Null is unknown. Keys beyond the published
 * ones: `quality_detail`, `additional_*`, the origins, the constraints after max_concurrent, the hints after
 * engine_optimizations_available. Sources that the host adds are counted beside the five, never among them.
 */
import { z } from 'zod';

const grade = z.number().min(0).max(1);
const count = z.number().nonnegative().nullable();
const timestamp = z.number().optional();

export const sourceGradeSchema = z.object({
  freshness: grade,
  completeness: grade,
  plausibility: grade,
  /** Mean of the three. */
  score: grade,
  /** What is wrong with the figures, one sentence a check that failed. */
  implausible: z.array(z.string()),
});

export const aggregationSchema = z.object({
  /** All five are always expected. */
  total_sources: z.literal(5),
  successful_sources: z.int().min(0).max(5),
  failed_sources: z.int().min(0).max(5),
  /** successful / total. */
  data_quality_score: grade,
  /** Sources that the host adds. */
  additional_sources: z.int().min(0),
  additional_successful: z.int().min(0),
  additional_failed: z.int().min(0),
  additional_errors: z.record(z.string(), z.object({ error: z.string(), error_code: z.string().nullable() })),
  unified_metadata: z
    .object({
      model_config_timestamp: timestamp,
      tokenizer_timestamp: timestamp,
      performance_timestamp: timestamp,
      processing_state_timestamp: timestamp,
      resources_timestamp: timestamp,
      active_model: z.string().nullable(),
      processing_stats: z.object({ total_requests: count, engine_ready: z.boolean().nullable() }),
    })
    .loose(),
  processing_constraints: z
    .object({
      max_sequence_length: count,
      max_concurrent: count,
      vocab_size: count,
      memory_available_bytes: count,
      kv_tokens_free: count,
    })
    .loose(),
  optimization_hints: z
    .object({
      high_load_detected: z.boolean().nullable(),
      engine_optimizations_available: z.boolean().nullable(),
      high_load_reasons: z.array(z.string()),
    })
    .loose(),
  /** The source that said each known constraint and each known hint; of several, the one that decided. */
  constraint_origins: z.record(z.string(), z.string()),
  hint_origins: z.record(z.string(), z.string()),
  quality_detail: z.object({
    /** Weighted mean of the scores: each of the five weighs 1, an additional source what the host says. */
    score: grade,
    sources: z
      .object({
        model_config: sourceGradeSchema,
        tokenizer: sourceGradeSchema,
        performance: sourceGradeSchema,
        processing_state: sourceGradeSchema,
        resources: sourceGradeSchema,
      })
      .catchall(sourceGradeSchema),
  }),
});

/**
 * The aggregation of the published multi-source format: what the sources together say of the engine and of this host.
 *
 * Units: *_timestamp seconds since 1970, *_bytes bytes, *_tokens_* tokens. Null is unknown.
 */
export type Aggregation = z.infer<typeof aggregationSchema>;
/** Grade of one source in the graded quality: freshness, completeness and plausibility, each in [0, 1]. */
export type SourceGrade = z.infer<typeof sourceGradeSchema>;
export type ProcessingConstraints = Aggregation['processing_constraints'];
export type OptimizationHints = Aggregation['optimization_hints'];
