/** dtesn/simulator: engines without a model, for tests and trials. Nothing in it loads the addon. */
export {
  EmbeddedEngine,
  EngineSimulator,
  type EngineSimulatorOptions,
  type FaultKind,
  type FaultOptions,
} from '../simulator/index.js';
