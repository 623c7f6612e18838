/** The sources to one view: quality, metadata, constraints and hints; and the gate that judges quality. */
export { aggregateMultiSourceData } from './aggregate.js';
export { cpuContention } from './cpu-contention.js';
export { type ExpectedLoad, withExpectedLoad } from './expected-load.js';
export { type Assessment, isSourceHistory, SourceHistory, type SourceHistoryOptions } from './history.js';
export type { Load } from './load.js';
export {
  isQualityGate,
  QUALITY_THRESHOLD,
  type QualityChange,
  QualityGate,
  type QualityGateOptions,
  type QualityJudgement,
  type QualityObservation,
  qualityGateOptionsSchema,
  qualityJudgementSchema,
  qualitySentence,
  readySentence,
} from './quality-gate.js';
export { type Aggregation, aggregationSchema, type SourceGrade } from './schema.js';
