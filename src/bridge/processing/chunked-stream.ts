/**
 * One input in chunks: each starts in the state in which the last one ended, and has an outcome of its own.
 *
 *     for await (const outcome of chunkedStream(chunks, ...)) ...        a 'chunk' for each, then the 'summary'
 *
 * The next chunk is read when the consumer asks for the next outcome, so neither side runs ahead of the other. A chunk
 * without a whole character, or without rows, has no outcome. Text is tokenised chunk by chunk: cut it at white space where
 * that is possible. The plan is fixed as continuation.ts of the processor says: every membrane, no standardisation, no
 * truncation.
 *
 * The end state equals that of the series processed at once as one chunk to the bit; the mean over the chunks equals its
 * mean to the rounding of the sums (1e-12).
 *
 * Errors: BridgeError with the details `chunk` and `offset` of the chunk that failed; what the source throws; the signal's
 * reason, after which the source's iterator is returned.
 */
import { type Clock, untilAborted } from '../../abort/index.js';
import type { DtesnResultJson } from '../../processor/index.js';
import { BridgeError, bridgeErrorOf } from '../messages/index.js';
import { bytesOf } from './request-bytes.js';
import { TextChunks } from './text-chunks.js';
import type { ChunkOutcome, ModelInput, StreamChunk, StreamProgress, StreamSummary } from './types.js';

export interface ChunkedStreamOptions {
  /** Processes a chunk from where the last one ended. */
  run: (input: ModelInput, index: number, bytes: number) => Promise<DtesnResultJson>;
  clock: Clock;
  totalBytes?: number | undefined;
  signal?: AbortSignal | undefined;
}

export async function* chunkedStream(
  chunks: AsyncIterable<StreamChunk>,
  { run, clock, totalBytes, signal }: ChunkedStreamOptions,
): AsyncGenerator<ChunkOutcome | StreamSummary, void, void> {
  const begun = clock.now();
  const totals = new Totals();
  let bytes = 0;
  for await (const { input, bytes: read } of wholeChunks(sourceOf(chunks, signal))) {
    bytes = read;
    const [index, offset] = [totals.chunks, totals.steps];
    const result = await run(input, index, bytesOf(input)).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw located(error, index, offset);
    });
    totals.add(result);
    const fraction = totalBytes === undefined ? null : Math.min(1, bytes / Math.max(1, totalBytes));
    yield outcomeOf(result, index, offset, { chunks: totals.chunks, steps: totals.steps, bytes, fraction });
  }
  const totalMs = clock.now() - begun;
  yield { type: 'summary', ...totals.summary(), bytes, totalMs, stepsPerSecond: perSecond(totals.steps, totalMs) };
}

/** The chunks of the source until the signal aborts; its iterator is returned where it did not end by itself. */
async function* sourceOf(
  chunks: AsyncIterable<StreamChunk>,
  signal: AbortSignal | undefined,
): AsyncGenerator<StreamChunk, void, void> {
  const iterator = chunks[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = await (signal === undefined ? iterator.next() : untilAborted(signal, iterator.next()));
      ended = next.done === true;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    if (!ended) iterator.return?.().catch(() => {}); // not awaited: a source that waits for its client may not answer
  }
}

interface WholeChunk {
  input: ModelInput;
  /** Of the source, up to the end of this chunk. */
  bytes: number;
}

/** Texts as whole characters, everything else as it is; all chunks are of one kind. */
async function* wholeChunks(source: AsyncIterable<StreamChunk>): AsyncGenerator<WholeChunk, void, void> {
  const text = new TextChunks();
  let kind: 'text' | 'tokens' | 'numbers' | null = null;
  let bytes = 0;
  for await (const chunk of source) {
    const found = kindOf(chunk);
    kind ??= found;
    if (found !== kind) throw new BridgeError('malformed', `Expected chunks of ${kind} but received one of ${found}`);
    bytes += bytesOf(chunk);
    const input = found === 'text' ? text.next(chunk as string | Uint8Array) : chunk;
    if (!isEmpty(input)) yield { input, bytes };
  }
  const rest = text.end();
  if (rest !== '') yield { input: rest, bytes };
}

function kindOf(chunk: StreamChunk): 'text' | 'tokens' | 'numbers' {
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) return 'text';
  return typeof chunk === 'object' && chunk !== null && 'tokens' in chunk ? 'tokens' : 'numbers';
}

function isEmpty(input: ModelInput): boolean {
  if (typeof input === 'string' || ArrayBuffer.isView(input) || Array.isArray(input)) return input.length === 0;
  if (typeof input !== 'object' || input === null) return false;
  if ('tokens' in input) return Array.isArray(input.tokens) && input.tokens.length === 0;
  return 'rows' in input && input.rows === 0;
}

/** Sums over the chunks. */
class Totals {
  chunks = 0;
  steps = 0;
  #sums: (number | null)[] = [];
  #endState: (number | null)[] = [];

  add({ features, model }: DtesnResultJson): void {
    const before = this.#sums;
    this.#sums = features.meanState.map((mean, i) => (mean === null ? null : (before[i] ?? 0) + mean * model.steps));
    this.#endState = features.endState;
    this.chunks++;
    this.steps += model.steps;
  }

  summary() {
    const { chunks, steps } = this;
    const meanState = this.#sums.map((sum) => (sum === null ? null : sum / steps));
    return { chunks, steps, features: { endState: this.#endState, meanState } };
  }
}

function outcomeOf(result: DtesnResultJson, index: number, offset: number, progress: StreamProgress): ChunkOutcome {
  const { features, input, membranes, batch, model, stages, totalMs } = result;
  return {
    type: 'chunk',
    index,
    offset,
    steps: model.steps,
    encoder: input.encoder,
    features,
    activity: membranes.map(({ activity }) => activity),
    batchSize: batch.size,
    stages,
    totalMs,
    progress,
  };
}

function located(error: unknown, chunk: number, offset: number): BridgeError {
  const { code, message, details, retryAfterSeconds } = bridgeErrorOf(error);
  return new BridgeError(code, message, {
    cause: error,
    details: { ...details, chunk, offset },
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

function perSecond(steps: number, ms: number): number {
  return ms > 0 ? (steps * 1000) / ms : 0;
}
