/**
 * dtesn: reservoir computing and Deep Tree Echo State Networks, and the five sources of an inference engine. What needs no
 * addon stands in the entry points dtesn/engine and dtesn/simulator, and here too.
 */

export {
  type Aggregation,
  aggregateMultiSourceData,
  type QualityChange,
  QualityGate,
  type QualityGateOptions,
  type QualityJudgement,
  type QualityObservation,
  SourceHistory,
} from './aggregation/index.js';
export { elementaryDifferentials } from './bseries/index.js';
export {
  type EncodedInput,
  type EncodeInput,
  encodeInput,
  LocalTokenizer,
  type LocalTokenizerOptions,
} from './encoding/index.js';
export * from './entry-points/engine.js';
export * from './entry-points/simulator.js';
export { Arena, type ArenaLayout, type LongRunOptions, native, type Progress, setThreads } from './native/index.js';
export {
  type Activation,
  type ActivationSegment,
  type ConstructOptions,
  DeepTreeModel,
  type DeepTreeOptions,
  Es2n,
  type Es2nOptions,
  EuSn,
  type EuSnOptions,
  type HostedMembrane,
  type Moments,
  Network,
  type NetworkHandle,
  type NetworkPlan,
  Nvar,
  type NvarOptions,
  planOf,
  Reservoir,
  type ReservoirOptions,
  type RunAsyncOptions,
  type RunBatchAsyncOptions,
  type RunBatchOptions,
  type RunOptions,
  registerKind,
  State,
  type StateOptions,
} from './network/index.js';
export {
  type CsrMatrix,
  csr,
  type Matrix,
  matrix,
  type SeriesInput,
  spectralRadius,
  spectralRadiusAsync,
} from './numeric/index.js';
export {
  applyFlowControl,
  applyHighQualityOptimizations,
  applyModelAwarePreprocessing,
  applyMultiSourceTransformations,
  applyPerformanceOptimization,
  applyResourceScaling,
  createDataProcessingPipelines,
  type ExecutionPlan,
  explainPlan,
  type FlagName,
  fetchMultiSourceData,
  type HostPipeline,
  type HostPlan,
  type HostTransformation,
  type MultiSourceData,
  multiSourceDataSchema,
  type PlanOptions,
  type PlanTarget,
} from './pipeline/index.js';
export {
  configSchema,
  type DtesnConfig,
  type DtesnFailure,
  DtesnProcessor,
  type DtesnResult,
  dtesnResultSchema,
  type ProcessOptions,
  type ProcessorOptions,
} from './processor/index.js';
export {
  type ForecastAsyncOptions,
  type ForecastBatchAsyncOptions,
  type ForecastOptions,
  type ForecastRows,
  type ForecastStarts,
  LinearReadout,
  ReadoutTrainer,
  RecursiveLeastSquares,
  type RecursiveLeastSquaresOptions,
  Ridge,
  type RidgeOptions,
  type TrainAsyncOptions,
  type TrainedNetwork,
  type TrainOptions,
  trainForecaster,
  trainForecasterAsync,
  trainReadout,
  trainReadoutAsync,
} from './readout/index.js';
export { type StreamId, StreamPool, type StreamPoolOptions } from './streams/index.js';
export { programShape, runProgram, type TransformOp, transformOpSchema } from './transform/index.js';
export { type Membrane, membraneTree, type RootedTree, rootedTrees } from './trees/index.js';
