/**
 * Requests taken together, run on the processor as native batches.
 *
 * Requests share a batch only where their own options are the same: the processor and the context. One of more than
 * LONG_BYTES runs by itself, after the others, so that short ones do not wait for its end. Results do not depend on the batch
 * (Network.runBatch). Where a batch fails as a whole, its requests run once more one by one, so that the failure is that of
 * the request that caused it.
 *
 * An aborted request is settled at once; its batch goes on for the others, and ends when all of its requests have left.
 */
import { lastingController } from '../../abort/index.js';
import type { Continuation, DtesnFailure, DtesnProcessor, DtesnResult, GivenContext } from '../../processor/index.js';
import { bytesOf } from './request-bytes.js';
import type { ModelInput } from './types.js';

/** Some 4,000 steps of a text. */
const LONG_BYTES = 16 * 1024;

export type Outcome = { ok: true; result: DtesnResult } | { ok: false; error: unknown };

export interface ModelRequest {
  input: ModelInput;
  processor: DtesnProcessor;
  context: GivenContext | undefined;
  continuation: Continuation | null;
  signal: AbortSignal | undefined;
  traceparent: string | undefined;
  /** Takes the first outcome; later ones have no effect. */
  settle: (outcome: Outcome) => void;
}

/** `left` is called when the last batch has left the model, and awaited before its requests are settled. */
export async function runTogether(requests: readonly ModelRequest[], left: () => Promise<void>): Promise<void> {
  const batches = batchesOf(requests);
  let inModel = batches.length;
  const leave = async () => {
    if (--inModel === 0) await left();
  };
  await Promise.all(batches.map((batch) => runBatch(batch, leave)));
}

function batchesOf(requests: readonly ModelRequest[]): ModelRequest[][] {
  const batches: ModelRequest[][] = [];
  const long: ModelRequest[][] = [];
  for (const request of requests) {
    const same = batches.find(
      ([first]) => first!.processor === request.processor && first!.context === request.context,
    );
    if (bytesOf(request.input) > LONG_BYTES) long.push([request]);
    else if (same) same.push(request);
    else batches.push([request]);
  }
  return [...batches, ...long];
}

/** Of batches that have ended. */
const unused: AbortController[] = [];

async function runBatch(batch: readonly ModelRequest[], leave: () => Promise<void>): Promise<void> {
  const stop = unused.pop() ?? lastingController();
  const left = new Set(batch);
  const leaving = batch.map((request) => () => {
    request.settle({ ok: false, error: request.signal?.reason });
    left.delete(request);
    if (left.size === 0) stop.abort(request.signal?.reason);
  });
  for (const [i, { signal }] of batch.entries()) {
    if (signal?.aborted) leaving[i]!();
    else signal?.addEventListener('abort', leaving[i]!, { once: true });
  }
  const results = await outcomesOf(batch, left, stop.signal);
  for (const [i, { signal }] of batch.entries()) signal?.removeEventListener('abort', leaving[i]!);
  if (!stop.signal.aborted) unused.push(stop);
  await leave();
  for (const [i, outcome] of results.entries()) batch[i]!.settle(outcome);
}

/** One of each request; where all have left, none. */
async function outcomesOf(
  batch: readonly ModelRequest[],
  left: ReadonlySet<ModelRequest>,
  signal: AbortSignal,
): Promise<Outcome[]> {
  if (left.size === 0) return [];
  try {
    const results = await process(batch, signal);
    return results.map((result) => (result.ok ? { ok: true, result } : { ok: false, error: result.error }));
  } catch (error) {
    if (batch.length > 1 && !signal.aborted) for (const request of left) await runBatch([request], async () => {});
    return batch.map(() => ({ ok: false, error }));
  }
}

function process(batch: readonly ModelRequest[], signal: AbortSignal): Promise<(DtesnResult | DtesnFailure)[]> {
  const { processor, context } = batch[0]!;
  return processor.processBatch(
    batch.map(({ input }) => input),
    {
      signal,
      continueFrom: batch.map(({ continuation }) => continuation),
      traceparent: batch.map(({ traceparent }) => traceparent),
      ...(context !== undefined && { context }),
    },
  );
}
