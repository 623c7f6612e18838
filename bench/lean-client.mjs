/**
 * An HTTP client of one request, for load beside the server that it measures: it keeps connections, reads answers into one buffer
 * a connection, and takes their status and length alone. Node's own client makes a buffer of 64 KB for each read of an answer; its
 * process then collects its whole heap some two times a second, and four threads of V8 take the CPUs of the server meanwhile.
 */
import net from 'node:net';

export class LeanClient {
  #target;
  #request;
  #idle = [];

  constructor(url, { method, body, headers }) {
    const { hostname, host, port, pathname } = new URL(url);
    this.#target = { host: hostname, port: Number(port), noDelay: true };
    const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#request = Buffer.from(`${method} ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  }

  /** The status of the answer, once all of it has come. */
  async send() {
    const connection = this.#idle.pop() ?? new Connection(this.#target);
    const status = await connection.send(this.#request);
    this.#idle.push(connection);
    return status;
  }

  close() {
    for (const connection of this.#idle) connection.close();
  }
}

class Connection {
  #socket;
  #status = 0;
  /** Bytes of the answer that are still to come; 0 before its head. */
  #left = 0;
  #settle = null;

  constructor(target) {
    const callback = (length, buffer) => this.#read(buffer.subarray(0, length));
    this.#socket = net.connect({ ...target, onread: { buffer: Buffer.allocUnsafe(64 * 1024), callback } });
    this.#socket.on('error', (error) => this.#settle?.reject(error));
    this.#socket.on('close', () => this.#settle?.reject(new Error('the connection was closed before its answer')));
  }

  send(bytes) {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(bytes);
    });
  }

  close() {
    this.#socket.destroy();
  }

  #read(bytes) {
    if (this.#left === 0) this.#readHead(bytes);
    this.#left -= bytes.length;
    if (this.#left > 0) return true;
    const { resolve } = this.#settle;
    this.#settle = null;
    resolve(this.#status);
    return true;
  }

  #readHead(bytes) {
    const end = bytes.indexOf('\r\n\r\n') + 4;
    const head = bytes.latin1Slice(0, end);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`expected a head with its Content-Length in one read, got ${head}`);
    this.#status = Number(head.slice(9, 12));
    this.#left = end + Number(length);
  }
}
