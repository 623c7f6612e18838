/** Anomalies of one engine that answers, and the rules that find them. */
export { type Anomaly, type AnomalyKind, type AnomalyRule, anomalyKinds } from './anomaly.js';
export {
  AnomalyDetector,
  type AnomalyDetectorOptions,
  type HealthObservation,
} from './anomaly-detector.js';
export type { AnomalyChanges, AnomalyCounts } from './anomaly-log.js';
export type { HealthRates, HealthSample } from './health-sample.js';
export { LOAD_INPUTS, type LoadFeatures } from './load-features.js';
