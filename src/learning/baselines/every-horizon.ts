import type { Task } from '../forecaster.js';

/** steps x horizons of what `next`, called with each value in order, says of h steps ahead. */
export function everyHorizon(
  values: Float64Array,
  { horizons }: Task,
  next: (value: number, step: number) => (ahead: number) => number,
): Float64Array {
  const out = new Float64Array(values.length * horizons.length);
  for (let t = 0; t < values.length; t++) {
    const forecast = next(values[t]!, t);
    for (const [k, ahead] of horizons.entries()) out[t * horizons.length + k] = forecast(ahead);
  }
  return out;
}
