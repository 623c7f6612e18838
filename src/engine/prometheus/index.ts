/** Reader of Prometheus' text format. */
export { type MetricFamilies, MetricFamily, type MetricType, type Sample } from './metric-families.js';
export { parsePrometheus, parsePrometheusInSlices } from './prometheus.js';
export type { Labels } from './prometheus-labels.js';
