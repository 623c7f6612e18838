/** Outlook: what will happen to requests and engines, and what follows from it. */
export {
  type AdmitPolicy,
  type ClosedLoopEngine,
  type ClosedLoopOptions,
  type ClosedLoopOutcome,
  type ClosedLoopPolicy,
  type ClosedLoopProgress,
  type ClosedLoopRequest,
  type ClosedLoopResult,
  closedLoop,
  type PickPolicy,
  type TtftStatistics,
} from './closed-loop/index.js';
export {
  type RequestEvents,
  type ScrapeContext,
  type TtftPrediction,
  TtftPredictor,
  type TtftPredictorOptions,
  type TtftSnapshot,
} from './prediction/index.js';
export {
  type Admission,
  type AdmissionRequest,
  AdmissionRule,
  type PredictedEngine,
  type RoutedRequest,
  RoutingRule,
} from './rules/index.js';
