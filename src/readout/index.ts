/** Readouts: linear maps of states, trained by ridge regression or recursively. */
export { type ReadoutSizes, readWeights } from './features.js';
export type {
  ForecastAsyncOptions,
  ForecastBatchAsyncOptions,
  ForecastOptions,
  ForecastRows,
  ForecastStarts,
} from './forecast.js';
export { isLeastMeanSquares, LeastMeanSquares, type LeastMeanSquaresOptions } from './least-mean-squares.js';
export { LinearReadout, type LinearReadoutOptions } from './linear-readout.js';
export type { NestedReadout } from './nested.js';
export { softmax } from './probabilities.js';
export {
  isRecursiveLeastSquares,
  RecursiveLeastSquares,
  type RecursiveLeastSquaresOptions,
} from './recursive-least-squares.js';
export {
  isRidge,
  Ridge,
  type RidgeAddOptions,
  type RidgeOptions,
  type RidgeSolution,
  type RidgeSolveOptions,
  type RidgeValidation,
} from './ridge.js';
export { type RidgeScore, ridgePath } from './ridge-path.js';
export { isSoftmax, Softmax, type SoftmaxAddOptions, type SoftmaxOptions } from './softmax.js';
export { BLOCK_STEPS, type Lesson } from './sums.js';
export type { TrainedNetwork } from './trained-network.js';
export {
  ReadoutTrainer,
  type TrainAsyncOptions,
  type TrainOptions,
  trainForecaster,
  trainForecasterAsync,
  trainReadout,
  trainReadoutAsync,
} from './trainer.js';
