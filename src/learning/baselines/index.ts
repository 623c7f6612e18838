/** What every outlook is compared with: forecasts without training. */
import type { Baseline } from '../forecaster.js';
import { holt } from './holt.js';
import { kalman } from './kalman.js';
import { lastValue } from './last-value.js';
import { movingAverage } from './moving-average.js';
import { seasonalNaive } from './seasonal-naive.js';

export { movingAverage } from './moving-average.js';

/** The first is what skill is measured against. */
export const baselines: readonly Baseline[] = [
  lastValue,
  seasonalNaive,
  movingAverage(3),
  movingAverage(12),
  holt,
  kalman,
];
