/** Options of an Esn, of its fits and of its forecasts. */
import { z } from 'zod';
import type { Floats, LongRunOptions } from '../native/index.js';
import {
  type DrawnReservoirOptions,
  type Feature,
  isNetwork,
  type Network,
  Reservoir,
  type State,
} from '../network/index.js';
import type { Matrix, SeriesInput } from '../numeric/index.js';
import {
  isLeastMeanSquares,
  isRecursiveLeastSquares,
  isRidge,
  type LeastMeanSquares,
  type RecursiveLeastSquares,
  type Ridge,
  type RidgeOptions,
} from '../readout/index.js';
import type { Scale } from './scaling.js';

/** What trains the readout: from sums over all rows, or row by row. */
export type Learner = Ridge | RecursiveLeastSquares | LeastMeanSquares;

const isObject = (value: unknown) => typeof value === 'object' && value !== null;

export const esnFields = {
  network: z.custom<Network | DrawnReservoirOptions>(isObject).describe('a network, or the options of a Reservoir'),
  features: z.custom<readonly Feature[]>(Array.isArray).optional().describe('an array of features'),
  readout: z.custom<Learner | RidgeOptions>(isObject).optional().describe('a Ridge, its options, or an online readout'),
  washout: z.int().min(0).default(0).describe('a whole number, 0 or more,'),
  scale: z.enum(['none', 'standard', 'range']).default('none').describe("'none', 'standard' or 'range'"),
};
export const esnSchema = z.object({
  ...esnFields,
  nested: z.boolean().default(false).describe('true or false'),
});

/** Options of Esn: the network, what the readout reads of it, and how it is trained. */
export interface EsnOptions {
  /** Any kind of network; or the options of a Reservoir, whose dtype is then 'f64' unless it is given. Required. */
  network: Network | DrawnReservoirOptions;
  /** What the readout reads, in this order. Default ['states', 'inputs']. */
  features?: readonly Feature[] | undefined;
  /**
   * What trains the readout: a Ridge or its options, or a RecursiveLeastSquares or LeastMeanSquares that learns row by row.
   * Default: a Ridge with ridge 1e-8. Where an f64 network is fitted to the next step of its own series and no ridge is given:
   * the one of 1e-14, 1e-11, 1e-8 and 1e-5 whose closed loop forecasts parts of the series best (1e-14 for fewer than 40 steps).
   */
  readout?: Learner | RidgeOptions | undefined;
  /** First steps of each series that are run and not learned. Default 0. */
  washout?: number | undefined;
  /** How inputs are scaled, and targets that are fed back; learned by the first fit. Default 'none'. */
  scale?: Scale | undefined;
  /**
   * Whether one fit gives a readout for every number of levels of a DeepTreeModel without feedback (`levels`). Features are then those
   * of the inputs and last 'states', by default ['inputs', 'states'], and the Ridge has the solver 'qr' or 'cholesky', by default
   * with 5 folds. Default false.
   */
  nested?: boolean | undefined;
}

/** Options of fit and partialFit. */
export interface FitOptions {
  /** Weight of each step, 0 or more; a list for a list of series. For a Ridge. Default: 1 each. */
  weights?: ArrayLike<number> | readonly ArrayLike<number>[] | undefined;
  /**
   * Where each series starts: 'reset' from rest, 'carry' from where the one before ended, or states of `createState`, one for
   * each series. Default 'reset' for fit, 'carry' for partialFit.
   */
  state?: 'reset' | 'carry' | State | readonly State[] | undefined;
}

/** Options of fitAsync: those of fit, and those of a run off the JavaScript thread. */
export interface FitAsyncOptions extends FitOptions, LongRunOptions {}

/** Options of predict and score: where each series starts. */
export interface PredictOptions {
  /**
   * Where each series starts: 'reset' from rest, 'carry' from where the last run or fit ended, or states of `createState`, one
   * for each series. Default 'carry' for one series, 'reset' for a list.
   */
  state?: 'reset' | 'carry' | State | readonly State[] | undefined;
  /**
   * Levels of the Deep Tree of a nested Esn that run and are read, from the skin on; deeper ones hold their state meanwhile. Default:
   * all, and the gates as they are.
   */
  levels?: number | undefined;
}

/** Options of predictAsync: those of predict, and those of a run off the JavaScript thread. */
export interface PredictAsyncOptions extends PredictOptions, LongRunOptions {}

/** A list of series: of matrices, of typed arrays or of arrays of rows. An array of rows is one series. */
export type SeriesList = readonly (Matrix | Floats | readonly (readonly number[])[])[];

/** Options of forecast: how far, and from where. */
export interface EsnForecastOptions {
  /** Steps of each forecast, 0 or more. Required. */
  steps: number;
  /** Known inputs beyond the outputs, steps x (inputs - outputs), the same for all starts. Default: none. */
  inputs?: SeriesInput | undefined;
  /** States to start from, which are moved, or a Matrix of them; the result is then a list. Default: the own state. */
  starts?: readonly State[] | Matrix | undefined;
  /** A series to run from rest before, or a list of them; the result is then a list. Default: none. */
  warmup?: SeriesInput | SeriesList | undefined;
}

/** Options of forecastAsync: those of forecast, and those of a run off the JavaScript thread. */
export interface EsnForecastAsyncOptions extends EsnForecastOptions, LongRunOptions {
  /** Threads that share many starts. Default, and at most: those of setThreads. */
  threads?: number | undefined;
}

/** The network of the option: made, where its options are given, in f64. */
export function networkOf(network: Network | DrawnReservoirOptions): Network {
  return isNetwork(network) ? network : new Reservoir({ ...network, dtype: network.dtype ?? 'f64' });
}

export function isLearner(readout: Learner | RidgeOptions | undefined): readout is Learner {
  return [isRidge, isRecursiveLeastSquares, isLeastMeanSquares].some((isOne) => isOne(readout));
}
