/**
 * A planned pipeline's steps as entries of a draft: operations in their place of the program, settings of the execution
 * plan, and limits of those settings.
 *
 * Operations on tokens (and on the series as it came in) are appended to those before the embedding, operations on
 * features to the end of the program; so later pipelines come later in each of the two. A limit lowers its setting at
 * once and keeps every later setting at or below it. No setting goes beyond what the target has: its cores, its
 * membranes.
 */
import { rangeError } from '../errors/index.js';
import { type AppliedTransformation, type Draft, type Effect, isEmbedding, type Limits, programOf } from './draft.js';
import type { MultiSourceData } from './envelope.js';
import { type ExecutionPlan, type ExecutionSetting, plannedSettings, settingOf } from './execution.js';
import { failedEntry, failedPipeline } from './failure.js';
import type { PipelineStep } from './schema.js';

/**
 * Applies every step of the pipeline; a step that fails is left out by itself. Returns the draft unchanged when the
 * pipeline is absent.
 */
export function applyPipeline(draft: Draft, data: MultiSourceData, pipeline: string): Draft {
  const planned = data.processing_pipelines.transformation_pipelines.find(({ name }) => name === pipeline);
  if (planned === undefined) return draft;
  const { target, execution, limits, draftMs, applied } = draft;
  const next: Draft = {
    target,
    program: [],
    execution: { ...execution },
    limits: { ...limits },
    draftMs,
    applied: [...applied],
  };
  for (const step of planned.steps) addStep(next, data, pipeline, step);
  next.program = programOf(next.applied);
  return next;
}

/** Adds the entries of a pipeline to a draft. */
function addStep(draft: Draft, data: MultiSourceData, pipeline: string, step: PipelineStep): void {
  try {
    if (step.kind === 'data') addData(draft, pipeline, step);
    else addSettings(draft, pipeline, step);
  } catch (error) {
    const { transformation = pipeline, reason = 'it could not be applied' } = (step ?? {}) as Partial<PipelineStep>;
    draft.applied.push(failedEntry({ transformation, pipeline, kind: 'data', operations: [], reason }, error, data));
  }
}

/** A pipeline by its name in pipeline_order, which may be unknown in given data. */
export function applyNamed(draft: Draft, data: MultiSourceData, pipeline: string): Draft {
  const { transformation_pipelines, absent_pipelines } = data.processing_pipelines;
  if (transformation_pipelines.some(({ name }) => name === pipeline)) return applyPipeline(draft, data, pipeline);
  const absent = absent_pipelines.find(({ name }) => name === pipeline);
  const cause = new Error(
    absent ? `the pipeline is absent: ${absent.reason}` : `no pipeline is known by the name ${pipeline}`,
  );
  return { ...draft, applied: [...draft.applied, failedPipeline(pipeline, cause, data)] };
}

function addData(draft: Draft, pipeline: string, { transformation, on, operations, reason }: PipelineStep): void {
  const planned = operations.length > 0;
  const inapplicable = planned && on === 'tokens' && draft.target.inputKind === 'numbers';
  const entry: AppliedTransformation = {
    transformation,
    pipeline,
    kind: 'data',
    applied: planned && !inapplicable,
    operations,
    reason: inapplicable ? 'not applicable: the input is numbers, which has no tokens' : reason,
    effect: null,
  };
  const embedding = on === 'tokens' || on === 'series' ? draft.applied.findIndex(isEmbedding) : -1;
  if (embedding === -1) draft.applied.push(entry);
  else draft.applied.splice(embedding, 0, entry);
}

/** One entry for each setting: its value before and after. */
function addSettings(draft: Draft, pipeline: string, { transformation, kind, parameters, reason }: PipelineStep): void {
  const { target, execution, limits, applied } = draft;
  const add = (done: boolean, why: string, effect: Effect | null) => {
    applied.push({ transformation, pipeline, kind: 'execution', applied: done, operations: [], reason: why, effect });
  };
  let set = false;
  for (const name of plannedSettings) {
    const value = parameters[name];
    if (value === undefined) continue;
    set = true;
    if (!(Number.isInteger(value) && value >= 1)) throw rangeError('a whole number from 1', name, value);
    const setting = settingOf[name];
    if (kind === 'limit' && value < (limits[setting]?.most ?? Number.POSITIVE_INFINITY)) {
      limits[setting] = { most: value, pipeline };
    }
    const before = execution[setting];
    const there = (setting === 'threads' && target.cores) || (setting === 'activeMembranes' && target.membranes);
    const possible = Math.min(value, there || value);
    const beyond = possible < value && kind === 'execution' ? `; there are ${possible} of the ${value}` : '';
    const wanted = kind === 'limit' ? Math.min(before, possible) : possible;
    const note = beyond + setWithin(execution, setting, wanted, limits);
    add(true, reason + note, { quantity: setting, before, after: execution[setting] });
  }
  if (!set) add(false, reason, null);
}

/** Sets a value within its limit; returns the words to add to the reason where it was clamped. */
export function setWithin(execution: ExecutionPlan, setting: ExecutionSetting, wanted: number, limits: Limits): string {
  const limit = limits[setting];
  execution[setting] = Math.min(wanted, limit?.most ?? wanted);
  return limit !== undefined && wanted > limit.most
    ? `; ${wanted} is limited to ${limit.most} by ${limit.pipeline}`
    : '';
}
