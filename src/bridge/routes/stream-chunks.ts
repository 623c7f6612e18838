/**
 * Inputs as the model takes them, and a stream of them in chunks.
 *
 * A body of application/octet-stream is one stream without a length: `x-dtesn-dtype: utf8` is text; f32 or f64 are rows of
 * `x-dtesn-features` little-endian floats. A chunk is what came from the socket, cut to whole rows.
 */
import { systemClock } from '../../abort/index.js';
import type { Floats } from '../../native/index.js';
import type { EndpointRequest } from '../http/index.js';
import { chunksOf } from '../http/index.js';
import { BridgeError, type InputMessage, type StreamMessage } from '../messages/index.js';
import type { ModelInput, StreamChunk } from '../processing/index.js';

const idleMs = 30_000;
const mostFeatures = 65_536;
const bytesOf = { f32: 4, f64: 8 } as const;

export function modelInput({ text, tokens, series }: InputMessage): ModelInput {
  if (text !== undefined) return text;
  if (tokens !== undefined) return { tokens };
  return series as ModelInput;
}

/** A message in pieces of `chunk` characters, ids or rows. A text is cut between characters. */
export async function* chunksOfMessage({ text, tokens, series, chunk }: StreamMessage): AsyncIterable<StreamChunk> {
  if (text !== undefined) {
    for (let at = 0; at < text.length; ) {
      const end = at + chunk;
      const splits = end < text.length && isHighSurrogate(text.charCodeAt(end - 1));
      const next = splits ? end + 1 : end;
      yield text.slice(at, next);
      at = next;
    }
    return;
  }
  const items = (tokens ?? series) as number[];
  for (let at = 0; at < items.length; at += chunk) {
    const part = items.slice(at, at + chunk);
    yield tokens === undefined ? (part as number[]) : { tokens: part };
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

/** The chunks of a body as they arrive: UTF-8 bytes, or whole rows. */
export function chunksOfStream(request: EndpointRequest): AsyncIterable<StreamChunk> {
  const { headers } = request.incoming;
  const dtype = headers['x-dtesn-dtype'];
  if (dtype === 'utf8') return withoutPause(request) as AsyncIterable<StreamChunk>;
  if (dtype !== 'f32' && dtype !== 'f64') {
    throw new BridgeError('malformed', 'Expected utf8, f32 or f64 for x-dtesn-dtype');
  }
  const features = Number(headers['x-dtesn-features']);
  if (!(Number.isInteger(features) && features >= 1 && features <= mostFeatures)) {
    throw new BridgeError('malformed', `Expected a whole number from 1 to ${mostFeatures} for x-dtesn-features`);
  }
  return rowsOf(withoutPause(request), dtype, features);
}

async function* rowsOf(
  bytes: AsyncIterable<Buffer>,
  dtype: 'f32' | 'f64',
  features: number,
): AsyncIterable<StreamChunk> {
  const width = features * bytesOf[dtype];
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const rows = Math.floor(all.length / width);
    rest = all.subarray(rows * width);
    if (rows === 0) continue;
    // A copy: the memory of a chunk is Node's, and need not be aligned.
    const memory = new SharedArrayBuffer(rows * width);
    new Uint8Array(memory).set(all.subarray(0, rows * width));
    const data: Floats = dtype === 'f32' ? new Float32Array(memory) : new Float64Array(memory);
    yield { rows, cols: features, data };
  }
  if (rest.length > 0)
    throw new BridgeError('malformed', `Expected whole rows of ${width} bytes: ${rest.length} are left over`);
}

/** The chunks of a body; 30 s without one end the stream. */
async function* withoutPause({ incoming, signal }: EndpointRequest): AsyncIterable<Buffer> {
  const stop = new AbortController();
  const forward = () => stop.abort(signal.reason);
  signal.addEventListener('abort', forward, { once: true });
  const late = () =>
    stop.abort(new BridgeError('request_timeout', `Expected more of the stream within ${idleMs / 1000} s`));
  let cancel = systemClock.after(idleMs, late);
  try {
    for await (const chunk of chunksOf(incoming, stop.signal)) {
      cancel();
      yield chunk;
      cancel = systemClock.after(idleMs, late);
    }
  } finally {
    cancel();
    signal.removeEventListener('abort', forward);
  }
}
