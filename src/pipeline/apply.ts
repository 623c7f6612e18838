/**
 * Applies a plan to a series, natively and in place.
 *
 *     draft = draftTransformations(data, target)          pipelines in `pipeline_order`, high quality, then the switches
 *     result = applyMultiSourceTransformations(series, data, target)
 *
 * Shapes: tokens come as steps x 1 and leave as steps' x D, numbers come and leave with D features; `series.data` needs
 * the capacity of `programShape(draft.program, steps, features)`. A transformation that cannot be applied is left out,
 * recorded with its error, and the others are applied in order; with error_handling 'fail' it throws (failure.ts).
 * Errors: RangeError ERR_DTESN_SHAPE for a series that is not what the target announces, or a buffer too small;
 * DtesnError ERR_DTESN_TRANSFORMATION as above.
 */
import { systemClock } from '../abort/index.js';
import { shapeError } from '../errors/index.js';
import type { ProgramSeries } from '../transform/index.js';
import { type FitLimits, type FlowShape, fitOperations } from '../transform/index.js';
import { type Draft, initialDraft, isEmbedding, programOf } from './draft.js';
import type { MultiSourceData } from './envelope.js';
import type { ExecutionPlan } from './execution.js';
import { failedEntry, failedPipeline } from './failure.js';
import { applyFlowControl } from './flow-control.js';
import { applyHighQualityOptimizations } from './high-quality.js';
import { type RunSeries, runDraft } from './run-draft.js';
import { applyNamed } from './step-application.js';
import { checkTarget, type PlanTarget } from './target.js';

/**
 * A series after its transformations: its size, what was applied with which effect, and the settings of the execution.
 */
export interface TransformedSeries extends RunSeries {
  execution: ExecutionPlan;
}

/** The draft of a plan for this target, before any series is transformed. */
export function draftTransformations(data: MultiSourceData, target: PlanTarget): Draft {
  checkTarget(target);
  const { data_flow_config, absent_pipelines } = data.processing_pipelines;
  const start = initialDraft(target);
  const failed = absent_pipelines.flatMap(({ name, error }) =>
    error === undefined ? [] : [failedPipeline(name, new Error(error), data)],
  );
  const order = new Set(data_flow_config.pipeline_order);
  const draftMs: Draft['draftMs'] = {};
  const planned = [...order].reduce((draft, name) => {
    const begun = systemClock.now();
    const next = applyNamed(draft, data, name);
    draftMs[name] = systemClock.now() - begun;
    return next;
  }, start);
  const { draft, steps } = fitted(applyHighQualityOptimizations(planned, data), data);
  return applyFlowControl({ ...draft, draftMs, applied: [...draft.applied, ...failed] }, data, steps);
}

/** `draft`: an existing draft of the same data, for this target with the steps of the series. */
export function applyMultiSourceTransformations(
  series: ProgramSeries,
  data: MultiSourceData,
  target: PlanTarget,
  draft: Draft = draftTransformations(data, { ...target, steps: series.steps }),
): TransformedSeries {
  const features = target.inputKind === 'tokens' ? 1 : target.inputs;
  if (series.features !== features)
    throw shapeError(`a series of ${target.inputKind} with ${features} features`, series.features);
  if (draft.target.steps !== series.steps) throw shapeError(`a draft of ${series.steps} steps`, draft.target.steps);
  return { execution: draft.execution, ...runDraft(draft, series, data) };
}

/** Tracks the shape of the series through the program and removes entries that do not fit it. */
function fitted(draft: Draft, data: MultiSourceData): { draft: Draft; steps: number | null } {
  const { target } = draft;
  const limits: FitLimits = {
    availableBytes: data.aggregation.processing_constraints.memory_available_bytes,
    bytesPerElement: Float32Array.BYTES_PER_ELEMENT,
  };
  const ids = target.inputKind === 'tokens';
  let shape: FlowShape = { steps: target.steps ?? null, features: ids ? 1 : target.inputs };
  let on: 'tokens' | 'features' = ids ? 'tokens' : 'features';
  const applied = draft.applied.map((entry) => {
    if (isEmbedding(entry)) {
      shape = { steps: shape.steps, features: target.inputs };
      on = 'features';
      return entry;
    }
    if (entry.kind !== 'data' || !entry.applied) return entry;
    if (shape.steps !== null && shape.steps < 2 && entry.operations.some(({ op }) => op === 'zscore')) {
      return { ...entry, applied: false, reason: 'a series of less than 2 steps has no deviation to measure' };
    }
    try {
      shape = fitOperations(entry.operations, on, shape, limits);
      return entry;
    } catch (error) {
      return failedEntry(entry, error, data);
    }
  });
  return { draft: { ...draft, applied, program: programOf(applied) }, steps: shape.steps };
}
