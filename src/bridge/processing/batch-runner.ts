/** Native batches of the requests that wait together. */
import type { DtesnProcessor, DtesnResultJson } from '../../processor/index.js';
import type { QueueOptions } from './admission-queue.js';
import type { MetricsFamilies } from './metrics-families.js';
import type {
  BatchEntry,
  ChunkOutcome,
  ModelInput,
  RequestOptions,
  StreamChunk,
  StreamOptions,
  StreamSummary,
} from './types.js';

export interface BatchRunnerOptions extends QueueOptions {
  /** Where requests run; it stays open when the runner closes. */
  processor: DtesnProcessor;
  metrics: MetricsFamilies;
  /** Milliseconds that a batch which is not full may wait for more requests while the model is idle, 0 to 5; 1 by default. */
  batchWaitMs?: number | undefined;
  /** Chunked streams under way, 1 to 100,000; 256 by default. */
  maxStreams?: number | undefined;
}

export declare class BatchRunner implements AsyncDisposable {
  constructor(options: BatchRunnerOptions);
  process(input: ModelInput, options?: RequestOptions): Promise<DtesnResultJson>;
  processBatch(inputs: readonly ModelInput[], options?: RequestOptions): Promise<BatchEntry[]>;
  processStream(
    chunks: AsyncIterable<StreamChunk>,
    options?: StreamOptions,
  ): AsyncGenerator<ChunkOutcome | StreamSummary, void, void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
