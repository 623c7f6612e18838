/** Streams: many series whose inputs arrive one at a time, stepped in batches. */

export type { StreamModel } from './stream-model.js';
export { type StreamId, StreamPool, type StreamPoolOptions } from './stream-pool.js';
export type { StreamReadout, StreamRunOptions } from './stream-run.js';
