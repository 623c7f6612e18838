/**
 * dtesn/scores: errors of outputs, scores of classes and of uncertainty, and measurements of networks. What runs a network loads the
 * addon then.
 *
 * @module dtesn/scores
 */
export { accuracy, type Confusion, confusion, type Label } from './classification.js';
export { mae, mse, type Normalizer, type NrmseOptions, nrmse, r2, rmse } from './errors-of-series.js';
export {
  type InformationProcessingCapacity,
  type InformationProcessingCapacityOptions,
  informationProcessingCapacity,
  type MeasureOptions,
  type MemoryCapacity,
  type MemoryCapacityOptions,
  memoryCapacity,
} from './memory-capacity.js';
export { type PlanningWindows, planningLoss } from './planning-loss.js';
export { quantileLoss } from './quantile-loss.js';
export {
  type GeneralisationRankOptions,
  generalisationRank,
  type KernelRankOptions,
  kernelRank,
  matrixRank,
} from './ranks.js';
export {
  type ConditionalLyapunovOptions,
  conditionalLyapunov,
  type EchoStateCheck,
  type EchoStateOptions,
  echoState,
} from './stability.js';
export { type Coverage, coverage, crps, crpsNormal } from './uncertainty.js';
export { type ValidTimeOptions, validTime } from './valid-time.js';
