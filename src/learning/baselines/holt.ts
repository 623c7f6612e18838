/**
 * Holt's linear trend.
 *
 *     l = α y + (1 - α)(l + b),   b = β (l - l_before) + (1 - β) b,   forecast = l + h b
 *
 * α and β are those of a small grid with the least squared error one step ahead before the evaluation begins.
 * Source: Holt (1957), reprinted 2004, International Journal of Forecasting 20.
 */
import type { Baseline, Task } from '../forecaster.js';
import { everyHorizon } from './every-horizon.js';

const LEVELS = [0.05, 0.1, 0.2, 0.4, 0.8];
const TRENDS = [0.001, 0.01, 0.05, 0.2];

export const holt: Baseline = {
  name: 'Holt',
  forecasts: (values, task, warmup) => {
    const before = values.subarray(0, warmup);
    const tried = LEVELS.flatMap((level) =>
      TRENDS.map((trend) => ({ level, trend, error: errorOf(before, level, trend) })),
    );
    const best = tried.reduce((a, b) => (b.error < a.error ? b : a));
    return run(values, task, best.level, best.trend);
  },
};

function errorOf(values: Float64Array, level: number, trend: number): number {
  const forecasts = run(values, { horizons: [1], daySteps: 0 }, level, trend);
  let sum = 0;
  for (let t = 1; t < values.length; t++) sum += (values[t]! - forecasts[t - 1]!) ** 2;
  return sum;
}

function run(values: Float64Array, task: Task, alpha: number, beta: number): Float64Array {
  let [level, trend] = [values[0] ?? 0, 0];
  return everyHorizon(values, task, (value) => {
    const before = level;
    level = alpha * value + (1 - alpha) * (level + trend);
    trend = beta * (level - before) + (1 - beta) * trend;
    const [l, b] = [level, trend];
    return (ahead) => l + ahead * b;
  });
}
