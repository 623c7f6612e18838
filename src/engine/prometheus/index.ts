/** Prometheus' text format: its reader, and labels as it writes them. */
export { labelText } from './label-text.js';
export { type MetricFamilies, MetricFamily, type MetricType, type Sample } from './metric-families.js';
export { parsePrometheus, parsePrometheusInSlices, RepeatedReader } from './prometheus.js';
export type { Labels } from './prometheus-labels.js';
