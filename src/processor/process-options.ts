/** Options of process() and processBatch(), and their checks. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT. */
import { argumentError, checkKeys } from '../errors/index.js';
import { checkLongRun, type Progress } from '../native/index.js';
import type { Continuation } from './continuation.js';
import type { GivenContext } from './engine-context.js';

/** Options of process: a context or continuation to use, progress, and a signal. */
export interface ProcessOptions {
  /** Ends the input, which then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal;
  /**
   * Called at the stages 'context', 'encode' and 'model', the last counted in steps; of a batch at 'inputs', counted in inputs.
   * Default: none.
   */
  onProgress?: (progress: Progress) => void;
  /**
   * A context to use instead of a fetch. No request is sent then: text is encoded by cached ids, by the tokenizer of
   * the model's files, or as UTF-8 bytes, and the result names the encoder. Default: one is fetched.
   */
  context?: GivenContext;
  /** A series in chunks: this input starts where the last chunk ended (continuation.ts). The zero state by default. */
  continueFrom?: Continuation | undefined;
  /** W3C trace context, sent to the engine's tokenizer as the header `traceparent`; well-formed. Default: none. */
  traceparent?: string | undefined;
}

/** Options of processBatch: those of process, with a continuation and a trace context for each input. */
export interface ProcessBatchOptions extends Omit<ProcessOptions, 'continueFrom' | 'traceparent'> {
  /** For each input the series that it continues, or null. Default: none continues one. */
  continueFrom?: readonly (Continuation | null)[] | undefined;
  /** For each input its W3C trace context, or undefined. Default: none. */
  traceparent?: readonly (string | undefined)[] | undefined;
}

const wellFormedTrace = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Refuses unknown keys, and a signal or a listener of another kind. */
export function checkProcessOptions(options: ProcessOptions | ProcessBatchOptions, call: string): void {
  checkKeys(options, ['signal', 'onProgress', 'context', 'continueFrom', 'traceparent'], call);
  const { signal, onProgress } = options;
  checkLongRun({ signal, onProgress }, call);
}

/** Refuses trace contexts that are not well-formed, or not one or undefined for each input. */
export function checkTraces(traces: ProcessBatchOptions['traceparent'], inputs: number): void {
  if (traces === undefined) return;
  const isValid = (trace: unknown) => trace === undefined || (typeof trace === 'string' && wellFormedTrace.test(trace));
  if (!Array.isArray(traces) || traces.length !== inputs || !traces.every(isValid)) {
    throw argumentError(`a W3C traceparent or undefined for each of ${inputs} inputs`, 'traceparent', traces);
  }
}

/** The continuations of a batch: one or null for each input. */
export function checkContinuations(
  continueFrom: ProcessBatchOptions['continueFrom'],
  inputs: number,
): readonly (Continuation | null)[] {
  if (continueFrom === undefined) return [];
  if (!Array.isArray(continueFrom) || continueFrom.length !== inputs) {
    throw argumentError(`an array of ${inputs} continuations or null`, 'continueFrom', continueFrom);
  }
  return continueFrom;
}
