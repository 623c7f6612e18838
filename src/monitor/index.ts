/** Monitoring: the state of an engine, and of a fleet of them. */
export { EngineMonitor, type EngineMonitorEvents, type EngineMonitorOptions } from './engine-monitor.js';
export {
  canServe,
  type EngineState,
  type EngineStateName,
  EngineStateTracker,
  engineStates,
  type Observation,
  progressed,
} from './engine-state.js';
export {
  Fleet,
  type FleetChoice,
  type FleetEvents,
  type FleetMember,
  type FleetOptions,
  type ReportedLoad,
} from './fleet.js';
export { observeEngine } from './observe-engine.js';
