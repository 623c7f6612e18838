/** The room of the sources: the engine that can be asked, its HTTP clients, the five sources, and their concurrent fetch. */

export type { AdditionalSourceOptions, DataSchema } from './additional-source.js';
export type { Engine, EngineKind, ModelCard, ModelFiles, RequestOptions, Tokenization } from './engine.js';
export { type FetchSourcesOptions, fetchSources } from './fetch-sources.js';
export { type FetchOptions, SourceFetcher } from './fetcher.js';
export type { AlternativeEngine, SourceFetcherOptions, SourceListener, SubscribeOptions } from './fetcher-options.js';
export { type Freshness, type FreshnessOfSource, type FreshnessOptions, freshness } from './freshness.js';
export { frozen } from './frozen.js';
export { AphroditeEngine, type AphroditeEngineOptions } from './http/aphrodite-engine.js';
export { EngineError, type EngineErrorOptions, isEngineError, isScaling } from './http/engine-error.js';
export { HttpEngine, type HttpEngineOptions } from './http/http-engine.js';
export { type MetricsMirrorOptions, metricsMirror } from './http/metrics-mirror.js';
export { LatencyHistogram, type LatencySnapshot } from './latency-histogram.js';
export { deriveRates, type EngineRates, type Latency, type Rates, type Scrape } from './metrics/derive-rates.js';
export { type EngineFigures, type EngineMetrics, engineMetrics } from './metrics/engine-metrics.js';
export { histogramQuantile } from './metrics/histogram-quantile.js';
export { type Restart, RestartDetector, type RunFigures } from './metrics/restart-law.js';
export { type GgufHeader, readGguf } from './model/gguf.js';
export type { FactName, ModelFacts } from './model/model-facts.js';
export { readModelFiles } from './model/model-files.js';
export { modelFilesEngine } from './model/model-files-engine.js';
export { findModelFolder, givenModelFolder, type ModelFolder } from './model/model-folder.js';
export { fetchModelDataSource } from './model-config.js';
export type { SourceOptions } from './observation.js';
export { fetchPerformanceDataSource } from './performance.js';
export { untilAborted, withTimeLimit } from './policies/bounded-signal.js';
export { type Clock, systemClock } from './policies/clock.js';
export { emit, type ListenerErrorHandler, ListenerErrors } from './policies/listeners.js';
export { runOf } from './policies/restart-signature.js';
export { SharedWork } from './policies/shared-work.js';
export { fetchProcessingStateSource } from './processing-state.js';
export type { MetricFamilies, MetricFamily, MetricType, Sample } from './prometheus/metric-families.js';
export { parsePrometheus, parsePrometheusInSlices } from './prometheus/prometheus.js';
export type { Labels } from './prometheus/prometheus-labels.js';
export { fetchResourceDataSource } from './resources.js';
export type { ProviderMetrics, SourceMetrics } from './source-figures.js';
export { fetchTokenizerDataSource } from './tokenizer.js';
export {
  type AdditionalSource,
  additionalSourceSchema,
  type EngineSourceName,
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
