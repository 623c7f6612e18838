/**
 * The body of an HTTP answer, whole and bounded: at most `maxBytes` as they are sent and at most `maxBytes` decoded.
 *
 * Identity is asked for; a server or a proxy that compresses all the same is read, and a small body that grows beyond
 * the bound is refused as soon as it does. A declared length beyond the bound is refused before it is read.
 * Errors: EngineError ERR_DTESN_ENGINE_BODY; the error of the connection when it breaks.
 */
import type http from 'node:http';
import { Transform } from 'node:stream';
import { EngineError } from '../engine-error.js';

// Loaded by the first body that needs it: an import of the package would take three milliseconds more.
const zlib = () => process.getBuiltinModule('node:zlib');
const decoders = new Map<string, () => Transform>([
  ['gzip', () => zlib().createGunzip()],
  ['x-gzip', () => zlib().createGunzip()],
  ['deflate', () => zlib().createInflate()],
  ['br', () => zlib().createBrotliDecompress()],
]);

export function readBody(name: string, response: http.IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const refusal = (why: string, cause?: unknown) =>
    new EngineError('ERR_DTESN_ENGINE_BODY', `${name} ${why}`, { cause });
  const tooLarge = () => refusal(`answered with more than ${maxBytes} bytes`);
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  const decoder = decoders.get(encoding)?.();
  if (decoder === undefined && encoding !== 'identity') {
    return Promise.reject(refusal(`answered with encoding ${encoding} although identity was requested`));
  }
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge());
  return new Promise<Uint8Array>((resolve, reject) => {
    response.on('error', reject);
    const take = collect(maxBytes, resolve, () => reject(tooLarge()));
    if (decoder === undefined) return take(response);
    decoder.on('error', (cause) => reject(refusal(`answered with a ${encoding} body that cannot be decoded`, cause)));
    take(decoder);
    response.pipe(limited(maxBytes, () => reject(tooLarge()))).pipe(decoder);
  }).finally(() => decoder?.destroy());
}

/** Collects a readable up to a number of bytes. */
function collect(maxBytes: number, whole: (body: Uint8Array) => void, tooLarge: () => void) {
  return (readable: NodeJS.ReadableStream) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const add = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) return void chunks.push(chunk);
      readable.off('data', add);
      tooLarge();
    };
    readable.on('data', add);
    readable.on('end', () => whole(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes)));
  };
}

/** Bytes as they are sent: an encoded body can be longer than what it decodes to. */
function limited(maxBytes: number, tooLarge: () => void): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _, next) {
      bytes += chunk.length;
      if (bytes > maxBytes) tooLarge();
      else next(null, chunk);
    },
  });
}
