/** Readouts: linear maps of states, trained by ridge regression or recursively. */
export type { ReadoutSizes } from './features.js';
export type {
  ForecastAsyncOptions,
  ForecastBatchAsyncOptions,
  ForecastOptions,
  ForecastRows,
  ForecastStarts,
} from './forecast.js';
export { LinearReadout, type LinearReadoutOptions } from './linear-readout.js';
export { RecursiveLeastSquares, type RecursiveLeastSquaresOptions } from './recursive-least-squares.js';
export { Ridge, type RidgeOptions, type RidgeSolution } from './ridge.js';
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
