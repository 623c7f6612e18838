/** B-series: the elementary differentials that rooted trees index. */
export {
  type Differentials,
  type DifferentialsOptions,
  elementaryDifferentials,
  errorEstimate,
  MAX_DIFFERENTIAL_ORDER,
  taylorCoefficients,
} from './differentials.js';
