/** A way to forecast: by a fixed recursion, or by a linear map that is trained on features. */
import type { TelemetrySteps } from './telemetry-steps.js';

/** Steps ahead of each horizon, and steps of a day. */
export interface Task {
  horizons: readonly number[];
  daySteps: number;
}

/** What is forecast from one column alone, by a recursion whose constants are fixed or found in the steps before `warmup`. */
export interface Baseline {
  readonly name: string;
  /**
   * steps x horizons: at (t, k) what is expected at step t + horizons[k], from the values up to t; NaN where it cannot say.
   */
  forecasts(values: Float64Array, task: Task, warmup: number): Float64Array;
}

/** Rows of features, to be mapped to targets: at row t from what is known after step t. */
export interface FeatureModel {
  readonly name: string;
  readonly size: number;
  /** steps x size; `scale`: unit of each input column. */
  rows(steps: TelemetrySteps, inputs: readonly string[], scale: readonly number[]): Float64Array;
}
