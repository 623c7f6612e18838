/** Predictions of what will happen to one request on one engine. */
export type { ReportedLoad } from './engine-view.js';
export {
  type RequestEvents,
  type ScrapeContext,
  type TtftPrediction,
  TtftPredictor,
  type TtftPredictorOptions,
} from './ttft-predictor.js';
export type { TtftSnapshot } from './ttft-snapshot.js';
