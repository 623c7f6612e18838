/** The five sources and additional ones, their caches and policies, and their concurrent fetch. */
export type { AdditionalSourceOptions, DataSchema } from './additional-source.js';
export { type FetchSourcesOptions, fetchSources } from './fetch-sources.js';
export { type FetchOptions, SourceFetcher } from './fetcher.js';
export type { AlternativeEngine, SourceFetcherOptions, SourceListener, SubscribeOptions } from './fetcher-options.js';
export type { Freshness, FreshnessOfSource, FreshnessOptions } from './freshness.js';
export { frozen } from './frozen.js';
export { LatencyHistogram, type LatencySnapshot } from './latency-histogram.js';
export { fetchModelDataSource } from './model-config.js';
export type { SourceOptions } from './observation.js';
export { fetchPerformanceDataSource } from './performance.js';
export { runOf } from './policies/index.js';
export { fetchProcessingStateSource } from './processing-state.js';
export { fetchResourceDataSource } from './resources.js';
export type { ProviderMetrics, SourceMetrics } from './source-figures.js';
export { fetchTokenizerDataSource } from './tokenizer.js';
export {
  type AdditionalSource,
  additionalSourceSchema,
  type ModelConfigSource,
  modelConfigSchema,
  type PerformanceSource,
  type ProcessingState,
  type ProcessingStateSource,
  performanceSchema,
  processingStateSchema,
  type ResourceState,
  type ResourcesSource,
  resourcesSchema,
  type SourceName,
  type SourceProviders,
  type SourceSet,
  type Sources,
  sourceNames,
  sourcesSchema,
  type TokenizerSource,
  tokenizerSchema,
} from './types.js';
