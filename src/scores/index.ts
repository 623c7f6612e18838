/** Scores of forecasts: one function a file. */
export { type PlanningWindows, planningLoss } from './planning-loss.js';
export { quantileLoss } from './quantile-loss.js';
