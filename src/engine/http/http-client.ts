/**
 * Bounded HTTP exchanges with one origin over node:http(s): time, body size and number of sockets are limited.
 *
 * Idle sockets are dropped after 4 s, before uvicorn drops them after 5 s; a request that was written to a socket that
 * the other side had already closed is sent once more on a new one (everything asked here is idempotent). At most 4
 * sockets, and 2 more that only vital requests use, so that questions that hang never keep a scrape waiting; 16 KiB of
 * headers; "localhost" is 127.0.0.1, then ::1, whatever the host's table of names says (RFC 6761, section 6.3).
 * Errors: EngineError; the signal's reason when the caller aborts.
 */
import http from 'node:http';
import type https from 'node:https';
import type { LookupFunction } from 'node:net';
import { type Clock, withTimeLimit } from '../../abort/index.js';
import { DtesnError, isDtesnError } from '../../errors/index.js';
import { connectionError, EngineError } from '../engine-error.js';
import { readBody } from './response-body.js';

/** node:https, loaded by the first client of an https address: an import of the package takes milliseconds less without it. */
const tls = () => process.getBuiltinModule('node:https');

export interface HttpRequest {
  method: 'GET' | 'POST';
  url: URL;
  headers: Record<string, string>;
  body?: string;
  /** Largest body that is taken. */
  maxBytes: number;
  /** Goes by the sockets kept for it. */
  vital?: boolean;
}

export interface HttpAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Uint8Array;
}

export interface HttpClientOptions {
  /** TLS, as the URL says. */
  secure: boolean;
  /** One exchange, from the request to the end of the body. */
  timeoutMs: number;
  /** A Unix domain socket in place of host and port. */
  socketPath?: string | undefined;
  /** Authorities in PEM that are trusted in place of the default ones. */
  ca?: string | undefined;
  /** What `timeoutMs` is measured by. */
  clock: Clock;
}

const idleSocketMs = 4000;
const maxSockets = 4;
const maxVitalSockets = 2;
const maxHeaderSize = 16 * 1024;

export class HttpClient {
  readonly #agent: http.Agent;
  readonly #vitalAgent: http.Agent;
  readonly #open = new Set<http.ClientRequest>();
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  /** Where to connect; not the agent's, for a request may go without one. */
  readonly #way: Pick<https.RequestOptions, 'socketPath' | 'ca'>;
  #closed = false;

  constructor({ secure, timeoutMs, socketPath, ca, clock }: HttpClientOptions) {
    const agent = (sockets: number) => {
      const options = { keepAlive: true, timeout: idleSocketMs, maxSockets: sockets, autoSelectFamily: true };
      return secure ? new (tls().Agent)(options) : new http.Agent(options);
    };
    this.#agent = agent(maxSockets);
    this.#vitalAgent = agent(maxVitalSockets);
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#way = { ...(socketPath && { socketPath }), ...(ca && { ca }) };
  }

  /** Any status resolves; what is not a whole answer rejects. */
  exchange(request: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer> {
    const name = `${request.method} ${request.url.pathname}`;
    const late = () =>
      new EngineError(
        'ERR_DTESN_ENGINE_TIMEOUT',
        `${name}: no answer from ${request.url.origin} in ${this.#timeoutMs} ms`,
      );
    const exchange = async (limit: AbortSignal) => {
      const first = await this.#send(name, request, request.vital ? this.#vitalAgent : this.#agent, limit);
      if (first !== 'stale socket') return first;
      const second = await this.#send(name, request, false, limit);
      if (second !== 'stale socket') return second;
      throw new EngineError('ERR_DTESN_ENGINE_RESET', `${name}: ${request.url.origin} broke the connection`);
    };
    return withTimeLimit(this.#timeoutMs, late, signal, exchange, this.#clock);
  }

  close(): void {
    this.#closed = true;
    for (const request of this.#open) request.destroy();
    this.#agent.destroy();
    this.#vitalAgent.destroy();
  }

  #send(
    name: string,
    request: HttpRequest,
    agent: http.Agent | false,
    signal: AbortSignal,
  ): Promise<HttpAnswer | 'stale socket'> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closedError());
      const send = request.url.protocol === 'https:' ? tls().request : http.request;
      const { method, headers } = request;
      const isLocal = /^localhost\.?$/i.test(request.url.hostname);
      const lookup = isLocal ? { lookup: loopback, autoSelectFamily: true } : {};
      const sent = send(request.url, { ...this.#way, ...lookup, method, headers, agent, maxHeaderSize });
      this.#open.add(sent);
      const abort = () => sent.destroy(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      // What is whole is not destroyed when its time limit ends.
      const settle = (answer: HttpAnswer | 'stale socket') => {
        signal.removeEventListener('abort', abort);
        resolve(answer);
      };
      let answered = false;
      const fail = (error: NodeJS.ErrnoException) => {
        if (this.#closed) return reject(closedError());
        if (signal.aborted) return reject(signal.reason);
        if (isDtesnError(error)) return reject(error);
        if (sent.reusedSocket && !answered && error.code === 'ECONNRESET') return settle('stale socket');
        reject(connectionError(name, request.url.origin, error));
      };
      sent.on('error', fail);
      sent.on('close', () => {
        this.#open.delete(sent);
        signal.removeEventListener('abort', abort);
      });
      sent.on('response', (response) => {
        answered = true;
        readBody(name, response, request.maxBytes).then(
          (body) => settle({ status: response.statusCode ?? 0, headers: response.headers, body }),
          (error) => {
            fail(error);
            sent.destroy();
          },
        );
      });
      sent.end(request.body);
    });
  }
}

/** Many a table of names gives "localhost" one address, and engines listen on either. */
const loopback: LookupFunction = (_, { all }, callback) => {
  const addresses = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ];
  if (all) callback(null, addresses);
  else callback(null, '127.0.0.1', 4);
};

function closedError(): DtesnError {
  return new DtesnError('ERR_DTESN_CLOSED', 'The engine client is closed');
}
