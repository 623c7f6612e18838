/**
 * What good data allow beyond the three pipelines: the series is standardised, feature by feature, with the moments
 * measured over it.
 *
 *     enabled when data_quality_score > 0.7 (strictly) and engine_optimizations_available
 *     y = (x - mean) / (deviation + 1e-8)
 */
import type { Aggregation } from '../aggregation/index.js';
import type { AppliedTransformation, Draft } from './draft.js';
import type { MultiSourceData } from './envelope.js';
import type { ProcessingPipelines } from './schema.js';

export const QUALITY_THRESHOLD = 0.7;

const EPSILON = 1e-8;

export function planHighQuality(aggregation: Aggregation): ProcessingPipelines['high_quality_optimizations'] {
  const { data_quality_score: score, optimization_hints: hints } = aggregation;
  const enabled = score > QUALITY_THRESHOLD && hints.engine_optimizations_available === true;
  const ready =
    hints.engine_optimizations_available === null
      ? 'it is unknown whether the engine is ready'
      : `the engine is ${hints.engine_optimizations_available ? '' : 'not '}ready`;
  const comparison = score > QUALITY_THRESHOLD ? 'above' : 'not above';
  return {
    enabled,
    operations: enabled ? [{ op: 'zscore', epsilon: EPSILON }] : [],
    reason: `quality ${score.toFixed(1)} is ${comparison} ${QUALITY_THRESHOLD} and ${ready}`,
  };
}

/** Its operation goes after everything that is in the program. */
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
  return { ...draft, program: [...draft.program, ...operations], applied: [...draft.applied, entry] };
}
