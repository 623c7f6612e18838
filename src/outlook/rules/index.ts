/** What follows from predictions: whether a request is taken, and which engine serves it. */
export { type Admission, type AdmissionRequest, AdmissionRule } from './admission-rule.js';
export {
  type AskedPredictor,
  type PredictedEngine,
  type RoutedRequest,
  RoutingRule,
  tokensOf,
} from './routing-rule.js';
