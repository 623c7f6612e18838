/** Simulated engines: a server for tests, the same as an engine inside the process, and the model in virtual time. */
export { decodeBytes, encodeBytes, VOCABULARY } from './byte-tokenizer.js';
export { EmbeddedEngine, type EmbeddedEngineOptions } from './embedded-engine.js';
export { EngineSimulator, type EngineSimulatorOptions } from './engine-simulator.js';
export { type FaultKind, type FaultOptions, faultKinds } from './faults.js';
export { metricsText } from './metrics-text.js';
export { EngineSimulation, type SimulationParameters } from './simulation.js';
export { parseTrace, TraceArrivals, type TraceRequest } from './trace.js';
