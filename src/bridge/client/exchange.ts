/**
 * Calls of the bridge: JSON in and out, the token, and repetition.
 *
 * A call that met a bridge that was away, starting, draining or shedding is repeated up to `retries` times, after the
 * Retry-After of the answer, else after 100 ms, 200 ms, 400 ms ... with a random part of half. After a 401 the token file is
 * read again, and the call repeated once when it holds another token.
 */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { type Clock, pause } from '../../abort/index.js';
import { BridgeCallError, errorOfAnswer, isPassing, jsonOf } from './call-error.js';
import type { ClientToken } from './token.js';
import type { Transport, TransportAnswer, TransportRequest } from './transport.js';

export interface Call {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as application/octet-stream. */
  bytes?: Uint8Array | AsyncIterable<Uint8Array | string> | undefined;
  headers?: Record<string, string>;
  timeoutMs: number;
  retries: number;
  signal?: AbortSignal | undefined;
  urgent?: boolean;
}

const firstDelayMs = 100;
const longestDelayMs = 5000;

/** How long to wait before attempt `attempt` + 1, by what the last one failed with. */
export function delayAfter(error: BridgeCallError, attempt: number): number {
  if (error.retryAfterSeconds !== undefined) return 1000 * error.retryAfterSeconds;
  return Math.min(longestDelayMs, firstDelayMs * 2 ** attempt) * (0.5 + 0.5 * Math.random());
}

export class Exchange {
  readonly clock: Clock;
  readonly #transport: Transport;
  readonly #token: ClientToken;

  constructor(transport: Transport, token: ClientToken, clock: Clock) {
    this.#transport = transport;
    this.#token = token;
    this.clock = clock;
  }

  /** The JSON of the answer, checked where a schema is given. Errors: BridgeCallError. */
  async json<T>(call: Call, schema?: z.ZodType<T>): Promise<T> {
    const { status, headers, body } = await this.#repeated(call);
    const value = jsonOf(body.toString('utf8'));
    const parsed = schema?.safeParse(value);
    if (value === undefined || parsed?.success === false) {
      const requestId = headers['x-request-id'] as string | undefined;
      const message = `${nameOf(call)}: the answer is not what the bridge answers`;
      throw new BridgeCallError('bad_answer', message, { status, requestId, cause: parsed?.error });
    }
    return parsed ? parsed.data : (value as T);
  }

  /** An answer whose body the caller reads; it is not repeated but for a new token. Errors: BridgeCallError. */
  async open(call: Call & { signal: AbortSignal }): Promise<IncomingMessage> {
    const attempt = async (token: string | undefined) => {
      const response = await this.#transport.open(requestOf(call, token), call.timeoutMs, call.signal);
      if (response.statusCode === 200) return response;
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) if (text.length < 65_536) text += chunk;
      throw errorOfAnswer(nameOf(call), response.statusCode ?? 0, response.headers, text);
    };
    const token = await this.#token.read();
    try {
      return await attempt(token);
    } catch (error) {
      const isRefused = (error as BridgeCallError).status === 401 && !isIterable(call.bytes);
      if (!isRefused || !(await this.#token.renew(token))) throw error;
      return attempt(await this.#token.read());
    }
  }

  /** What reading the body of an opened answer failed with, as the caller is to see it. */
  failure(call: Call & { signal: AbortSignal }, error: unknown): unknown {
    return this.#transport.failure(requestOf(call, undefined), call.signal, error);
  }

  async #repeated(call: Call): Promise<TransportAnswer> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(call);
      } catch (error) {
        if (attempt >= call.retries || !isPassing(error)) throw error;
        await pause(delayAfter(error, attempt), call.signal ?? never, this.clock, { hold: true });
      }
    }
  }

  async #once(call: Call): Promise<TransportAnswer> {
    const token = await this.#token.read();
    const begun = this.clock.now();
    let answer = await this.#transport.exchange(requestOf(call, token), call.timeoutMs, call.signal);
    if (answer.status === 401 && (await this.#token.renew(token))) {
      const renewed = requestOf(call, await this.#token.read());
      // The repeat has the time that is left of the call's; the timer of none of it is over at once.
      const left = Math.max(0, call.timeoutMs - (this.clock.now() - begun));
      answer = await this.#transport.exchange(renewed, left, call.signal);
    }
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw errorOfAnswer(nameOf(call), answer.status, answer.headers, answer.body.toString('utf8'));
  }
}

const never = new AbortController().signal;

const nameOf = ({ method, path }: Call): string => `${method} ${path.split('?')[0]}`;

const isIterable = (bytes: Call['bytes']): boolean => bytes !== undefined && !ArrayBuffer.isView(bytes);

function requestOf({ method, path, json, bytes, headers, urgent }: Call, token: string | undefined): TransportRequest {
  const body = json === undefined ? bytes : JSON.stringify(json);
  const length = typeof body === 'string' ? Buffer.byteLength(body) : ArrayBuffer.isView(body) ? body.byteLength : null;
  return {
    method,
    path,
    urgent,
    body,
    headers: {
      accept: 'application/json',
      ...(body !== undefined && {
        'content-type': json === undefined ? 'application/octet-stream' : 'application/json',
      }),
      ...(length !== null && { 'content-length': String(length) }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
  };
}
