/**
 * Handling of a transformation that fails, by `error_handling` of the plan:
 *
 *     continue_with_available_data   it is left out, named with its error, and the others are applied
 *     fail                           DtesnError ERR_DTESN_TRANSFORMATION that names pipeline and transformation, with the cause
 */
import { DtesnError } from '../errors/index.js';
import type { AppliedTransformation } from './draft.js';
import type { MultiSourceData } from './envelope.js';

export function failedEntry(
  entry: Pick<AppliedTransformation, 'transformation' | 'pipeline' | 'kind' | 'operations' | 'reason'>,
  cause: unknown,
  { processing_pipelines }: MultiSourceData,
): AppliedTransformation {
  const error = cause instanceof Error ? cause.message : String(cause);
  if (processing_pipelines.data_flow_config.error_handling === 'fail') {
    const { pipeline, transformation } = entry;
    const owner = pipeline === null ? '' : ` of the pipeline ${pipeline}`;
    throw new DtesnError('ERR_DTESN_TRANSFORMATION', `${transformation}${owner} could not be applied: ${error}`, {
      cause,
    });
  }
  const { transformation, pipeline, kind, operations, reason } = entry;
  return { transformation, pipeline, kind, applied: false, operations, reason, effect: null, error };
}

/** A pipeline as a whole, under its own name. */
export function failedPipeline(pipeline: string, cause: unknown, data: MultiSourceData): AppliedTransformation {
  const entry = {
    transformation: pipeline,
    pipeline,
    kind: 'data' as const,
    operations: [],
    reason: 'it could not be applied',
  };
  return failedEntry(entry, cause, data);
}
