/**
 * dtesn/engine: clients of inference engines, their metrics and rates, the five sources, the monitor and the fleet. Nothing in
 * it loads the addon, so that it works on every platform.
 */
export type { Clock } from '../abort/index.js';
export {
  AphroditeEngine,
  type AphroditeEngineOptions,
  deriveRates,
  type Engine,
  type EngineKind,
  type EngineMetrics,
  type EngineRates,
  type EngineSourceName,
  engineMetrics,
  HttpEngine,
  type HttpEngineOptions,
  histogramQuantile,
  type MetricFamilies,
  type MetricsMirrorOptions,
  metricsMirror,
  modelFilesEngine,
  parsePrometheus,
  parsePrometheusInSlices,
  type Rates,
  type Scrape,
} from '../engine/index.js';
export { DtesnError } from '../errors/index.js';
export { type NvidiaGpu, type NvidiaGpusOptions, nvidiaGpus } from '../host/index.js';
export {
  EngineMonitor,
  type EngineMonitorOptions,
  type EngineState,
  type EngineStateName,
  Fleet,
  type FleetMember,
  type FleetOptions,
} from '../monitor/index.js';
export {
  type AdditionalSource,
  type AdditionalSourceOptions,
  type AlternativeEngine,
  additionalSourceSchema,
  type DataSchema,
  type FetchSourcesOptions,
  type Freshness,
  type FreshnessOptions,
  fetchModelDataSource,
  fetchPerformanceDataSource,
  fetchProcessingStateSource,
  fetchResourceDataSource,
  fetchSources,
  fetchTokenizerDataSource,
  type LatencySnapshot,
  type ProviderMetrics,
  SourceFetcher,
  type SourceFetcherOptions,
  type SourceListener,
  type SourceMetrics,
  type SourceSet,
  type Sources,
  type SubscribeOptions,
} from '../sources/index.js';
