/**
 * Who is at the other end of a connection: an address, or a process on a Unix socket, as the listener saw it when the connection came.
 *
 * Law: only a listener on a Unix socket makes a peer local. A missing address does not: a TCP connection that its client has
 * already reset has none either, and what was sent on it is still read.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

const onUnixSockets = new WeakSet<object>();

/** Notes the peer of a new connection. False, and the connection is ended, where a TCP client has already left. */
export function admitPeer(socket: Socket, isUnix: boolean): boolean {
  if (isUnix) onUnixSockets.add(socket);
  // Node keeps the address from here on.
  else if (socket.remoteAddress === undefined) {
    socket.destroy();
    return false;
  }
  return true;
}

/** The address of the peer; 'unix' on a Unix socket of the bridge, 'unknown' for a client that has left. */
export function peerOf({ socket }: IncomingMessage): string {
  if (onUnixSockets.has(socket)) return 'unix';
  return socket.remoteAddress?.replace(/^::ffff:/, '') ?? 'unknown';
}
