/**
 * Pipeline 1, `model_aware_preprocessing`: the engine's model limits the input.
 *
 *     normalize_to_model_constraints   series longer than max_model_len keep their first max_model_len steps
 *     apply_vocab_limits               token ids are clipped to 0 .. vocab_size - 1, before the embedding
 *
 * Neither changes the number of features.
 */
import type { Aggregation } from '../aggregation/index.js';
import type { Draft } from './draft.js';
import type { MultiSourceData } from './envelope.js';
import type { Pipeline, PipelineStep } from './schema.js';
import { applyPipeline } from './step-application.js';
import type { PlanTarget } from './target.js';

export const MODEL_AWARE = 'model_aware_preprocessing';

export function planModelAware(aggregation: Aggregation, target: PlanTarget): Pipeline {
  const { max_sequence_length, vocab_size } = aggregation.processing_constraints;
  const steps = [limitLength(max_sequence_length, target), limitVocabulary(vocab_size, target)];
  return {
    name: MODEL_AWARE,
    source: 'model_config',
    transformations: steps.map((step) => step.transformation),
    output_format: 'model_compatible',
    priority: 1,
    steps,
  };
}

/** Adds its operations before the embedding, after those of earlier pipelines. */
export function applyModelAwarePreprocessing(draft: Draft, data: MultiSourceData): Draft {
  return applyPipeline(draft, data, MODEL_AWARE);
}

function limitLength(maxModelLen: number | null, { inputKind, steps }: PlanTarget): PipelineStep {
  const transformation = 'normalize_to_model_constraints';
  if (maxModelLen === null || maxModelLen < 1) {
    const reason = maxModelLen === null ? 'max_model_len is unknown' : 'a length of 0 would leave nothing to process';
    return { transformation, kind: 'data', operations: [], parameters: {}, reason };
  }
  const unit = inputKind === 'tokens' ? 'tokens' : 'steps';
  const limit = `the model takes at most ${maxModelLen} ${unit}`;
  const length = steps === undefined ? '' : `; the input has ${steps}${steps > maxModelLen ? ', the rest is cut' : ''}`;
  return {
    transformation,
    kind: 'data',
    on: 'series',
    operations: [{ op: 'truncate', steps: maxModelLen, keep: 'first' }],
    parameters: { max_steps: maxModelLen },
    reason: limit + length,
  };
}

function limitVocabulary(vocabSize: number | null, { inputKind }: PlanTarget): PipelineStep {
  const transformation = 'apply_vocab_limits';
  const none = (reason: string): PipelineStep => ({
    transformation,
    kind: 'data',
    operations: [],
    parameters: {},
    reason,
  });
  if (inputKind === 'numbers') return none('not applicable: the input is numbers, which have no vocabulary');
  if (vocabSize === null || vocabSize < 1) return none('vocab_size is unknown');
  return {
    transformation,
    kind: 'data',
    on: 'tokens',
    operations: [{ op: 'clip', min: 0, max: vocabSize - 1 }],
    parameters: { vocab_size: vocabSize },
    reason: `the vocabulary of the model has the token ids 0 to ${vocabSize - 1}`,
  };
}
