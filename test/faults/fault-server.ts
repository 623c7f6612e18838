/**
 * An engine on bare sockets (node:net) whose every path can be broken below HTTP: the bytes are ours, so they may lie.
 *
 * A path without a fault answers as a good engine does, over kept-alive connections.
 */
import net, { type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { metricsBody, modelCard } from './engine-server.js';

export interface Request {
  method: string;
  path: string;
  headers: string;
  body: string;
}
export type Fault = (socket: net.Socket, request: Request) => void;

export class FaultServer {
  readonly asked: Request[] = [];
  /** By path; '*' is for every path. */
  readonly faults = new Map<string, Fault>();
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor() {
    this.#server = net.createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      this.#read(socket);
    });
  }

  static async start(faults: Record<string, Fault> = {}): Promise<FaultServer> {
    const server = new FaultServer();
    for (const [path, fault] of Object.entries(faults)) server.faults.set(path, fault);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  count(path: string): number {
    return this.asked.filter((request) => request.path === path).length;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  /** Requests one after the other: a head, then as many bytes as it says. */
  #read(socket: net.Socket): void {
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let end = bytes.indexOf('\r\n\r\n'); end >= 0; end = bytes.indexOf('\r\n\r\n')) {
        const headers = bytes.subarray(0, end).toString('latin1');
        const length = Number(/content-length: (\d+)/i.exec(headers)?.[1] ?? 0);
        if (bytes.length < end + 4 + length) return;
        const [method = '', path = ''] = headers.split(' ');
        const request = { method, path, headers, body: bytes.subarray(end + 4, end + 4 + length).toString() };
        bytes = bytes.subarray(end + 4 + length);
        this.asked.push(request);
        (this.faults.get(path) ?? this.faults.get('*') ?? good)(socket, request);
      }
    });
  }
}

export function respond(socket: net.Socket, status: number, headers: Record<string, string | number>, body = ''): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} Status\r\n${lines.join('')}\r\n${body}`);
}

export function status(code: number, body = '', headers: Record<string, string | number> = {}): Fault {
  return (socket) => respond(socket, code, { 'content-length': Buffer.byteLength(body), ...headers }, body);
}

export function json(value: unknown, code = 200): Fault {
  return status(code, JSON.stringify(value), { 'content-type': 'application/json' });
}

/** Encoded as a file of gzip, and said to be. */
export function gzip(body: string | Buffer): Fault {
  const bytes = gzipSync(body);
  return (socket) => {
    respond(socket, 200, { 'content-encoding': 'gzip', 'content-length': bytes.length });
    socket.write(bytes);
  };
}

const goodAnswers: Record<string, Fault> = {
  '/v1/models': json({ object: 'list', data: [modelCard] }),
  '/version': json({ version: '0.10.0' }),
  '/health': status(200),
  '/metrics': status(200, metricsBody, { 'content-type': 'text/plain' }),
  '/tokenize': (socket, { body }) => {
    const tokens = [...Buffer.from(JSON.parse(body).prompt)];
    json({ count: tokens.length, max_model_len: 8192, tokens })(socket, { method: '', path: '', headers: '', body });
  },
  '/detokenize': (socket, request) =>
    json({ prompt: Buffer.from(JSON.parse(request.body).tokens).toString() })(socket, request),
};

export const good: Fault = (socket, request) =>
  (goodAnswers[request.path] ?? json({ detail: 'Not Found' }, 404))(socket, request);

export const silence: Fault = () => {};
export const reset: Fault = (socket) => void socket.resetAndDestroy();
export const hangUp: Fault = (socket) => void socket.end();
export const notHttp: Fault = (socket) => void socket.end('220 mail.example ESMTP\r\n');

export const headersThenStall: Fault = (socket) => respond(socket, 200, { 'content-length': 1000 });
export const halfHeaders: Fault = (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-le');

/** One byte every 20 ms: alive at every look, never done. */
export const drip: Fault = (socket) => {
  respond(socket, 200, { 'content-length': 100_000 });
  const timer = setInterval(() => socket.write('#'), 20);
  socket.on('close', () => clearInterval(timer));
};

export const cutLength: Fault = (socket) => {
  respond(socket, 200, { 'content-length': metricsBody.length }, metricsBody.slice(0, 700));
  socket.end();
};

export const cutChunked: Fault = (socket) => {
  respond(socket, 200, { 'transfer-encoding': 'chunked' }, '4\r\na 1\n\r\n');
  socket.end();
};

/** Says less than it sends: what is beyond would be the next answer on this connection. */
export const lengthTooShort: Fault = (socket) => respond(socket, 200, { 'content-length': 10 }, metricsBody);
/** Says more than it sends, and keeps the connection. */
export const lengthTooLong: Fault = (socket) => respond(socket, 200, { 'content-length': 1e6 }, metricsBody);

/** Chunks without end, up to a number of bytes; `sent` says how far it came. */
export function flood(bytes: number): Fault & { sent: number } {
  const fault: Fault & { sent: number } = Object.assign(
    (socket: net.Socket) => {
      respond(socket, 200, { 'transfer-encoding': 'chunked' });
      const chunk = Buffer.from(`10000\r\n${`${'x'.repeat(63)}\n`.repeat(1024)}\r\n`);
      const more = () => {
        for (; fault.sent < bytes && !socket.destroyed; ) {
          fault.sent += 0x10000;
          if (!socket.write(chunk)) return void socket.once('drain', more);
        }
        socket.end('0\r\n\r\n');
      };
      more();
    },
    { sent: 0 },
  );
  return fault;
}
