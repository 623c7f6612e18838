/** How long a forecast is right. */
import { z } from 'zod';
import { checkOptions, rangeError, shapeError } from '../errors/index.js';
import { asAnyMatrix, asMatrix, type Matrix, type SeriesInput } from '../numeric/index.js';

const optionsSchema = z.object({
  dt: z.number().gt(0).default(1).describe('a number above 0'),
  lyapunov: z.number().gt(0).default(1).describe('a number above 0'),
  threshold: z.number().gt(0).default(0.4).describe('a number above 0'),
  scale: z.number().gt(0).optional().describe('a number above 0'),
});

/** Options of validTime: the time of a row, the exponent, and the largest error that counts as right. */
export interface ValidTimeOptions {
  /** Time from one row to the next. Default 1. */
  dt?: number | undefined;
  /** Largest Lyapunov exponent of the series: the result is then in Lyapunov times. Default 1: in the unit of `dt`. */
  lyapunov?: number | undefined;
  /** The largest error that counts as right, as a share of `scale`. Default 0.4. */
  threshold?: number | undefined;
  /** What errors are compared with. Default: sqrt(mean ‖target - mean target‖²) of all rows of the targets. */
  scale?: number | undefined;
}

/**
 * Valid prediction time: how long a forecast stays near the targets.
 *
 *     min { t : ‖output(t) - target(t)‖ > threshold · scale } · dt · lyapunov          ‖.‖ Euclidean over the columns
 *
 * A forecast that ends early, or is no longer finite (it diverged), ends there; one that is right to the end gives its whole length.
 *
 * Errors: TypeError or RangeError ERR_DTESN_ARGUMENT for a wrong option, targets that are not finite, or constant targets without
 * `scale`; RangeError ERR_DTESN_SHAPE for another number of columns, or a forecast longer than the targets.
 * Source: Pathak, Wikner et al. (2018), "Hybrid forecasting of chaotic processes", Chaos 28; it depends much on the start: take the
 * median of many.
 */
export function validTime(targets: SeriesInput, forecast: SeriesInput, options: ValidTimeOptions = {}): number {
  const { dt, lyapunov, threshold, scale } = checkOptions(optionsSchema, options, 'validTime');
  const right = asMatrix(targets, 'targets');
  const { rows, cols, data } = rowsUntilNaN(forecast);
  if (cols !== right.cols) throw shapeError(`forecast with ${right.cols} columns (as targets)`, cols);
  if (rows > right.rows) throw shapeError(`forecast with at most ${right.rows} rows (as targets)`, rows);
  const limit = threshold * (scale ?? spread(right));
  if (limit === 0) throw rangeError('targets that change, or a scale', 'targets', 'constant');
  for (let t = 0; t < rows; t++) {
    let square = 0;
    for (let k = 0; k < cols; k++) square += (data[t * cols + k]! - right.data[t * cols + k]!) ** 2;
    if (!(Math.sqrt(square) <= limit)) return t * dt * lyapunov;
  }
  return rows * dt * lyapunov;
}

/** sqrt(mean ‖x - mean x‖²) */
function spread({ rows, cols, data }: Matrix): number {
  let square = 0;
  for (let k = 0; k < cols; k++) {
    let sum = 0;
    for (let t = 0; t < rows; t++) sum += data[t * cols + k]!;
    for (let t = 0; t < rows; t++) square += (data[t * cols + k]! - sum / rows) ** 2;
  }
  return Math.sqrt(square / rows);
}

/** The rows of a forecast before the first one that is not finite: there it diverged. */
function rowsUntilNaN(forecast: SeriesInput): Matrix {
  const { rows, cols, data } = asAnyMatrix(forecast, 'forecast');
  const bad = data.findIndex((value) => !Number.isFinite(value));
  return { rows: bad < 0 ? rows : Math.floor(bad / cols), cols, data };
}
