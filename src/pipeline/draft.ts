/**
 * A draft: the planned treatment of one series, built pipeline by pipeline. Drafts are immutable; applying a pipeline
 * returns a new one.
 *
 *     [tokens: operations on ids, in pipeline order] [embedding] [features: operations, in pipeline order]
 *
 * Every draft for tokens has an embedding (tokens -> D seeded features): limits of ids act before it, the rest
 * after it. Numbers have no embedding, and every operation acts on their features. The features that come out are always
 * the model's D.
 */
import { z } from 'zod';
import { type TransformOp, transformOpSchema } from '../transform/index.js';
import { defaultExecution, type ExecutionPlan, type ExecutionSetting } from './execution.js';
import type { PlanTarget } from './target.js';

/** The outcome of one transformation or one flag. */
export const appliedTransformationSchema = z.object({
  transformation: z.string(),
  /** Null for entries of no pipeline: the embedding, the high-quality optimisations, the flags. */
  pipeline: z.string().nullable(),
  kind: z.enum(['data', 'execution', 'flow']),
  /** Of a flag: whether it is set. */
  applied: z.boolean(),
  operations: z.array(transformOpSchema),
  reason: z.string(),
  /**
   * Counts (steps, threads, token ids outside the vocabulary ...); those of data are known once a series was
   * transformed.
   */
  effect: z.object({ quantity: z.string(), before: z.number(), after: z.number() }).nullable(),
  /** Why it could not be applied. */
  error: z.string().optional(),
});

/** A transformation of a plan as it was applied to a series: its effect, or the reason or error why it had none. */
export type AppliedTransformation = z.infer<typeof appliedTransformationSchema>;
/** The effect of a transformation: a quantity (steps, threads, token ids ...), counted before and after it. */
export type Effect = NonNullable<AppliedTransformation['effect']>;

/** An upper bound of a setting, and the pipeline that set it. */
export type Limits = Partial<Record<ExecutionSetting, { most: number; pipeline: string }>>;

/**
 * The planned treatment of one series, built pipeline by pipeline. A draft is immutable; applying a pipeline returns a
 * new one.
 *
 *     [tokens: operations on ids, in pipeline order] [embedding] [features: operations, in pipeline order]
 */
export interface Draft {
  target: PlanTarget;
  program: TransformOp[];
  execution: ExecutionPlan;
  limits: Limits;
  /** Milliseconds that drafting took, by pipeline. */
  draftMs: Record<string, number>;
  /** In the order of the program. */
  applied: AppliedTransformation[];
}

export const EMBEDDING = 'embed_tokens';

export function initialDraft(target: PlanTarget): Draft {
  const draft = { target, execution: defaultExecution(target), limits: {}, draftMs: {} };
  if (target.inputKind === 'numbers') return { ...draft, program: [], applied: [] };
  const embed: TransformOp = { op: 'embed', features: target.inputs, seed: target.embeddingSeed ?? 0 };
  const embedding: AppliedTransformation = {
    transformation: EMBEDDING,
    pipeline: null,
    kind: 'data',
    applied: true,
    operations: [embed],
    reason: `the model takes ${target.inputs} numbers a step, so each token id becomes ${target.inputs} seeded ones`,
    effect: null,
  };
  return { program: [embed], applied: [embedding], ...draft };
}

export function isEmbedding({ transformation, pipeline }: AppliedTransformation): boolean {
  return pipeline === null && transformation === EMBEDDING;
}

/** The operations of the applied entries, in order. */
export function programOf(applied: readonly AppliedTransformation[]): TransformOp[] {
  const program: TransformOp[] = [];
  for (const entry of applied) if (entry.applied) program.push(...entry.operations);
  return program;
}
