/**
 * The switches of a plan, each with its reason in figures, 'true: ...' or 'false: ...'.
 *
 *     parallel_execution  = data_quality_score > 0.7, or above the threshold of the gate
 *     enable_caching      = the engine is ready          batch_processing     = max_concurrent > 1
 *     memory_optimization = max_sequence_length > 1024   concurrent_execution = more than one pipeline
 *
 * Unknown figures count as not met. Values set by the caller take precedence.
 */
import {
  type Aggregation,
  QUALITY_THRESHOLD,
  type QualityJudgement,
  qualitySentence,
  readySentence,
} from '../aggregation/index.js';
import type { PlanSettings } from './plan-options.js';
import { type FlagName, flagNames, type ProcessingPipelines } from './schema.js';

const LONG_SEQUENCE = 1024;

export interface PlannedFlags {
  values: Record<FlagName, boolean>;
  reasons: ProcessingPipelines['flag_reasons'];
}

export function planFlags(
  aggregation: Aggregation,
  order: readonly string[],
  judgement: QualityJudgement | null,
  { flags, errorHandling }: PlanSettings,
): PlannedFlags {
  const { data_quality_score: score, processing_constraints, optimization_hints: hints } = aggregation;
  const { max_concurrent, max_sequence_length } = processing_constraints;
  const figures: Record<FlagName, [boolean, string]> = {
    parallel_execution: judgement
      ? [judgement.above, judgement.reason]
      : [score > QUALITY_THRESHOLD, qualitySentence(score.toFixed(1), score > QUALITY_THRESHOLD, QUALITY_THRESHOLD)],
    enable_caching: [hints.engine_optimizations_available === true, readySentence(hints, aggregation)],
    batch_processing: [
      (max_concurrent ?? 1) > 1,
      max_concurrent === null ? 'max_concurrent is unknown' : `${max_concurrent} inputs may be processed at once`,
    ],
    memory_optimization: [
      (max_sequence_length ?? 0) > LONG_SEQUENCE,
      max_sequence_length === null
        ? 'max_sequence_length is unknown'
        : `sequences of up to ${max_sequence_length} steps are ${max_sequence_length > LONG_SEQUENCE ? '' : 'not '}long (more than ${LONG_SEQUENCE})`,
    ],
    concurrent_execution: [
      order.length > 1,
      `${order.length} ${order.length === 1 ? 'pipeline is' : 'pipelines are'} there`,
    ],
  };
  const values = {} as Record<FlagName, boolean>;
  const reasons: Record<string, string> = {};
  for (const name of flagNames) {
    const [planned, why] = figures[name];
    values[name] = flags[name] ?? planned;
    reasons[name] = `${values[name]}: ${flags[name] === undefined ? why : 'set by the caller'}`;
  }
  reasons['error_handling'] =
    errorHandling === 'fail'
      ? 'a transformation that fails ends the input'
      : 'a transformation that fails is left out, and the others are applied';
  reasons['pipeline_order'] = 'pipelines act by priority, those of equal priority as they are declared';
  return { values, reasons };
}
