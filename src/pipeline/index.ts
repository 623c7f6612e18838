/** From fetched sources to a plan, and the plan carried out natively on a series. */
export { applyMultiSourceTransformations, draftTransformations, type TransformedSeries } from './apply.js';
export { type AppliedTransformation, type Draft, type Effect, initialDraft } from './draft.js';
export { type MultiSourceData, multiSourceDataSchema } from './envelope.js';
export { defaultExecution, type ExecutionPlan } from './execution.js';
export { type ExplainedPipeline, type ExplainedTransformation, explainPlan } from './explain.js';
export { applyHighQualityOptimizations } from './high-quality.js';
export { applyModelAwarePreprocessing } from './model-aware.js';
export { fetchMultiSourceData, type MultiSourceOptions, multiSourceData } from './multi-source-data.js';
export { applyPerformanceOptimization } from './performance.js';
export { createDataProcessingPipelines } from './plan.js';
export {
  type ProgramSeries,
  type ProgramShape,
  programShape,
  runProgram,
  type SeriesShape,
  type TransformOp,
  transformOpSchema,
} from './program.js';
export { applyResourceScaling } from './resource-scaling.js';
export { type Pipeline, type PipelineStep, type ProcessingPipelines, processingPipelinesSchema } from './schema.js';
export { defaultTarget, type PlanTarget } from './target.js';
