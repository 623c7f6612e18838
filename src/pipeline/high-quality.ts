/**
 * High-quality optimisation, beyond the three pipelines: the series is standardised, feature by feature, with the
 * moments measured over it.
 *
 *     enabled when data_quality_score > 0.7 (strictly) and engine_optimizations_available, or when the quality gate
 *     keeps standardisation on
 *     y = (x - mean) / (deviation + 1e-8)
 */
import {
  type Aggregation,
  QUALITY_THRESHOLD,
  type QualityJudgement,
  qualitySentence,
  readySentence,
} from '../aggregation/index.js';
import { type AppliedTransformation, type Draft, programOf } from './draft.js';
import type { MultiSourceData } from './envelope.js';
import type { ProcessingPipelines } from './schema.js';

const EPSILON = 1e-8;

export function planHighQuality(
  aggregation: Aggregation,
  judgement: QualityJudgement | null,
): ProcessingPipelines['high_quality_optimizations'] {
  const { enabled, reason } = judgement
    ? { enabled: judgement.standardise, reason: judgement.reason }
    : fixedJudgement(aggregation);
  return standardisation(enabled, reason);
}

/** The planned standardisation or its absence, with the reason. */
export function standardisation(enabled: boolean, reason: string): ProcessingPipelines['high_quality_optimizations'] {
  return { enabled, operations: enabled ? [{ op: 'zscore', epsilon: EPSILON }] : [], reason };
}

function fixedJudgement(aggregation: Aggregation) {
  const { data_quality_score: score, optimization_hints: hints } = aggregation;
  const above = score > QUALITY_THRESHOLD;
  return {
    enabled: above && hints.engine_optimizations_available === true,
    reason: `${qualitySentence(score.toFixed(1), above, QUALITY_THRESHOLD)} and ${readySentence(hints, aggregation)}`,
  };
}

/** Appends its operation to the program. */
export function applyHighQualityOptimizations(draft: Draft, data: MultiSourceData): Draft {
  const { enabled, operations, reason } = data.processing_pipelines.high_quality_optimizations;
  const entry: AppliedTransformation = {
    transformation: 'standardize_features',
    pipeline: null,
    kind: 'data',
    applied: enabled,
    operations,
    reason,
    effect: null,
  };
  const applied = [...draft.applied, entry];
  return { ...draft, applied, program: programOf(applied) };
}
