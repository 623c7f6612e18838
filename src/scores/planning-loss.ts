import { shapeError } from '../errors/index.js';
import { checkPairs } from './pairs.js';

/** Load of planning windows, one value a window. */
export interface PlanningWindows {
  /** Requests of the window, n. */
  requests: ArrayLike<number>;
  /** Prompt tokens of the window: n times the mean input length. */
  promptTokens: ArrayLike<number>;
  /** Generated tokens of the window: n times the mean output length. */
  generationTokens: ArrayLike<number>;
}

/**
 * The loss by which NVIDIA Dynamo's planner ranks forecasts of load, mean of the windows.
 *
 *     0.4 |Δ log1p(n isl)| + 0.4 |Δ log1p(n osl)| + 0.1 |Δ log1p(isl)| + 0.1 |Δ log1p(osl)|
 *
 * n requests of mean input length isl and mean output length osl; Δ: forecast less outcome. Lengths of a window without requests are 0;
 * forecasts below 0 count as 0. Errors: RangeError ERR_DTESN_SHAPE for lengths that differ or are 0.
 */
export function planningLoss(forecast: PlanningWindows, outcome: PlanningWindows): number {
  const windows = checkPairs(forecast.requests, outcome.requests);
  for (const name of ['promptTokens', 'generationTokens'] as const) {
    if (checkPairs(forecast[name], outcome[name]) !== windows) {
      throw shapeError(`${name} of ${windows} windows`, outcome[name].length);
    }
  }
  let sum = 0;
  for (let i = 0; i < windows; i++) {
    const [f, y] = [termsOf(forecast, i), termsOf(outcome, i)];
    for (const [k, weight] of [0.4, 0.4, 0.1, 0.1].entries()) sum += weight * Math.abs(f[k]! - y[k]!);
  }
  return sum / windows;
}

function termsOf({ requests, promptTokens, generationTokens }: PlanningWindows, i: number): number[] {
  const [n, prompt, generated] = [requests, promptTokens, generationTokens].map((values) =>
    Math.max(0, values[i]!),
  ) as [number, number, number];
  const length = (tokens: number) => (n > 0 ? tokens / n : 0);
  return [prompt, generated, length(prompt), length(generated)].map(Math.log1p);
}
