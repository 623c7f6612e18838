/** Outlook: what will happen to requests and engines, and what follows from it. Nothing here loads the addon. */
export { type LoadPool, ReservoirLoad } from './charts/index.js';
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
  type AdmissionCounts,
  type AdmissionMode,
  admissionModes,
  type EngineLoad,
  Fleet,
  type FleetAdmission,
  type FleetChoice,
  type FleetEvents,
  type FleetMember,
  type FleetOptions,
  type FleetOutlook,
  type OutlookOptions,
  type OutlookSkill,
  type Refusal,
  type RequestTicket,
  type SentRequest,
  type WithheldRefusal,
} from './fleet/index.js';
export {
  type ReportedLoad,
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
  type AskedPredictor,
  type PredictedEngine,
  type RoutedRequest,
  RoutingRule,
} from './rules/index.js';
export type { LoadForecast, ScaleHint, ScaleHintOptions } from './scaling/index.js';
