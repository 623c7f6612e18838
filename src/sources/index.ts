/** The room of the sources: the engine that can be asked, its HTTP clients, the five sources, and their concurrent fetch. */
export { AphroditeEngine, type AphroditeEngineOptions } from './aphrodite-engine.js';
export { type CgroupLimits, cgroupLimits } from './cgroup.js';
export { deriveRates, type EngineRates, type Latency, type Rates, type Scrape } from './derive-rates.js';
export type { Engine, EngineKind, ModelCard, ModelFiles, RequestOptions, Tokenization } from './engine.js';
export { EngineError } from './engine-error.js';
export { type EngineFigures, type EngineMetrics, engineMetrics } from './engine-metrics.js';
export { type FetchSourcesOptions, fetchSources } from './fetch-sources.js';
export {
  type FetchOptions,
  SourceFetcher,
  type SourceFetcherOptions,
  type SourceListener,
  type SubscribeOptions,
} from './fetcher.js';
export { type Freshness, freshness } from './freshness.js';
export { type GgufHeader, readGguf } from './gguf.js';
export { histogramQuantile } from './histogram-quantile.js';
export { HttpEngine, type HttpEngineOptions } from './http-engine.js';
export type { MetricFamilies, MetricFamily, MetricType, Sample } from './metric-families.js';
export { fetchModelDataSource } from './model-config.js';
export type { ModelFacts } from './model-facts.js';
export { readModelFiles } from './model-files.js';
export { findModelFolder, givenModelFolder, type ModelFolder } from './model-folder.js';
export { type NvidiaGpu, nvidiaGpus } from './nvidia-gpus.js';
export type { SourceOptions } from './observation.js';
export { fetchPerformanceDataSource } from './performance.js';
export { type Pressure, pressure } from './pressure.js';
export { fetchProcessingStateSource } from './processing-state.js';
export { parsePrometheus } from './prometheus.js';
export { fetchResourceDataSource } from './resources.js';
export { fetchTokenizerDataSource } from './tokenizer.js';
export {
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
