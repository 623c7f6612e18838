/**
 * HTTP to one bridge over node:http(s), TCP or a Unix socket, with connections that are kept.
 *
 * Idle connections are dropped after 60 s, before the bridge drops them after 75 s. A request that was written to a connection
 * that the other side had already closed is sent once more on a new one: each request of this client may be repeated. What is
 * asked on the path of an engine's request (pick, dispatch, first token, finish) has connections of its own, so that it never
 * waits behind long work. An answer to a whole exchange is at most 256 MiB.
 * Errors: BridgeCallError unreachable, timeout, bad_answer, closed; the signal's reason when the caller aborts.
 */
import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { type Clock, withTimeLimit } from '../../abort/index.js';
import type { BridgeAddress } from './address.js';
import { BridgeCallError, isBridgeCallError } from './call-error.js';

export interface TransportRequest {
  method: 'GET' | 'POST' | 'DELETE';
  /** Path and query. */
  path: string;
  headers: Record<string, string>;
  body?: string | Uint8Array | AsyncIterable<Uint8Array | string> | undefined;
  /** On the path of an engine's request. */
  urgent?: boolean | undefined;
}

export interface TransportAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

const idleSocketMs = 60_000;
const maxSockets = 64;
const maxHeaderSize = 16 * 1024;
const maxAnswerBytes = 256 * 1024 * 1024;

export class Transport {
  readonly address: BridgeAddress;
  readonly #clock: Clock;
  readonly #ca: string | undefined;
  readonly #agent: http.Agent;
  readonly #urgentAgent: http.Agent;
  readonly #open = new Set<http.ClientRequest>();
  #closed = false;

  constructor(address: BridgeAddress, ca: string | undefined, clock: Clock) {
    this.address = address;
    this.#clock = clock;
    this.#ca = ca;
    const options = { keepAlive: true, timeout: idleSocketMs, maxSockets, autoSelectFamily: true };
    const agent = () => (address.origin.protocol === 'https:' ? new https.Agent(options) : new http.Agent(options));
    this.#agent = agent();
    this.#urgentAgent = agent();
  }

  /** A whole exchange; any status resolves. */
  exchange(request: TransportRequest, timeoutMs: number, signal?: AbortSignal): Promise<TransportAnswer> {
    const use = async (limit: AbortSignal) => {
      const response = await this.#answerTo(request, limit);
      const body = await this.#wholeBody(request, response, limit);
      return { status: response.statusCode ?? 0, headers: response.headers, body };
    };
    return withTimeLimit(timeoutMs, () => this.#late(request, timeoutMs), signal, use, this.#clock);
  }

  /** An answer whose body the caller reads; `timeoutMs` is the limit of its headers. The signal ends it at any time. */
  async open(request: TransportRequest, timeoutMs: number, signal: AbortSignal): Promise<http.IncomingMessage> {
    signal.throwIfAborted();
    const stop = new AbortController();
    const cancel = this.#clock.after(timeoutMs, () => stop.abort(this.#late(request, timeoutMs)), { hold: true });
    const forward = () => stop.abort(signal.reason);
    signal.addEventListener('abort', forward, { once: true });
    const release = () => signal.removeEventListener('abort', forward);
    try {
      const response = await this.#answerTo(request, stop.signal);
      response.once('close', release);
      return response;
    } catch (error) {
      release();
      throw error;
    } finally {
      cancel();
    }
  }

  close(): void {
    this.#closed = true;
    for (const request of this.#open) request.destroy();
    this.#agent.destroy();
    this.#urgentAgent.destroy();
  }

  /** What a broken exchange is to the caller. */
  failure({ method, path }: TransportRequest, signal: AbortSignal, error: unknown): unknown {
    if (this.#closed) return new BridgeCallError('closed', 'The client is closed');
    if (signal.aborted) return signal.reason;
    if (isBridgeCallError(error)) return error;
    const { message, code } = error as NodeJS.ErrnoException;
    const reason = message === '' ? code : message;
    return new BridgeCallError('unreachable', `${method} ${pathOf(path)}: ${this.address.label}: ${reason}`, {
      cause: error,
    });
  }

  #late({ method, path }: TransportRequest, timeoutMs: number): BridgeCallError {
    const what = `${method} ${pathOf(path)}`;
    return new BridgeCallError('timeout', `${what}: no answer from ${this.address.label} within ${timeoutMs} ms`);
  }

  async #answerTo(request: TransportRequest, signal: AbortSignal): Promise<http.IncomingMessage> {
    const first = await this.#send(request, request.urgent ? this.#urgentAgent : this.#agent, signal);
    if (first !== 'stale connection') return first;
    return (await this.#send(request, false, signal)) as http.IncomingMessage;
  }

  #send(
    request: TransportRequest,
    agent: http.Agent | false,
    signal: AbortSignal,
  ): Promise<http.IncomingMessage | 'stale connection'> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new BridgeCallError('closed', 'The client is closed'));
      const { method, path, headers, body } = request;
      const { origin, socketPath } = this.address;
      const way = { ...(socketPath && { socketPath }), ...(this.#ca && { ca: this.#ca }) };
      const send = origin.protocol === 'https:' ? https.request : http.request;
      const sent = send(new URL(path, origin), { ...way, method, headers, agent, maxHeaderSize });
      this.#open.add(sent);
      const abort = () => sent.destroy(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      const release = () => signal.removeEventListener('abort', abort);
      sent.on('close', () => {
        this.#open.delete(sent);
        release();
      });
      sent.on('response', (response) => {
        response.once('end', release);
        resolve(response);
      });
      const isWhole = body === undefined || typeof body === 'string' || ArrayBuffer.isView(body);
      sent.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = sent.reusedSocket && isWhole && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        if (isStale && !signal.aborted && !this.#closed) return resolve('stale connection');
        reject(this.failure(request, signal, error));
      });
      if (isWhole) sent.end(body);
      else pour(body as AsyncIterable<Uint8Array | string>, sent);
    });
  }

  async #wholeBody(request: TransportRequest, response: http.IncomingMessage, signal: AbortSignal): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > maxAnswerBytes) {
          throw new BridgeCallError('bad_answer', `Expected an answer of at most ${maxAnswerBytes} bytes`);
        }
        chunks.push(chunk);
      }
    } catch (error) {
      throw this.failure(request, signal, error);
    }
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  }
}

const pathOf = (path: string): string => path.split('?')[0]!;

/** Writes a body as fast as the bridge takes it; an error of the body ends the request with it. */
function pour(body: AsyncIterable<Uint8Array | string>, sent: http.ClientRequest): void {
  const source = Readable.from(body, { objectMode: true, highWaterMark: 1 });
  source.on('error', (error) => sent.destroy(error));
  sent.once('close', () => source.destroy());
  source.pipe(sent);
}
