/**
 * What is refused before a request has a route: messages that two parsers could read in two ways, and more headers than the bound.
 *
 * Node's parser, in its strict form, already refuses Content-Length beside Transfer-Encoding, two Content-Lengths, folded headers,
 * a space before the colon and lines that end in LF alone. Left for here: two Host headers, a Transfer-Encoding other than
 * `chunked`, a target in absolute form, HTTP/1.0, and the count of headers.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { BridgeError, type BridgeErrorCode } from '../messages/index.js';
import { errorBody } from './answers.js';

export const maxHeaders = 100;

/** The error of a message that is not taken, or null. */
export function wireError(incoming: IncomingMessage): BridgeError | null {
  const { rawHeaders, httpVersion, url = '', headers } = incoming;
  if (httpVersion !== '1.1') return new BridgeError('http_version', `Expected HTTP/1.1 but received ${httpVersion}`);
  if (rawHeaders.length / 2 > maxHeaders) {
    return new BridgeError('headers_too_large', `Expected at most ${maxHeaders} headers`);
  }
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]!.toLowerCase() === 'host') hosts++;
  if (hosts !== 1) return malformed(`Expected one Host header but received ${hosts}`);
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    return malformed('Expected no transfer coding but chunked');
  }
  if (!url.startsWith('/')) return malformed('Expected a request target that begins with /');
  return null;
}

function malformed(message: string): BridgeError {
  return new BridgeError('malformed', message);
}

const codes: Record<string, BridgeErrorCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Answers what the parser refused, and closes: the rest of the connection cannot be understood. */
export function answerParserError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET' || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const refusal = new BridgeError(codes[error.code ?? ''] ?? 'malformed', 'The request is malformed (RFC 9112)');
  const body = errorBody(refusal);
  const head = [
    `HTTP/1.1 ${refusal.status} ${refusal.code}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
