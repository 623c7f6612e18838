/** Figures of an engine over time: metrics under one name for all kinds of engines, rates, restarts. */
export { deriveRates, type EngineRates, type Latency, type Rates, ratesBetween, type Scrape } from './derive-rates.js';
export { type EngineFigures, type EngineMetrics, engineMetrics } from './engine-metrics.js';
export { histogramQuantile } from './histogram-quantile.js';
export { differs, type Restart, RestartDetector, type RunFigures } from './restart-law.js';
export { type EngineScrape, ownScraper, type ScrapedEngine, type Scraper, scraperOf } from './scraper.js';
export type { SharedOptions } from './shared-answer.js';
export { type TelemetryColumn, telemetryColumns } from './telemetry-columns.js';
export { TelemetryRing, type TelemetryRingOptions, type TelemetrySeries } from './telemetry-ring.js';
