/**
 * What aborts when the client of a request leaves. The requests of a connection share it: a client that leaves ends all of them.
 * Those of HTTP/2 have one each, since their connection has many and lasts.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { lastingController } from '../../abort/index.js';

const ofConnection = new WeakMap<Socket, AbortController>();

export function leavingOf({ socket, httpVersionMajor }: IncomingMessage): AbortController {
  if (httpVersionMajor > 1) return new AbortController();
  const known = ofConnection.get(socket);
  if (known !== undefined && !known.signal.aborted) return known;
  const made = lastingController();
  ofConnection.set(socket, made);
  return made;
}
