/** The loss by which NVIDIA Dynamo's planner ranks forecasts of load. */
import { shapeError } from '../errors/index.js';

/** Load of planning windows, one value a window. */
export interface PlanningWindows {
  /** Requests of the window, n. */
  requests: ArrayLike<number>;
  /** Prompt tokens of the window: n times the mean input length. */
  promptTokens: ArrayLike<number>;
  /** Generated tokens of the window: n times the mean output length. */
  generationTokens: ArrayLike<number>;
}

const WEIGHTS = [0.4, 0.4, 0.1, 0.1];

/**
 * The loss by which NVIDIA Dynamo's planner ranks forecasts of load, mean of the windows.
 *
 *     0.4 |Δ log1p(n isl)| + 0.4 |Δ log1p(n osl)| + 0.1 |Δ log1p(isl)| + 0.1 |Δ log1p(osl)|
 *
 * n requests of mean input length isl and mean output length osl; Δ: target less output. Lengths of a window without requests are 0;
 * outputs below 0 count as 0. Errors: RangeError ERR_DTESN_SHAPE for series whose lengths differ or are 0.
 */
export function planningLoss(targets: PlanningWindows, outputs: PlanningWindows): number {
  const windows = targets.requests.length;
  if (windows === 0) throw shapeError('one window or more', 0);
  for (const [name, values] of [...Object.entries(targets), ...Object.entries(outputs)]) {
    if (values.length !== windows) throw shapeError(`${name} of ${windows} windows`, values.length);
  }
  let sum = 0;
  for (let i = 0; i < windows; i++) {
    const [y, f] = [termsOf(targets, i), termsOf(outputs, i)];
    for (const [k, weight] of WEIGHTS.entries()) sum += weight * Math.abs(y[k]! - f[k]!);
  }
  return sum / windows;
}

function termsOf({ requests, promptTokens, generationTokens }: PlanningWindows, i: number): number[] {
  const at = (values: ArrayLike<number>) => Math.max(0, values[i]!);
  const [n, prompt, generated] = [at(requests), at(promptTokens), at(generationTokens)];
  const length = (tokens: number) => (n > 0 ? tokens / n : 0);
  return [prompt, generated, length(prompt), length(generated)].map(Math.log1p);
}
