/**
 * What is refused before a request has a route: messages that two parsers could read in two ways, and more headers than the bound.
 *
 * Node's parser, in its strict form, already refuses Content-Length beside Transfer-Encoding, two Content-Lengths, folded headers,
 * a space before the colon and lines that end in LF alone. Left for here: two Host headers and one that is no host, a
 * Transfer-Encoding other than `chunked`, a target in absolute form or with a backslash, HTTP/1.0, and the count of headers.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { systemClock } from '../../abort/index.js';
import { BridgeError, type BridgeErrorCode } from '../messages/index.js';
import { errorBody } from './answers.js';

export const maxHeaders = 100;
/** HOST or HOST:PORT: a name, an IPv4 address, or an IPv6 address in brackets. */
const validHost = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;
const lingerMs = 5000;
/** Node handles all requests of what it has read before it stops reading, so that their answers would have no other bound. */
const mostPipelined = 16;

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
  const host = hostError(headers.host ?? '');
  if (host !== null) return host;
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    return malformed('Expected no transfer coding but chunked');
  }
  if (!url.startsWith('/') || url.split('?', 1)[0]!.includes('\\')) {
    return malformed('Expected a request target that begins with /');
  }
  return null;
}

let lastHost = '';

/** The error of a Host that is none, or of one that a URL turns into another form, such as 127.1: two readers may see two hosts. */
function hostError(host: string): BridgeError | null {
  if (host === lastHost) return null;
  const name = host.replace(/:\d*$/, '').toLowerCase();
  const url = validHost.test(host) && URL.canParse(`http://${host}/`) ? new URL(`http://${host}/`) : null;
  if (url === null) return malformed('Expected HOST or HOST:PORT as Host');
  if (url.hostname !== name) return new BridgeError('wrong_host', 'Expected Host in the form that a URL gives it');
  lastHost = host;
  return null;
}

function malformed(message: string): BridgeError {
  return new BridgeError('malformed', message);
}

const codes: Record<string, BridgeErrorCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Requests of each connection whose answers have not ended. */
export class Pending {
  // Lists and no Maps: what a Map once held lives until V8 collects all of its heap.
  readonly #bySocket = new WeakMap<Duplex, [ServerResponse, IncomingMessage][]>();

  /** False, and the connection is ended, where too many of its requests wait for their answers. */
  add(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const { socket } = incoming;
    const known = this.#bySocket.get(socket) ?? [];
    if (known.length >= mostPipelined) socket.destroy();
    if (socket.destroyed) return false;
    known.push([outgoing, incoming]);
    this.#bySocket.set(socket, known);
    outgoing.once('close', () => {
      const at = known.findIndex(([one]) => one === outgoing);
      known.splice(at, 1);
    });
    return true;
  }

  of(socket: Duplex): [ServerResponse, IncomingMessage][] {
    return [...(this.#bySocket.get(socket) ?? [])];
  }
}

const refused = new WeakSet<Duplex>();

/**
 * Answers what the parser refused, and closes: the rest of the connection cannot be understood. What was asked before it on the
 * connection is answered first. Other errors, such as those of a TLS handshake, end it without an answer. Where the refused bytes are the body of a request, the answer is that request's.
 */
export function answerParserError(error: NodeJS.ErrnoException, socket: Duplex, pending: Pending): void {
  if (refused.has(socket)) return;
  refused.add(socket);
  const isOfParser = /^(HPE_|ERR_HTTP_)/.test(error.code ?? '');
  const before = pending.of(socket);
  const [last] = before.slice(-1);
  const isBody = last !== undefined && !last[1].complete;
  if (!isOfParser || !socket.writable || (isBody && (before.length > 1 || last[0].headersSent))) {
    socket.destroy();
    return;
  }
  const code = codes[error.code ?? ''] ?? 'malformed';
  if (isBody || last === undefined) refuse(socket, new BridgeError(code, 'The request is malformed (RFC 9112)'));
  else last[0].once('close', () => refuse(socket, new BridgeError(code, 'The request is malformed (RFC 9112)')));
}

/** CONNECT asks for a tunnel, which the bridge is not: its target is none of a path. */
export function answerConnect(socket: Duplex): void {
  refuse(socket, malformed('Expected a request target that begins with /'));
}

function refuse(socket: Duplex, refusal: BridgeError): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = errorBody(refusal);
  const head = [
    `HTTP/1.1 ${refusal.status} ${refusal.code}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${randomUUID()}`,
    'connection: close',
  ];
  socket.on('error', () => {});
  // A client that does not read holds no connection.
  systemClock.after(lingerMs, () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
