import { checkPairs } from './pairs.js';

/**
 * Root of the mean squared error.
 *
 *     sqrt(mean (f_t - y_t)²)
 *
 * In the unit of the values. NaN where a value is. Errors: RangeError ERR_DTESN_SHAPE for lengths that differ or are 0.
 */
export function rmse(forecast: ArrayLike<number>, outcome: ArrayLike<number>): number {
  const n = checkPairs(forecast, outcome);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (forecast[i]! - outcome[i]!) ** 2;
  return Math.sqrt(sum / n);
}
