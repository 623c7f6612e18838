/** The processor: from an input to a result. */
export {
  configOptionsSchema,
  configSchema,
  createConfig,
  type DeprecatedConfigOptions,
  type DtesnConfig,
  type DtesnConfigInput,
  type DtesnConfigOptions,
  type Known,
  readEnvironment,
  variableOf,
} from './config.js';
export { Continuation, isContinuation } from './continuation.js';
export type { EngineChoice } from './engine-choice.js';
export {
  type ContextOrigin,
  type ContextUse,
  type DeprecatedContextData,
  type EngineContext,
  engineContextSchema,
  type FetchedContext,
  type GivenContext,
} from './engine-context.js';
export type { ModelOptions } from './lane.js';
export type { ProcessBatchOptions, ProcessOptions } from './process-options.js';
export { DtesnProcessor, type PreprocessedInput, type ProcessorEvents } from './processor.js';
export type {
  CacheFigures,
  InputFigures,
  MetricsOfProcessor,
  PipelineFigures,
  QualityFigures,
} from './processor-metrics.js';
export { type ProcessorOptions, type ProviderOptions, processorOptionsSchema } from './processor-options.js';
export {
  type DeprecatedExpansion,
  type DeprecatedFeatures,
  type DeprecatedFigures,
  type DeprecatedModelFigures,
  type DtesnFailure,
  type DtesnResult,
  type DtesnResultJson,
  dtesnResultSchema,
} from './result.js';
export type { StageName } from './stage-clock.js';
