/** Types of requests to the model, and of their results. */
import type { EncodeInput } from '../../encoding/index.js';
import type { DtesnResultJson, GivenContext } from '../../processor/index.js';
import type { BridgeErrorCode } from '../messages/index.js';
import type { Admission } from './admission-queue.js';

/** A text, token ids or a numeric series. */
export type ModelInput = EncodeInput;

/** How a request is admitted, and its own options. */
export interface RequestOptions extends Admission {
  /** A context of the caller, used instead of a fetch. */
  context?: GivenContext | undefined;
  /** W3C trace context, handed on to the engine's tokenizer. */
  traceparent?: string | undefined;
}

/** The outcome of one input of a batch. */
export type BatchEntry =
  | { ok: true; result: DtesnResultJson }
  | { ok: false; error: { code: BridgeErrorCode; message: string } };

/** A part of a text (a string, or UTF-8 bytes cut anywhere), of token ids, or of a numeric series. */
export type StreamChunk = EncodeInput;

/** The result of one chunk. */
export interface ChunkOutcome {
  type: 'chunk';
  /** Chunks before this one. */
  index: number;
  /** Steps of the stream before this chunk. */
  offset: number;
  /** Steps of this chunk. */
  steps: number;
  encoder: string;
  features: DtesnResultJson['features'];
  /** Mean |x| of each membrane over this chunk. */
  activity: (number | null)[];
  /** Inputs that ran in the same native call. */
  batchSize: number;
  stages: DtesnResultJson['stages'];
  totalMs: number;
  progress: StreamProgress;
}

export interface StreamProgress {
  chunks: number;
  steps: number;
  /** Bytes taken of the source so far. */
  bytes: number;
  /** Of `totalBytes`, where the caller announced them; else null. */
  fraction: number | null;
}

/** The end of a stream. */
export interface StreamSummary {
  type: 'summary';
  chunks: number;
  steps: number;
  bytes: number;
  features: {
    /** After the last step; empty for a stream without steps. */
    endState: (number | null)[];
    /** Mean over the steps of all chunks. */
    meanState: (number | null)[];
  };
  totalMs: number;
  stepsPerSecond: number;
}

export interface StreamOptions extends RequestOptions {
  /** Bytes of the whole stream, for the fraction of its progress; unknown by default. */
  totalBytes?: number | undefined;
}
