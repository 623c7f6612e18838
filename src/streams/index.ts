/** Streams: many series that arrive bit by bit, batched as they come. */
export { type StreamId, StreamPool, type StreamPoolOptions } from './stream-pool.js';
