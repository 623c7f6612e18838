/**
 * Kalman's filter of a level and its trend, with the constants of NVIDIA Dynamo's planner.
 *
 *     x = [level, trend],  x' = [[1, 1], [0, 1]] x + w,  Q = q I, q = 0.1;   y = level + v,  R = r = 10;   forecast = level + h trend
 *
 * Dynamo counts requests of its windows; here y is as it comes.
 * Source: ai-dynamo/dynamo, planner/core/load/predictors.py and config/defaults.py.
 */
import type { Baseline } from '../forecaster.js';
import { everyHorizon } from './every-horizon.js';

const Q = 0.1;
const R = 10;

export const kalman: Baseline = {
  name: 'Kalman (Dynamo)',
  forecasts: (values, task) => {
    let [level, trend] = [values[0] ?? 0, 0];
    // Covariance of level and trend.
    let [p, c, v] = [1, 0, 1];
    return everyHorizon(values, task, (value) => {
      level += trend;
      [p, c, v] = [p + 2 * c + v + Q, c + v, v + Q];
      const [gain, gainOfTrend] = [p / (p + R), c / (p + R)];
      const error = value - level;
      level += gain * error;
      trend += gainOfTrend * error;
      [p, c, v] = [(1 - gain) * p, (1 - gain) * c, v - gainOfTrend * c];
      const [l, b] = [level, trend];
      return (ahead) => l + ahead * b;
    });
  },
};
