/** Outlook: what will happen to requests and engines, and what follows from it. */
export {
  type RequestEvents,
  type ScrapeContext,
  type TtftPrediction,
  TtftPredictor,
  type TtftPredictorOptions,
  type TtftSnapshot,
} from './prediction/index.js';
