/**
 * dtesn/engine: clients of inference engines, their metrics and rates, the five sources, the monitor and the fleet. Nothing in
 * it loads the addon, so that it works on every platform.
 *
 * @module dtesn/engine
 */
import { type Schema, schemaOf } from '../errors/index.js';
import { type AdditionalSource, additionalSourceSchema as additionalSource } from '../sources/index.js';

export type { Clock } from '../abort/index.js';
export {
  AphroditeEngine,
  type AphroditeEngineOptions,
  deriveRates,
  type Engine,
  EngineError,
  type EngineErrorOptions,
  type EngineFigures,
  type EngineKind,
  type EngineMetrics,
  type EngineRates,
  type EngineSourceName,
  engineMetrics,
  type FactName,
  HttpEngine,
  type HttpEngineOptions,
  histogramQuantile,
  type Labels,
  type Latency,
  type MetricFamilies,
  type MetricFamily,
  type MetricsMirrorOptions,
  type MetricType,
  type ModelCard,
  type ModelFacts,
  type ModelFiles,
  metricsMirror,
  modelFilesEngine,
  parsePrometheus,
  parsePrometheusInSlices,
  type Rates,
  type RequestOptions,
  type Sample,
  type Scrape,
  type TelemetryColumn,
  TelemetryRing,
  type TelemetryRingOptions,
  type TelemetrySeries,
  type Tokenization,
  telemetryColumns,
} from '../engine/index.js';
export {
  DtesnError,
  type DtesnErrorCode,
  type ListenerErrorHandler,
  type Schema,
  type SchemaError,
  type SchemaIssue,
  type SchemaResult,
  type StandardIssue,
  type StandardResult,
  type StandardSchema,
} from '../errors/index.js';
export { type NvidiaGpu, type NvidiaGpusOptions, nvidiaGpus } from '../host/index.js';
export {
  EngineMonitor,
  type EngineMonitorEvents,
  type EngineMonitorOptions,
  type EngineState,
  type EngineStateName,
} from '../monitor/index.js';
export {
  Fleet,
  type FleetChoice,
  type FleetEvents,
  type FleetMember,
  type FleetOptions,
  type ReportedLoad,
} from '../outlook/index.js';
export {
  type AdditionalSource,
  type AdditionalSourceOptions,
  type AlternativeEngine,
  type DataSchema,
  type FetchOptions,
  type FetchSourcesOptions,
  type Freshness,
  type FreshnessOfSource,
  type FreshnessOptions,
  fetchModelDataSource,
  fetchPerformanceDataSource,
  fetchProcessingStateSource,
  fetchResourceDataSource,
  fetchSources,
  fetchTokenizerDataSource,
  type LatencySnapshot,
  type ModelConfigSource,
  type PerformanceSource,
  type ProcessingState,
  type ProcessingStateSource,
  type ProviderMetrics,
  type ResourceState,
  type ResourcesSource,
  SourceFetcher,
  type SourceFetcherOptions,
  type SourceListener,
  type SourceMetrics,
  type SourceName,
  type SourceOptions,
  type SourceProviders,
  type SourceSet,
  type Sources,
  type SubscribeOptions,
  type TokenizerSource,
} from '../sources/index.js';

/** Checks the declaration of a source that a host adds (`sources` of the options of a processor). */
export const additionalSourceSchema: Schema<AdditionalSource> = schemaOf(() => additionalSource);
