/** Bytes as an attacker sends them, over TCP or a Unix socket, and what the process under attack holds. */
import { readFileSync } from 'node:fs';
import net from 'node:net';

/** `host` and `port` of `http://HOST:PORT`, `path` of `unix:PATH`. */
export function placeOf(url: string): net.NetConnectOpts {
  if (url.startsWith('unix:')) return { path: url.slice('unix:'.length) };
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
}

export interface Exchange {
  text: string;
  /** Whether the other side ended the connection. */
  ended: boolean;
  ms: number;
}

/** Sends bytes and collects what comes, until the connection ends or `quietMs` pass without more. */
export function exchange(url: string, text: string | Buffer, quietMs = 10_000): Promise<Exchange> {
  return new Promise((resolve) => {
    const start = performance.now();
    let came = '';
    let ended = true;
    const socket = net.connect(placeOf(url), () => socket.write(text));
    const stop = () => {
      ended = false;
      socket.destroy();
    };
    let timer = setTimeout(stop, quietMs);
    socket.on('data', (chunk) => {
      came += chunk.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(stop, quietMs);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ text: came, ended, ms: performance.now() - start });
    });
  });
}

/** An open connection; errors are the other side's business. */
export function connect(url: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(placeOf(url), () => {
      socket.off('error', reject).on('error', () => {});
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** The answers of a connection: status and parsed body of each, in order. */
export function answersOf(text: string): { status: number; head: string; body: string }[] {
  const answers = [];
  for (let rest = text; rest.length > 0; ) {
    const at = rest.indexOf('\r\n\r\n');
    const head = rest.slice(0, at < 0 ? rest.length : at).toLowerCase();
    const length = Number(/^content-length: (\d+)/m.exec(head)?.[1] ?? 0);
    const end = at < 0 ? rest.length : at + 4 + length;
    answers.push({ status: Number(/^http\/1\.1 (\d+)/.exec(head)?.[1]), head, body: rest.slice(at + 4, end) });
    rest = rest.slice(end);
  }
  return answers;
}

export const statusesOf = (text: string) => answersOf(text).map(({ status }) => status);

/** Resident memory of a process in MiB. */
export function residentMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
