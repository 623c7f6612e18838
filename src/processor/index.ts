/** From an input to a result. */
export { configSchema, createConfig, type DtesnConfig, type DtesnConfigInput } from './config.js';
export {
  type ContextOrigin,
  type ContextUse,
  type EngineContext,
  engineContextSchema,
  type GivenContext,
} from './engine-context.js';
export type { ProcessOptions } from './input-runner.js';
export { DtesnProcessor, type PreprocessedInput } from './processor.js';
export type { MetricsOfProcessor } from './processor-metrics.js';
export type { ProcessorOptions, ProviderOptions } from './processor-options.js';
export { type DtesnFailure, type DtesnResult, dtesnResultSchema } from './result.js';
