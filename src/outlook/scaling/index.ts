/** Replicas: the load of the next minutes, and how many engines it needs. */
export { ReplicaCapacity } from './replica-capacity.js';
export { ScaleForecaster, type ScaleForecasterOptions, type ScaleForecasterSnapshot } from './scale-forecaster.js';
export type { LoadForecast, LoadObservation, ScaleHint, ScaleHintOptions } from './scale-hint.js';
