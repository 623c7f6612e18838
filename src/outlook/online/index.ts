/** Small estimators that learn from one sample at a time, in plain TypeScript. */
export { Ewma } from './ewma.js';
export { QuantileMargin, type QuantileMarginSnapshot } from './quantile-margin.js';
export {
  RecursiveLeastSquares,
  type RecursiveLeastSquaresOptions,
  type RecursiveLeastSquaresSnapshot,
} from './recursive-least-squares.js';
