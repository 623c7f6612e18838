/** Plans pipelines from fetched sources, and applies a plan natively to a series. */
export { applyMultiSourceTransformations, draftTransformations, type TransformedSeries } from './apply.js';
export {
  type AppliedTransformation,
  appliedTransformationSchema,
  type Draft,
  type Effect,
  initialDraft,
  type Limits,
  programOf,
} from './draft.js';
export { type MultiSourceData, multiSourceDataSchema } from './envelope.js';
export { defaultExecution, type ExecutionPlan, type ExecutionSetting, executionPlanSchema } from './execution.js';
export { type ExplainedPipeline, type ExplainedTransformation, explainPlan } from './explain.js';
export { applyFlowControl } from './flow-control.js';
export { applyHighQualityOptimizations, standardisation } from './high-quality.js';
export type { HostPipeline, HostPlan, HostTransformation } from './host-pipeline.js';
export { applyModelAwarePreprocessing } from './model-aware.js';
export {
  fetchMultiSourceData,
  type MultiSourceOptions,
  multiSourceData,
  multiSourceDataOf,
} from './multi-source-data.js';
export { applyPerformanceOptimization } from './performance.js';
export { type PlanPins, pinPlan, pinsSchema } from './pins.js';
export { createDataProcessingPipelines, expecting, planPipelines } from './plan.js';
export { checkPlanOptions, type MultiSourceDataOptions, type PlanOptions, type PlanSettings } from './plan-options.js';
export { applyResourceScaling } from './resource-scaling.js';
export type { RunSeries } from './run-draft.js';
export {
  type FlagName,
  flagNames,
  type Pipeline,
  type PipelineStep,
  type ProcessingPipelines,
  processingPipelinesSchema,
} from './schema.js';
export { defaultTarget, type PlanTarget } from './target.js';
