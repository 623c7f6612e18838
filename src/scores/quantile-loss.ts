import { rangeError } from '../errors/index.js';
import { checkPairs } from './pairs.js';

/**
 * The quantile (pinball) loss: least in the mean for the true quantile of the outcomes.
 *
 *     mean max(α (y_t - q_t), (α - 1) (y_t - q_t))
 *
 * `quantile`: α in (0, 1). In the unit of the values.
 * Errors: RangeError ERR_DTESN_ARGUMENT for another α, ERR_DTESN_SHAPE for lengths that differ or are 0.
 * Source: Koenker & Bassett (1978), "Regression quantiles".
 */
export function quantileLoss(forecast: ArrayLike<number>, outcome: ArrayLike<number>, quantile: number): number {
  const n = checkPairs(forecast, outcome);
  if (!(quantile > 0 && quantile < 1)) throw rangeError('a number in (0, 1)', 'quantile', quantile);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const error = outcome[i]! - forecast[i]!;
    sum += Math.max(quantile * error, (quantile - 1) * error);
  }
  return sum / n;
}
