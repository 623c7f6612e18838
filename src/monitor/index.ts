/** Monitoring: the state of one engine. */
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
export { observeEngine } from './observe-engine.js';
