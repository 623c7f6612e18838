/** Clients of engines over HTTP. */
export { AphroditeEngine, type AphroditeEngineOptions } from './aphrodite-engine.js';
export { HttpEngine, type HttpEngineOptions } from './http-engine.js';
export { type MetricsMirrorOptions, metricsMirror } from './metrics-mirror.js';
