/** From an input to a result. */
export {
  configOptionsSchema,
  configSchema,
  createConfig,
  type DeprecatedConfigOptions,
  type DtesnConfig,
  type DtesnConfigInput,
  type DtesnConfigOptions,
} from './config.js';
export {
  type ContextOrigin,
  type ContextUse,
  type EngineContext,
  engineContextSchema,
  type FetchedContext,
  type GivenContext,
} from './engine-context.js';
export type { ProcessOptions } from './input-runner.js';
export { DtesnProcessor, type PreprocessedInput } from './processor.js';
export type { MetricsOfProcessor } from './processor-metrics.js';
export { type ProcessorOptions, type ProviderOptions, processorOptionsSchema } from './processor-options.js';
export { type DtesnFailure, type DtesnResult, type DtesnResultJson, dtesnResultSchema } from './result.js';
