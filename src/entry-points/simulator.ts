/**
 * dtesn/simulator: engines without a model, for tests and trials, and gateways before them in virtual time. Nothing in it loads
 * the addon.
 *
 * @module dtesn/simulator
 */
export type {
  Engine,
  EngineFigures,
  EngineKind,
  EngineMetrics,
  EngineSourceName,
  FactName,
  ModelCard,
  ModelFacts,
  ModelFiles,
  RequestOptions,
  Tokenization,
} from '../engine/index.js';
export {
  type AdmitPolicy,
  type ClosedLoopEngine,
  type ClosedLoopOptions,
  type ClosedLoopOutcome,
  type ClosedLoopPolicy,
  type ClosedLoopProgress,
  type ClosedLoopRequest,
  type ClosedLoopResult,
  closedLoop,
  type PickPolicy,
  type ReportedLoad,
  type RequestEvents,
  type ScrapeContext,
  type TtftPrediction,
  type TtftPredictor,
  type TtftPredictorOptions,
  type TtftSnapshot,
  type TtftStatistics,
} from '../outlook/index.js';
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
