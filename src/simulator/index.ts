/** The embedded engine: a simulated Aphrodite server inside the process, and the simulation under virtual time. */
export { decodeBytes, encodeBytes, VOCABULARY } from './byte-tokenizer.js';
export { EmbeddedEngine, type EmbeddedEngineOptions } from './embedded-engine.js';
export { metricsText } from './metrics-text.js';
export { EngineSimulation, type SimulationParameters } from './simulation.js';
