/** The room of the readouts: linear maps of states, trained by ridge regression or recursively. */
export type {
  ForecastAsyncOptions,
  ForecastBatchAsyncOptions,
  ForecastOptions,
  ForecastRows,
  ForecastStarts,
} from './forecast.js';
export { LinearReadout } from './linear-readout.js';
export { RecursiveLeastSquares, type RecursiveLeastSquaresOptions } from './recursive-least-squares.js';
export { Ridge, type RidgeOptions } from './ridge.js';
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
