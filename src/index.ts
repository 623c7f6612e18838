/**
 * dtesn: reservoir computing and Deep Tree Echo State Networks, and the five sources of an inference engine.
 */
export { type Aggregation, aggregateMultiSourceData, SourceHistory } from './aggregation/index.js';
export { elementaryDifferentials, type RootedTree, rootedTrees } from './bseries/index.js';
export {
  type EncodedInput,
  type EncodeInput,
  encodeInput,
  LocalTokenizer,
  type LocalTokenizerOptions,
} from './encoding/index.js';
export { DtesnError } from './errors/index.js';
export { type NvidiaGpu, nvidiaGpus } from './host/index.js';
export { type Membrane, membraneTree } from './membrane/index.js';
export { DeepTreeModel, type DeepTreeOptions, type HostedMembrane } from './model/index.js';
export {
  EngineMonitor,
  type EngineMonitorOptions,
  type EngineState,
  type EngineStateName,
  Fleet,
  type FleetMember,
  type FleetOptions,
} from './monitor/index.js';
export { Arena, type ArenaLayout, native, setThreads } from './native/index.js';
export {
  applyHighQualityOptimizations,
  applyModelAwarePreprocessing,
  applyMultiSourceTransformations,
  applyPerformanceOptimization,
  applyResourceScaling,
  createDataProcessingPipelines,
  type ExecutionPlan,
  explainPlan,
  fetchMultiSourceData,
  type MultiSourceData,
  multiSourceDataSchema,
  type PlanTarget,
  programShape,
  runProgram,
  type TransformOp,
  transformOpSchema,
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
  LinearReadout,
  ReadoutTrainer,
  RecursiveLeastSquares,
  type RecursiveLeastSquaresOptions,
  Ridge,
  type RidgeOptions,
  type TrainedNetwork,
  type TrainOptions,
  trainForecaster,
  trainReadout,
} from './readout/index.js';
export {
  type Matrix,
  matrix,
  Reservoir,
  type ReservoirOptions,
  type RunAsyncOptions,
  type RunBatchOptions,
  type RunOptions,
  type SeriesInput,
  spectralRadius,
} from './reservoir/index.js';
export {
  EmbeddedEngine,
  EngineSimulator,
  type EngineSimulatorOptions,
  type FaultKind,
  type FaultOptions,
} from './simulator/index.js';
export {
  AphroditeEngine,
  type AphroditeEngineOptions,
  type Clock,
  deriveRates,
  type Engine,
  type EngineKind,
  type EngineMetrics,
  type EngineRates,
  engineMetrics,
  type FetchSourcesOptions,
  fetchModelDataSource,
  fetchPerformanceDataSource,
  fetchProcessingStateSource,
  fetchResourceDataSource,
  fetchSources,
  fetchTokenizerDataSource,
  HttpEngine,
  type HttpEngineOptions,
  histogramQuantile,
  type MetricFamilies,
  parsePrometheus,
  parsePrometheusInSlices,
  type Rates,
  type Scrape,
  SourceFetcher,
  type SourceFetcherOptions,
  type SourceListener,
  type SubscribeOptions,
} from './sources/index.js';
export { type StreamId, StreamPool, type StreamPoolOptions } from './streams/index.js';
