/** Monitoring: the state of an engine, and of a fleet of them. */
export {
  type Anomaly,
  type AnomalyCounts,
  type AnomalyKind,
  type AnomalyRule,
  anomalyKinds,
  LOAD_INPUTS,
  type LoadFeatures,
} from './anomalies/index.js';
export { EngineMonitor, type EngineMonitorEvents, type EngineMonitorOptions } from './engine-monitor.js';
export {
  canServe,
  type EngineState,
  type EngineStateName,
  EngineStateTracker,
  engineStates,
  type Observation,
} from './engine-state.js';
export {
  Fleet,
  type FleetChoice,
  type FleetEvents,
  type FleetMember,
  type FleetOptions,
  type ReportedLoad,
} from './fleet.js';
export type { Probe } from './idle-probe.js';
export { observeEngine } from './observe-engine.js';
export { progressed } from './progress.js';
