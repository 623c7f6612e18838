import type { Baseline } from '../forecaster.js';
import { everyHorizon } from './every-horizon.js';

/** Nothing changes: y(t). */
export const lastValue: Baseline = {
  name: 'last value',
  forecasts: (values, task) => everyHorizon(values, task, (value) => () => value),
};
