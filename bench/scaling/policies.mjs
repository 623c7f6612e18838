/**
 * What the benchmark compares: the load that each policy plans for, in requests a second, at each decision of the loop.
 *
 *     persistence         mean of the last 10 s
 *     persistence, 1 min  the highest mean of 10 s of the last minute: a window in which replicas are not stopped, as autoscalers have
 *     EWMA 30 s           moving average, time constant 30 s
 *     ours                scaleHint: max(bank of averages and time of day 60 s ahead, EWMA 30 s)
 *     bank alone          the same without the floor of EWMA 30 s
 *     ours, p90           quantile 0.9 of the forecast, not below EWMA 30 s
 */
import { DECISION_SECONDS } from './replica-loop.mjs';
import { ScaleForecaster } from './sources.mjs';

/** Arrivals in each second: entry t holds those of (t - 1, t]. */
export function countsOf(arrivals, seconds) {
  const counts = new Float64Array(seconds + 1);
  for (const { time } of arrivals) counts[Math.min(seconds, Math.floor(time) + 1)]++;
  return counts;
}

/** { name: loads }, `loads[i]` at i x 10 s; `startupSeconds` is how far ours looks. */
export function policyLoads(counts, { daySeconds, startupSeconds }) {
  const forecaster = new ScaleForecaster({ daySeconds });
  const loads = {
    persistence: [0],
    'persistence, 1 min': [0],
    'EWMA 30 s': [0],
    ours: [0],
    'bank alone': [0],
    'ours, p90': [0],
  };
  forecaster.observe({ timeSeconds: 0, requestsPerSecond: null, capacity: 1 });
  let average = counts[1];
  for (let time = 1; time < counts.length; time++) {
    const requestsPerSecond = counts[time];
    // With a capacity of 1 the hint is in requests a second.
    forecaster.observe({ timeSeconds: time, requestsPerSecond, capacity: 1 });
    average += (1 - Math.exp(-1 / 30)) * (requestsPerSecond - average);
    if (time % DECISION_SECONDS !== 0) continue;
    const { forecast, interval, horizons } = forecaster.hint({ startupSeconds });
    const last = counts.subarray(time - DECISION_SECONDS + 1, time + 1).reduce((a, b) => a + b, 0) / DECISION_SECONDS;
    loads.persistence.push(last);
    loads['persistence, 1 min'].push(Math.max(...loads.persistence.slice(-6)));
    loads['EWMA 30 s'].push(average);
    loads.ours.push(forecast);
    loads['bank alone'].push(horizons.find(({ horizonSeconds }) => horizonSeconds >= startupSeconds).requestsPerSecond);
    loads['ours, p90'].push(Math.max(interval?.[1] ?? 0, average));
  }
  return { loads, forecasts: forecaster.forecasts() };
}
