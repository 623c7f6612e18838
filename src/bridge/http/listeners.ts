/**
 * Where the bridge listens: TCP addresses, Unix sockets, and sockets that systemd hands over, all with the same bounds.
 *
 *     127.0.0.1:2250   [::1]:2250   :2250 is not taken: an address is named   unix:/run/dtesn/bridge.sock   fd:3
 *
 * Headers arrive within 5 s, in 16 KiB; an idle connection is kept for 75 s, longer than proxies keep theirs; connections beyond
 * `maxConnections` are closed at once. A stale Unix socket is removed after a connection to it was refused; a live one is left,
 * and the start fails. The umask is set before the bind, so that no other user can connect in between. A client that sends
 * `Expect: 100-continue` gets 100 when its body is read, and not before its request has passed every check.
 */
import { readFileSync, statSync, unlinkSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { brand } from '../../errors/index.js';
import { parseHostPort } from '../host-port.js';
import { expectContinue } from './bodies.js';
import { isLoopback } from './guard.js';
import { admitPeer } from './peers.js';
import { isOpenToAll } from './socket-permissions.js';
import { answerConnect, answerParserError, maxHeaders, Pending } from './wire.js';

const headersTimeoutMs = 5000;

export type ListenAddress =
  | { kind: 'tcp'; host: string; port: number }
  | { kind: 'unix'; path: string }
  | { kind: 'fd'; fd: number };

/** A certificate or a key that cannot be read or taken. */
export class TlsFileError extends Error {
  override name = 'TlsFileError';
}

export const isTlsFileError = brand(TlsFileError, 'TlsFileError');

export interface ListenerOptions {
  address: ListenAddress;
  listener: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  tls?: { cert: string; key: string } | undefined;
  /** Permissions of a Unix socket. Default 0o660. */
  socketMode?: number | undefined;
  connections: Connections;
}

/** Connections that wait to be accepted; the system bounds it too. Beyond it a client waits for its SYN to be sent again. */
const backlog = 4096;

/** Counts the connections of all listeners against one bound. */
export class Connections {
  readonly most: number;
  readonly #open = new Set<net.Socket>();

  constructor(most: number) {
    this.most = most;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Takes a connection, or ends it. */
  admit(socket: net.Socket): void {
    if (this.#open.size >= this.most) {
      socket.destroy();
      return;
    }
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

/** Reads `HOST:PORT`, `[HOST]:PORT`, `unix:PATH` or `fd:N`. Null for anything else. */
export function parseListen(text: string): ListenAddress | null {
  if (text.startsWith('unix:')) return text.length > 5 ? { kind: 'unix', path: text.slice(5) } : null;
  const fd = /^fd:(\d+)$/.exec(text);
  if (fd) return { kind: 'fd', fd: Number(fd[1]) };
  const place = parseHostPort(text);
  return place === null ? null : { kind: 'tcp', ...place };
}

/** A listener that is bound. */
export class Listener {
  readonly address: ListenAddress;
  /** Whether it is a Unix socket that every user of the machine may open. */
  readonly isOpenToAll: boolean;
  readonly #server: http.Server;
  readonly #tls: ListenerOptions['tls'];
  #tlsChanged: string;

  /** Errors: those of the system (EADDRINUSE, EACCES ...), with the address in the message; TlsFileError. */
  static async open(options: ListenerOptions): Promise<Listener> {
    const server = makeServer(options);
    const address = options.address;
    if (address.kind === 'unix') await removeStale(address.path);
    const umask = address.kind === 'unix' ? process.umask(0o777 & ~(options.socketMode ?? 0o660)) : null;
    try {
      if (address.kind === 'tcp')
        server.listen({ host: address.host, port: address.port, ipv6Only: address.host === '::', backlog });
      else if (address.kind === 'unix') server.listen({ path: address.path, backlog });
      else server.listen({ fd: address.fd });
    } finally {
      if (umask !== null) process.umask(umask);
    }
    await new Promise<void>((resolve, reject) => {
      server.once('listening', resolve);
      server.once('error', reject);
    });
    return new Listener(server, options);
  }

  private constructor(server: http.Server, { address, tls }: ListenerOptions) {
    this.#server = server;
    this.#tls = tls;
    this.#tlsChanged = tls === undefined ? '' : changedAt(tls);
    const bound = server.address();
    this.address =
      typeof bound === 'object' && bound !== null ? { kind: 'tcp', host: bound.address, port: bound.port } : address;
    const at = this.address;
    this.isOpenToAll = at.kind !== 'tcp' && isOpenToAll(at.kind === 'unix' ? at.path : at.fd);
    server.on('error', () => {});
  }

  /** http://HOST:PORT, https://... or unix:PATH. */
  get url(): string {
    const { address } = this;
    if (address.kind === 'unix') return `unix:${address.path}`;
    if (address.kind === 'fd') return `fd:${address.fd}`;
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    return `${this.#tls ? 'https' : 'http'}://${host}:${address.port}`;
  }

  /** Whether others than this machine may reach it. */
  get isExposed(): boolean {
    return this.address.kind === 'tcp' && !isLoopback(this.address.host);
  }

  get isEncrypted(): boolean {
    return this.#tls !== undefined;
  }

  /** Takes certificate and key again where their files changed since. Errors: those of the files and of TLS; the ones in use stay. */
  refreshTls(): void {
    if (this.#tls === undefined) return;
    const changed = changedAt(this.#tls);
    if (changed === this.#tlsChanged) return;
    this.#tlsChanged = changed;
    (this.#server as https.Server).setSecureContext(readTls(this.#tls));
  }

  /** Takes no more connections, and ends idle ones. */
  stop(): void {
    this.#server.close();
    this.#server.closeIdleConnections();
  }

  /** Ends everything. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

function makeServer({ listener, tls, connections }: ListenerOptions): http.Server {
  const bounds: http.ServerOptions = {
    maxHeaderSize: 16 * 1024,
    headersTimeout: headersTimeoutMs,
    // Bodies have limits of their own: one that is a stream may take as long as it moves.
    requestTimeout: 0,
    connectionsCheckingInterval: 1000,
    keepAliveTimeout: 75_000,
    insecureHTTPParser: false,
  };
  const server = tls === undefined ? http.createServer(bounds) : makeTlsServer(bounds, tls);
  const pending = new Pending();
  const take: http.RequestListener = (incoming, outgoing) => {
    if (pending.add(incoming, outgoing)) listener(incoming, outgoing);
  };
  let isUnix = false;
  server.on('listening', () => {
    const bound = server.address();
    isUnix = bound === null || typeof bound === 'string';
  });
  // One more than is taken: Node drops what is beyond its own limit in silence.
  server.maxHeadersCount = maxHeaders + 1;
  server.on('connection', (socket: net.Socket) => {
    if (admitPeer(socket, isUnix)) connections.admit(socket);
  });
  server.on('request', take);
  server.on('checkExpectation', take);
  server.on('checkContinue', (incoming, outgoing) => {
    expectContinue(incoming, outgoing);
    take(incoming, outgoing);
  });
  server.on('connect', (_, socket) => answerConnect(socket));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => answerParserError(error, socket, pending));
  return server;
}

function makeTlsServer(bounds: http.ServerOptions, tls: { cert: string; key: string }): https.Server {
  try {
    return https.createServer({ ...bounds, handshakeTimeout: headersTimeoutMs, ...readTls(tls) });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new TlsFileError(`The certificate ${tls.cert} and the key ${tls.key} cannot be taken: ${code}`, { cause });
  }
}

function readTls({ cert, key }: { cert: string; key: string }) {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

/** When the files changed last, as one text. */
function changedAt({ cert, key }: { cert: string; key: string }): string {
  return [cert, key].map((file) => statSync(file).mtimeMs).join();
}

/** Removes a Unix socket that a process left behind: only a refused connection shows that none listens there. */
async function removeStale(path: string): Promise<void> {
  const isSocket = (() => {
    try {
      return statSync(path).isSocket();
    } catch {
      return false;
    }
  })();
  if (!isSocket) return;
  const isLive = await new Promise<boolean>((resolve) => {
    const probe = net.connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED'));
  });
  if (!isLive) unlinkSync(path);
}
