/** Two series of one length: what was forecast and what came. */
import { argumentError, shapeError } from '../errors/index.js';

/** Both as they are; RangeError ERR_DTESN_SHAPE where their lengths differ or are 0, TypeError for what is no list of numbers. */
export function checkPairs(forecast: ArrayLike<number>, outcome: ArrayLike<number>): number {
  for (const [name, values] of Object.entries({ forecast, outcome })) {
    if (typeof values?.length !== 'number' || typeof values === 'string') throw argumentError('numbers', name, values);
  }
  if (forecast.length !== outcome.length) throw shapeError(`a forecast of ${outcome.length} values`, forecast.length);
  if (outcome.length === 0) throw shapeError('one value or more', 0);
  return outcome.length;
}
