/** The engine that can be asked: its HTTP clients, its metrics and what follows from them, its model files. */

export {
  type Engine,
  type EngineKind,
  type EngineSourceName,
  engineKinds,
  engineSourceNames,
  type ModelCard,
  type ModelFiles,
  type RequestOptions,
  type Tokenization,
} from './engine.js';
export { EngineError, type EngineErrorOptions, isEngineError, isScaling } from './engine-error.js';
export {
  AphroditeEngine,
  type AphroditeEngineOptions,
  HttpEngine,
  type HttpEngineOptions,
  type MetricsMirrorOptions,
  metricsMirror,
} from './http/index.js';
export { configFacts, type FactName, joinFacts, type ModelFacts } from './model-facts.js';
export { givenModelFolder, modelConflicts, modelFilesEngine, readModelFiles } from './model-files/index.js';
export {
  type Labels,
  labelText,
  type MetricFamilies,
  MetricFamily,
  type MetricType,
  parsePrometheus,
  parsePrometheusInSlices,
  type Sample,
} from './prometheus/index.js';
export {
  deriveRates,
  differs,
  type EngineFigures,
  type EngineMetrics,
  type EngineRates,
  type EngineScrape,
  engineMetrics,
  histogramQuantile,
  type Latency,
  ownScraper,
  type Rates,
  type Restart,
  RestartDetector,
  type RunFigures,
  ratesBetween,
  type Scrape,
  type ScrapedEngine,
  type Scraper,
  type SharedOptions,
  scraperOf,
  type TelemetryColumn,
  TelemetryRing,
  type TelemetryRingOptions,
  type TelemetrySeries,
  telemetryColumns,
} from './telemetry/index.js';
