/**
 * dtesn/simulator: engines without a model, for tests and trials. Nothing in it loads the addon.
 *
 * @module dtesn/simulator
 */
export type {
  Engine,
  EngineKind,
  EngineSourceName,
  FactName,
  ModelCard,
  ModelFacts,
  ModelFiles,
  RequestOptions,
  Tokenization,
} from '../engine/index.js';
export {
  type CoreParameters,
  type DeprecatedSimulatorOptions,
  EmbeddedEngine,
  type EmbeddedEngineOptions,
  EngineSimulator,
  type EngineSimulatorOptions,
  type EngineStatistics,
  type FaultKind,
  type FaultOptions,
  type FinishReason,
  type Histogram,
  type SimulatedEngine,
  type SimulatedModelOptions,
  type SimulationView,
  type TraceTelemetry,
  type TraceTelemetryOptions,
  telemetryOf,
} from '../simulator/index.js';
