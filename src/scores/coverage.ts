import { shapeError } from '../errors/index.js';
import { checkPairs } from './pairs.js';

/**
 * Share of the outcomes that lie within their interval, ends included.
 *
 *     mean [low_t <= y_t <= high_t]
 *
 * Errors: RangeError ERR_DTESN_SHAPE for lengths that differ or are 0.
 */
export function coverage(low: ArrayLike<number>, high: ArrayLike<number>, outcome: ArrayLike<number>): number {
  const n = checkPairs(low, outcome);
  if (high.length !== n) throw shapeError(`upper ends of ${n} values`, high.length);
  let count = 0;
  for (let i = 0; i < n; i++) if (low[i]! <= outcome[i]! && outcome[i]! <= high[i]!) count++;
  return count / n;
}
