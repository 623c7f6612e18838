/** Monitoring: the state of one engine, and what is wrong with it while it answers. */
export {
  type Anomaly,
  type AnomalyCounts,
  type AnomalyKind,
  type AnomalyRule,
  anomalyKinds,
  LOAD_INPUTS,
  type LoadFeatures,
} from './anomalies/index.js';
export {
  defaultIntervalMs,
  EngineMonitor,
  type EngineMonitorEvents,
  type EngineMonitorOptions,
  mostIntervalMs,
} from './engine-monitor.js';
export {
  canServe,
  type EngineState,
  type EngineStateName,
  EngineStateTracker,
  engineStates,
  type Observation,
} from './engine-state.js';
export type { Probe } from './idle-probe.js';
export { observeEngine } from './observe-engine.js';
export { progressed } from './progress.js';
