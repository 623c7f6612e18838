/** What the bridge counts and measures, and its page in Prometheus' text format. */
export type { Counter } from './counter.js';
export type { MetricLabels } from './family.js';
export type { Gauge } from './gauge.js';
export type { Histogram } from './histogram.js';
export { METRICS_CONTENT_TYPE, MetricsRegistry } from './metrics-registry.js';
export { type ProcessMetricsOptions, processMetrics } from './process-metrics.js';
