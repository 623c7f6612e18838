/** Outlook: what will happen to requests and engines, and what follows from it. Nothing here loads the addon. */
export {
  Fleet,
  type FleetChoice,
  type FleetEvents,
  type FleetMember,
  type FleetOptions,
  type ReportedLoad,
} from './fleet/index.js';
export {
  type RequestEvents,
  type ScrapeContext,
  type TtftPrediction,
  TtftPredictor,
  type TtftPredictorOptions,
  type TtftSnapshot,
} from './prediction/index.js';
