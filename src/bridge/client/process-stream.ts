/**
 * A long input, processed in chunks that carry the state on: the bridge works at the pace in which the chunks are read here.
 * Leaving the loop, or the signal, ends the work at the bridge.
 */
import { type BridgeErrorCode, bridgeErrorCodes, type InputMessage } from '../messages/index.js';
import { BridgeCallError, jsonOf } from './call-error.js';
import type { Call, Exchange } from './exchange.js';
import { serverSentMessages, withIdleLimit } from './server-sent-events.js';

/** An input that is sent while it is made; `features` numbers a row for f32 and f64, little-endian. */
export interface StreamedInput {
  body: AsyncIterable<Uint8Array | string>;
  dtype: 'utf8' | 'f32' | 'f64';
  features?: number | undefined;
}

/** One event of a chunked stream: a 'chunk' after each part of the input, and one 'summary' at the end. */
export interface ProcessStreamEvent {
  event: 'chunk' | 'summary';
  data: Record<string, unknown>;
}

/** The call of an input. */
export function streamCall(
  input: InputMessage | StreamedInput,
  chunk: number | undefined,
): Pick<Call, 'json' | 'bytes' | 'headers'> {
  const headers = { accept: 'text/event-stream' };
  if (!('body' in input)) return { headers, json: { ...input, ...(chunk !== undefined && { chunk }) } };
  const features = input.features === undefined ? {} : { 'x-dtesn-features': String(input.features) };
  return { headers: { ...headers, 'x-dtesn-dtype': input.dtype, ...features }, bytes: input.body };
}

export async function* processStream(
  exchange: Exchange,
  call: Call & { signal: AbortSignal },
): AsyncGenerator<ProcessStreamEvent, void, void> {
  const what = 'POST /v1/process/stream';
  const response = await exchange.open(call);
  const late = () => new BridgeCallError('timeout', `${what}: no byte for ${call.timeoutMs} ms`);
  try {
    for await (const message of serverSentMessages(withIdleLimit(response, call.timeoutMs, late, exchange.clock))) {
      if (message.data === undefined) continue;
      const data = jsonOf(message.data) as Record<string, unknown> | undefined;
      if (typeof data !== 'object' || data === null) {
        throw new BridgeCallError('bad_answer', `${what}: the data of an event is no JSON object`);
      }
      if (message.event === 'error') throw streamError(what, data);
      if (message.event !== 'chunk' && message.event !== 'summary') continue;
      yield { event: message.event, data };
      if (message.event === 'summary') return;
    }
  } catch (error) {
    throw exchange.failure(call, error);
  }
  throw new BridgeCallError('unreachable', `${what}: the answer ended before its summary`);
}

function streamError(what: string, { code, message, ...details }: Record<string, unknown>): BridgeCallError {
  const isKnown = (bridgeErrorCodes as string[]).includes(String(code));
  return new BridgeCallError(isKnown ? (code as BridgeErrorCode) : 'bad_answer', `${what}: ${message}`, {
    status: 200,
    details,
  });
}
