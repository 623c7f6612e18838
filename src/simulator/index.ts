/** Simulated engines: a server for tests, the same as an engine inside the process, and the model in virtual time. */
export { type Arrival, type ArrivalSource, BurstyArrivals, PATIENCE_SECONDS } from './arrivals.js';
export { decodeBytes, encodeBytes, VOCABULARY } from './byte-tokenizer.js';
export { EmbeddedEngine, type EmbeddedEngineOptions } from './embedded-engine.js';
export { type CoreParameters, EngineCore } from './engine-core.js';
export { type EngineRequest, type FinishReason, finishReasons } from './engine-request.js';
export {
  type DeprecatedSimulatorOptions,
  EngineSimulator,
  type EngineSimulatorOptions,
  type SimulatedModelOptions,
} from './engine-simulator.js';
export type { EngineStatistics } from './engine-statistics.js';
export { checkFault, type Fault, type FaultKind, type FaultOptions, FaultTimeline, faultKinds } from './faults.js';
export type { Histogram } from './histogram.js';
export { metricsText } from './metrics-text.js';
export { RandomStream } from './random-stream.js';
export {
  EngineSimulation,
  type SimulatedEngine,
  type SimulationParameters,
  type SimulationView,
} from './simulation.js';
export { parseTrace, TraceArrivals } from './trace.js';
export type { TraceRequest } from './trace-request.js';
