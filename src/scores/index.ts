/** Scores of forecasts: one function a file. */
export { coverage } from './coverage.js';
export { type PlanningWindows, planningLoss } from './planning-loss.js';
export { quantileLoss } from './quantile-loss.js';
export { rmse } from './rmse.js';
