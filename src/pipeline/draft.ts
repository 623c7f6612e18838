/**
 * A draft: what will be done to one series, built up pipeline by pipeline. Drafts are values; applying returns a new one.
 *
 * Every draft for tokens has the embedding at its end (tokens -> D seeded features), so that vocabulary limits act on the
 * ids before it and standardisation on the features after it. The features that come out are always the model's D.
 */
import { defaultExecution, type ExecutionPlan } from './execution.js';
import type { TransformOp } from './program.js';
import type { PlanTarget } from './target.js';

export interface Effect {
  /** What was counted: steps, threads, token ids outside the vocabulary ... */
  quantity: string;
  before: number;
  after: number;
}

/** What became of one transformation. */
export interface AppliedTransformation {
  transformation: string;
  /** Null for what belongs to no pipeline: the embedding and the high-quality optimisations. */
  pipeline: string | null;
  kind: 'data' | 'execution';
  applied: boolean;
  operations: TransformOp[];
  reason: string;
  /** Of data operations it is known once a series went through. */
  effect: Effect | null;
  /** Why it could not be applied. */
  error?: string;
}

export interface Draft {
  program: TransformOp[];
  execution: ExecutionPlan;
  /** In the order of the program. */
  applied: AppliedTransformation[];
}

export function initialDraft(target: PlanTarget): Draft {
  const execution = defaultExecution(target);
  if (target.inputKind === 'numbers') return { program: [], execution, applied: [] };
  const embed: TransformOp = { op: 'embed', features: target.inputs, seed: target.embeddingSeed ?? 0 };
  const embedding: AppliedTransformation = {
    transformation: 'embed_tokens',
    pipeline: null,
    kind: 'data',
    applied: true,
    operations: [embed],
    reason: `the model takes ${target.inputs} numbers a step, so each token id becomes ${target.inputs} seeded ones`,
    effect: null,
  };
  return { program: [embed], execution, applied: [embedding] };
}
