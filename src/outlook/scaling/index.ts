/** Replicas: the load of the next minutes, and how many engines it needs. */
export type { HorizonSnapshot } from './horizon-model.js';
export { ReplicaCapacity, type ReplicaCapacityOptions } from './replica-capacity.js';
export { ScaleForecaster, type ScaleForecasterOptions, type ScaleForecasterSnapshot } from './scale-forecaster.js';
export type { LoadForecast, LoadObservation, ScaleHint, ScaleHintOptions } from './scale-hint.js';
