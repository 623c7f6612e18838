/** Requests of the model: the queue they wait in, native batches, chunked streams, frames. */
export {
  type Admission,
  AdmissionQueue,
  type QueueOptions,
} from './admission-queue.js';
export { BatchRunner, type BatchRunnerOptions, type RunnerBounds } from './batch-runner.js';
export {
  FRAME_TYPE,
  type Frame,
  type FrameDtype,
  type FrameFields,
  type FrameShape,
  frameShape,
  readFrame,
  seriesOfFrame,
  writeFrame,
} from './frames.js';
export { type Pace, paceOf } from './pace.js';
export { type Priority, type PriorityChoice, priorities } from './priority.js';
export type {
  BatchEntry,
  ChunkOutcome,
  ModelInput,
  RequestOptions,
  StreamChunk,
  StreamOptions,
  StreamProgress,
  StreamSummary,
} from './types.js';
export { Uses } from './uses.js';
