/** Simulated engines: a server for tests, the same as an engine inside the process, and the model in virtual time. */
export { decodeBytes, encodeBytes, VOCABULARY } from './byte-tokenizer.js';
export { EmbeddedEngine, type EmbeddedEngineOptions } from './embedded-engine.js';
export type { CoreParameters } from './engine-core.js';
export type { FinishReason } from './engine-request.js';
export {
  type DeprecatedSimulatorOptions,
  EngineSimulator,
  type EngineSimulatorOptions,
  type SimulatedModelOptions,
} from './engine-simulator.js';
export type { EngineStatistics } from './engine-statistics.js';
export { type FaultKind, type FaultOptions, faultKinds } from './faults.js';
export type { Histogram } from './histogram.js';
export { metricsText } from './metrics-text.js';
export {
  EngineSimulation,
  type SimulatedEngine,
  type SimulationParameters,
  type SimulationView,
} from './simulation.js';
export { parseTrace, TraceArrivals } from './trace.js';
export type { TraceRequest } from './trace-request.js';
export { type TraceTelemetry, type TraceTelemetryOptions, telemetryOf } from './trace-telemetry.js';
