/** Monitoring: the state of an engine, and of a fleet of them. */
export { EngineMonitor, type EngineMonitorEvents, type EngineMonitorOptions } from './engine-monitor.js';
export { type EngineState, type EngineStateName, EngineStateTracker, type Observation } from './engine-state.js';
export { Fleet, type FleetEvents, type FleetMember, type FleetOptions } from './fleet.js';
export { observeEngine } from './observe-engine.js';
