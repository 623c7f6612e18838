/**
 * The events of a bridge, for as long as they are read: a connection that breaks or ends is made again, with the id of the last
 * event, so that none is read twice and what was missed is replayed or said.
 *
 *     missed    events that the bridge no longer had, or those of a bridge before its restart: { reason }
 *     end       the bridge ends the connection: { reason }; the iterator connects again
 *
 * The pause before a connection is the `retry` of the bridge, doubled after each failure in a row up to 60 s. A connection without
 * a byte for 45 s (three of the bridge's comments) is given up.
 */
import { pause } from '../../abort/index.js';
import { BridgeCallError, isBridgeCallError, isPassing, jsonOf } from './call-error.js';
import type { Call, Exchange } from './exchange.js';
import { serverSentMessages, withIdleLimit } from './server-sent-events.js';

/** One event of the bridge, as BridgeClient.events() yields it. */
export interface BridgeEvent {
  /** `<boot>-<seq>`; absent from events that are not replayed. */
  id: string | undefined;
  /** state, restart, drained, restored, anomaly, added, removed, plan, config, sessions, missed, end */
  event: string;
  data: Record<string, unknown>;
}

const idleMs = 45_000;
const defaultRetryMs = 3000;
const longestPauseMs = 60_000;

export async function* bridgeEvents(
  exchange: Exchange,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  lastEventId: string | undefined,
): AsyncGenerator<BridgeEvent, void, void> {
  const stop = signal ?? new AbortController().signal;
  let last = lastEventId;
  let retryMs = defaultRetryMs;
  let failures = 0;
  for (;;) {
    const headers = { accept: 'text/event-stream', ...(last !== undefined && { 'last-event-id': last }) };
    const call = { method: 'GET', path: '/v1/events', headers, timeoutMs, retries: 0, signal: stop } satisfies Call;
    try {
      const response = await exchange.open(call);
      failures = 0;
      const late = () => new BridgeCallError('unreachable', `GET /v1/events: no byte for ${idleMs / 1000} s`);
      for await (const message of serverSentMessages(withIdleLimit(response, idleMs, late, exchange.clock))) {
        retryMs = message.retryMs ?? retryMs;
        last = message.id ?? last;
        if (message.data !== undefined) yield { id: message.id, event: message.event, data: dataOf(message.data) };
      }
    } catch (error) {
      const failure = exchange.failure(call, error);
      const isLate = isBridgeCallError(failure) && failure.code === 'timeout';
      if (!isPassing(failure) && !isLate) throw failure;
      failures += 1;
    }
    const wait = retryMs * 2 ** Math.max(0, failures - 1);
    await pause(Math.min(longestPauseMs, wait), stop, exchange.clock, { hold: true });
  }
}

function dataOf(text: string): Record<string, unknown> {
  const value = jsonOf(text);
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new BridgeCallError('bad_answer', 'GET /v1/events: the data of an event is no JSON object');
}
