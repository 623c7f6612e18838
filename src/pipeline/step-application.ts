/**
 * A planned pipeline's steps as entries of a draft: operations in their place of the program, settings of the execution
 * plan, and limits of those settings.
 *
 * Operations on tokens (and on the series as it came in) go to the end of those before the embedding, operations on features to the
 * end of all; so pipelines that act later come later in each of the two. A limit lowers its setting at once and keeps
 * every later setting at or below it.
 */
import { type AppliedTransformation, type Draft, isEmbedding, type Limits, programOf } from './draft.js';
import type { MultiSourceData } from './envelope.js';
import { type ExecutionPlan, type ExecutionSetting, plannedSettings, settingOf } from './execution.js';
import { failedEntry, failedPipeline } from './failure.js';
import type { PipelineStep } from './schema.js';

/** Every step of the pipeline; a step that fails is left out by itself. The draft as it was where the pipeline is absent. */
export function applyPipeline(draft: Draft, data: MultiSourceData, pipeline: string): Draft {
  const planned = data.processing_pipelines.transformation_pipelines.find(({ name }) => name === pipeline);
  let after = draft;
  for (const step of planned?.steps ?? []) after = applyStep(after, data, pipeline, step);
  return after;
}

function applyStep(draft: Draft, data: MultiSourceData, pipeline: string, step: PipelineStep): Draft {
  try {
    return step.kind === 'data' ? withData(draft, pipeline, step) : withSettings(draft, pipeline, step);
  } catch (error) {
    const { transformation = pipeline, reason = 'it could not be applied' } = (step ?? {}) as Partial<PipelineStep>;
    const failed = failedEntry({ transformation, pipeline, kind: 'data', operations: [], reason }, error, data);
    return { ...draft, applied: [...draft.applied, failed] };
  }
}

/** A pipeline by its name in pipeline_order, which may be wrong in data that were handed in. */
export function applyNamed(draft: Draft, data: MultiSourceData, pipeline: string): Draft {
  const { transformation_pipelines, absent_pipelines } = data.processing_pipelines;
  if (transformation_pipelines.some(({ name }) => name === pipeline)) return applyPipeline(draft, data, pipeline);
  const absent = absent_pipelines.find(({ name }) => name === pipeline);
  const cause = new Error(
    absent ? `the pipeline is absent: ${absent.reason}` : `no pipeline is known by the name ${pipeline}`,
  );
  return { ...draft, applied: [...draft.applied, failedPipeline(pipeline, cause, data)] };
}

function withData(draft: Draft, pipeline: string, { transformation, on, operations, reason }: PipelineStep): Draft {
  const numbers = draft.target.inputKind === 'numbers';
  const inapplicable = numbers && on === 'tokens';
  const entry: AppliedTransformation = {
    transformation,
    pipeline,
    kind: 'data',
    applied: operations.length > 0 && !inapplicable,
    operations,
    reason:
      inapplicable && operations.length > 0 ? 'not applicable: the input is numbers, which has no tokens' : reason,
    effect: null,
  };
  const embedding = on === 'tokens' || on === 'series' ? draft.applied.findIndex(isEmbedding) : -1;
  const at = embedding === -1 ? draft.applied.length : embedding;
  const applied = [...draft.applied.slice(0, at), entry, ...draft.applied.slice(at)];
  return { ...draft, applied, program: programOf(applied) };
}

/** One entry a setting: what it was and what it is now. */
function withSettings(
  draft: Draft,
  pipeline: string,
  { transformation, kind, parameters, reason }: PipelineStep,
): Draft {
  const execution = { ...draft.execution };
  const limits = { ...draft.limits };
  const entry = { transformation, pipeline, kind: 'execution' as const, operations: [] };
  const applied = plannedSettings.flatMap((name): AppliedTransformation[] => {
    const value = parameters[name];
    if (value === undefined) return [];
    const setting = settingOf[name];
    if (kind === 'limit' && value < (limits[setting]?.most ?? Number.POSITIVE_INFINITY)) {
      limits[setting] = { most: value, pipeline };
    }
    const before = execution[setting];
    const note = setWithin(execution, setting, kind === 'limit' ? Math.min(before, value) : value, limits);
    const effect = { quantity: setting, before, after: execution[setting] };
    return [{ ...entry, applied: true, reason: reason + note, effect }];
  });
  if (applied.length === 0) applied.push({ ...entry, applied: false, reason, effect: null });
  return { ...draft, execution, limits, applied: [...draft.applied, ...applied] };
}

/** Sets a value within its limit; returns the words to add to the reason where it was clamped. */
export function setWithin(execution: ExecutionPlan, setting: ExecutionSetting, wanted: number, limits: Limits): string {
  const limit = limits[setting];
  execution[setting] = Math.min(wanted, limit?.most ?? wanted);
  return limit !== undefined && wanted > limit.most
    ? `; ${wanted} is limited to ${limit.most} by ${limit.pipeline}`
    : '';
}
