/**
 * Answers as they go out: JSON with its length, `x-request-id` on each, errors as `{"error": {code, message, ...}}`. Those without
 * content, 204 and 304, have neither a length nor a type (RFC 9110, 8.6 and 15.4.5).
 *
 * An answer to a request whose body was not read closes the connection, and what still arrives is dropped. An answer that the
 * client does not read within 30 s ends its connection.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { systemClock } from '../../abort/index.js';
import { BridgeError, bridgeErrorOf, isBridgeError } from '../messages/index.js';
import type { Answer } from './endpoint.js';

const unreadMs = 30_000;
const lingerMs = 500;

const standing = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };

/** The text of an error's body. */
export function errorBody({ code, message, details }: BridgeError): string {
  return JSON.stringify({ error: { ...details, code, message } });
}

/** What a handler threw, as an error that may be shown: the text of an unexpected one stays in the log. */
export function shown(error: unknown): BridgeError {
  const known = bridgeErrorOf(error);
  if (known.code !== 'internal' || isBridgeError(error)) return known;
  return new BridgeError('internal', 'The request failed in the bridge; its log names the reason', { cause: error });
}

export function sendError(incoming: IncomingMessage, outgoing: ServerResponse, error: BridgeError): void {
  if (outgoing.headersSent || outgoing.destroyed) {
    outgoing.destroy();
    return;
  }
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (error.retryAfterSeconds !== undefined) headers['retry-after'] = String(Math.ceil(error.retryAfterSeconds));
  if (error.status === 429) headers['x-dtesn-reason'] = error.code;
  if (error.status === 401) headers['www-authenticate'] = 'Bearer realm="dtesn"';
  if (error.allow !== undefined) headers['allow'] = error.allow;
  send(incoming, outgoing, error.status, headers, errorBody(error));
}

export function sendAnswer(incoming: IncomingMessage, outgoing: ServerResponse, answer: Answer): void {
  if (answer === 'sent' || outgoing.destroyed) return;
  if ('empty' in answer) {
    send(incoming, outgoing, answer.empty, answer.headers ?? {}, null);
    return;
  }
  const { status = 200, headers = {} } = answer;
  const { type, body } = contentOf(answer);
  send(incoming, outgoing, status, { 'content-type': type, ...headers }, body);
}

function contentOf(answer: Exclude<Answer, 'sent' | { empty: number }>): { type: string; body: string | Uint8Array } {
  if ('json' in answer) return { type: 'application/json', body: JSON.stringify(answer.json) };
  if ('bytes' in answer) return { type: 'application/octet-stream', body: answer.bytes };
  return { type: answer.type, body: answer.text };
}

function send(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: string | Uint8Array | null,
): void {
  const isWhole = incoming.complete || hasNoBody(incoming);
  if (!isWhole) outgoing.setHeader('connection', 'close');
  const bytes = body === null ? 0 : Buffer.byteLength(body);
  const length = body === null ? {} : { 'content-length': String(bytes) };
  // No spread first, as in app.ts.
  outgoing.writeHead(status, Object.assign({}, standing, headers, length));
  // Text that has as many bytes as characters is ASCII, which as latin1 is copied and not encoded.
  if (incoming.method === 'HEAD' || body === null) outgoing.end();
  else outgoing.end(body, bytes === body.length ? 'latin1' : 'utf8');
  closeWhereUnread(outgoing);
  if (!isWhole) dropRest(incoming, outgoing);
}

/** A request says in its header that it has a body. Source: RFC 9112, section 6.3. */
function hasNoBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
}

/** Ends the connection of a client that takes nothing of its answer for a while. */
function closeWhereUnread(outgoing: ServerResponse): void {
  if (outgoing.writableFinished || outgoing.destroyed) return;
  const unread = outgoing.writableLength;
  const cancel = systemClock.after(unreadMs, () => {
    outgoing.off('close', cancel);
    if (outgoing.writableLength < unread) closeWhereUnread(outgoing);
    else outgoing.destroy();
  });
  outgoing.once('close', cancel);
}

/** Reads on for a moment, so that the client sees the answer and no reset, then ends the connection. */
export function dropRest(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { socket } = incoming;
  incoming.resume();
  const end = () => systemClock.after(lingerMs, () => socket.destroy());
  if (outgoing.writableFinished) end();
  else outgoing.once('finish', end);
}
