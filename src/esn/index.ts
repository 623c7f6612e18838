/** Echo state networks: a network, its features and a readout in one object. */
export type { CHeaderOptions } from './c-header.js';
export { EsnClassifier, type EsnClassifierOptions } from './classifier.js';
export { forecastErrorAsync, type Rehearsal, unlessSingular, varianceOf } from './closed-loop.js';
export { type DiagnoseData, type Diagnosis, type DiagnosisFigures, diagnose } from './diagnose.js';
export {
  type DecisionOptions,
  EarlyClassifier,
  type EarlyClassifierOptions,
  type EarlyLabel,
  EarlyStream,
} from './early-classifier.js';
export { ClassifierEnsemble, Ensemble, type EnsembleOptions, type EnsemblePrediction } from './ensemble.js';
export { Esn, isEsn } from './esn.js';
export { featuresOf } from './files.js';
export type { ForceOptions } from './force.js';
export {
  type IntervalOptions,
  type PredictionInterval,
  PredictionIntervals,
  type PredictionIntervalsOptions,
} from './intervals.js';
export type { Label } from './labels.js';
export type { EsnLevel } from './levels.js';
export { isList, listOf } from './lists.js';
export type {
  EsnForecastAsyncOptions,
  EsnForecastOptions,
  EsnOptions,
  FitAsyncOptions,
  FitOptions,
  Learner,
  PredictAsyncOptions,
  PredictOptions,
  SeriesList,
} from './options.js';
export { esnFields } from './options.js';
export { type Scale, type Scaling, scaled, scalingOf, unscale } from './scaling.js';
export type { SeriesFeatures } from './series-features.js';
export type { EsnSnapshot, SnapshotLevel } from './snapshot.js';
export { EsnStream, type StreamOptions } from './stream.js';
