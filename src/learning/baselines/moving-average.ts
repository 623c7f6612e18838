import type { Baseline } from '../forecaster.js';
import { everyHorizon } from './every-horizon.js';

/** The exponentially weighted moving average with a time constant of `steps`: m += (1 - exp(-1 / steps)) (y - m). */
export function movingAverage(steps: number): Baseline {
  return {
    name: `EWMA of ${steps} steps`,
    forecasts: (values, task) => {
      let mean = values[0] ?? 0;
      return everyHorizon(values, task, (value) => {
        mean += (1 - Math.exp(-1 / steps)) * (value - mean);
        const now = mean;
        return () => now;
      });
    },
  };
}
