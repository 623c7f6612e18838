/**
 * The plan carried out on a series, natively and in place.
 *
 *     draft = draftTransformations(data, target)          every pipeline in priority order, then high quality
 *     result = applyMultiSourceTransformations(series, data, target)
 *
 * Shapes: tokens come as steps x 1 and leave as steps' x D, numbers come and leave with D features; `series.data` needs
 * the capacity of `programShape(draft.program, steps, features)`.
 * A pipeline or an operation that cannot be applied is left out, recorded with its error, and the rest goes on in order.
 * Errors: RangeError ERR_DTESN_SHAPE for a series that is not what the target announces, or a buffer too small.
 */
import { shapeError } from '../errors/index.js';
import type { AppliedTransformation, Draft, Effect } from './draft.js';
import { initialDraft } from './draft.js';
import type { MultiSourceData } from './envelope.js';
import type { ExecutionPlan } from './execution.js';
import { applyHighQualityOptimizations } from './high-quality.js';
import { applyModelAwarePreprocessing, MODEL_AWARE } from './model-aware.js';
import { applyPerformanceOptimization, PERFORMANCE_OPTIMIZED } from './performance.js';
import { type ProgramSeries, programShape, runProgram, type SeriesShape, type TransformOp } from './program.js';
import { applyResourceScaling, RESOURCE_AWARE } from './resource-scaling.js';
import { checkTarget, type PlanTarget } from './target.js';

export interface TransformedSeries extends SeriesShape {
  execution: ExecutionPlan;
  applied: AppliedTransformation[];
}

type Application = (draft: Draft, data: MultiSourceData) => Draft;

const applications: Record<string, Application> = {
  [MODEL_AWARE]: applyModelAwarePreprocessing,
  [PERFORMANCE_OPTIMIZED]: applyPerformanceOptimization,
  [RESOURCE_AWARE]: applyResourceScaling,
};

/** What the plan comes to for this target, before any series is touched. */
export function draftTransformations(data: MultiSourceData, target: PlanTarget): Draft {
  checkTarget(target);
  const { pipeline_order } = data.processing_pipelines.data_flow_config;
  const planned = pipeline_order.reduce(
    (draft, name) => attempt(draft, data, name, applications[name]),
    initialDraft(target),
  );
  return attempt(planned, data, 'high_quality_optimizations', applyHighQualityOptimizations);
}

export function applyMultiSourceTransformations(
  series: ProgramSeries,
  data: MultiSourceData,
  target: PlanTarget,
): TransformedSeries {
  const features = target.inputKind === 'tokens' ? 1 : target.inputs;
  if (series.features !== features)
    throw shapeError(`a series of ${target.inputKind} with ${features} features`, series.features);
  const draft = draftTransformations(data, target);
  const applied = withEffects(draft.applied, series);
  const program = applied.flatMap((entry) => (entry.applied ? entry.operations : []));
  return { ...runProgram(program, series), execution: draft.execution, applied };
}

/** A pipeline that fails leaves the draft as it was, and its error in it. */
function attempt(draft: Draft, data: MultiSourceData, pipeline: string, apply: Application | undefined): Draft {
  try {
    if (apply === undefined) throw new Error(`no transformation is known by the name ${pipeline}`);
    return apply(draft, data);
  } catch (error) {
    const failed: AppliedTransformation = {
      transformation: pipeline,
      pipeline,
      kind: 'data',
      applied: false,
      operations: [],
      reason: 'it could not be applied',
      effect: null,
      error: error instanceof Error ? error.message : String(error),
    };
    return { ...draft, applied: [...draft.applied, failed] };
  }
}

/** Follows the series' shape through the program, and takes out what does not fit it. */
function withEffects(applied: AppliedTransformation[], series: ProgramSeries): AppliedTransformation[] {
  let shape: SeriesShape = { steps: series.steps, features: series.features };
  return applied.map((entry) => {
    if (entry.kind === 'execution' || !entry.applied) return entry;
    if (entry.operations.some((op) => op.op === 'zscore') && shape.steps < 2) {
      return { ...entry, applied: false, reason: 'a series of less than 2 steps has no deviation to measure' };
    }
    try {
      const after = programShape(entry.operations, shape.steps, shape.features);
      const effect = effectOf(entry.operations[0]!, series, shape, after);
      shape = after;
      return { ...entry, effect };
    } catch (error) {
      // Without its embedding the model would be given another number of features.
      if (entry.pipeline === null && entry.operations[0]?.op === 'embed') throw error;
      return { ...entry, applied: false, error: (error as Error).message };
    }
  });
}

function effectOf(op: TransformOp, series: ProgramSeries, before: SeriesShape, after: SeriesShape): Effect {
  switch (op.op) {
    case 'clip':
      return {
        quantity: `values outside [${op.min}, ${op.max}]`,
        before: countOutside(op, series, before.steps),
        after: 0,
      };
    case 'embed':
      return { quantity: 'features', before: before.features, after: after.features };
    case 'zscore':
      return { quantity: 'standardised features', before: 0, after: after.features };
    default:
      return { quantity: 'steps', before: before.steps, after: after.steps };
  }
}

/** Clipping comes first or after a truncation that keeps the first steps, so that the series still holds its values. */
function countOutside({ min, max }: { min: number; max: number }, { data, features }: ProgramSeries, steps: number) {
  let count = 0;
  for (let i = 0; i < steps * features; i++) {
    const value = data[i]!;
    if (value < min || value > max) count++;
  }
  return count;
}
