/**
 * What an engine fails with: a DtesnError that names the request, the engine, and keeps the HTTP status if there was
 * one.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { wallMs } from '../abort/index.js';
import { brand, DtesnError, type DtesnErrorCode, named } from '../errors/index.js';

/** Further fields of an EngineError. */
export interface EngineErrorOptions extends ErrorOptions {
  /** Status of the HTTP answer. Default null: there was none. */
  status?: number | null;
  /** Milliseconds that the engine asks to be left alone. Default null. */
  retryAfterMs?: number | null;
}

/**
 * What an engine fails with: a DtesnError that names the request, the engine, and keeps the HTTP status if there was one.
 *
 *     ERR_DTESN_ENGINE_REFUSED      nothing listens there (engines do not listen while they load)
 *     ERR_DTESN_ENGINE_UNREACHABLE  no such host, no route, no TLS
 *     ERR_DTESN_ENGINE_TIMEOUT      no whole answer in time
 *     ERR_DTESN_ENGINE_RESET        the connection broke, or the body ended before its length
 *     ERR_DTESN_ENGINE_CREDENTIAL   401 or 403: the option apiKey is absent or wrong; the engine itself is alive
 *     ERR_DTESN_ENGINE_HTTP         any other status that is not 2xx
 *     ERR_DTESN_ENGINE_BODY         an answer that is not what the endpoint promises: not JSON, wrong shape, too large
 *     ERR_DTESN_ENGINE_UNSUPPORTED  this kind of engine has no such endpoint; it was not asked
 *     ERR_DTESN_ENGINE_BREAKER      it failed too often and is not asked for a while; `cause` is the last failure
 */
export class EngineError extends DtesnError {
  /** Of the HTTP answer; null where there was none. */
  readonly status: number | null;
  /** Milliseconds that the engine asks to be left alone (Retry-After). */
  readonly retryAfterMs: number | null;

  static {
    named(EngineError, 'EngineError');
  }

  constructor(code: DtesnErrorCode, message: string, options: EngineErrorOptions = {}) {
    super(code, message, options);
    this.status = options.status ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

export const isEngineError = brand(EngineError, 'EngineError');

const unreachable = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'ETIMEDOUT']);
const broken = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** The error of a socket or of the HTTP parser, in our codes. */
export function connectionError(request: string, origin: string, cause: NodeJS.ErrnoException): EngineError {
  const code = cause.code ?? '';
  if (code === 'ECONNREFUSED' || code === 'ENOENT') {
    return new EngineError('ERR_DTESN_ENGINE_REFUSED', `${request}: nothing listens on ${origin}`, { cause });
  }
  if (broken.has(code)) {
    return new EngineError('ERR_DTESN_ENGINE_RESET', `${request}: ${origin} broke the connection`, { cause });
  }
  if (code.startsWith('HPE_')) {
    // The parser's own error carries the bytes that came, which may echo the request.
    const cause = Object.assign(new Error('Parse Error'), { code });
    return new EngineError('ERR_DTESN_ENGINE_BODY', `${request}: ${origin} does not speak HTTP (${code})`, { cause });
  }
  const why = unreachable.has(code) ? code : cause.message;
  return new EngineError('ERR_DTESN_ENGINE_UNREACHABLE', `${request}: ${origin} cannot be reached (${why})`, { cause });
}

/** The error of a status that is not 2xx, with the engine's own words, without what must not be shown of them. */
export function statusError(
  request: string,
  { status, headers, body }: { status: number; headers: IncomingHttpHeaders; body: Uint8Array },
  redacted: (words: string) => string,
): EngineError {
  const words = engineWords(body, redacted);
  const retryAfterMs = retryAfter(headers);
  const said = words === null ? '' : `: ${words}`;
  if (status === 401 || status === 403) {
    const message = `${request} was refused because of its credential (${status}${said}); set the option apiKey`;
    return new EngineError('ERR_DTESN_ENGINE_CREDENTIAL', message, { status });
  }
  return new EngineError('ERR_DTESN_ENGINE_HTTP', `${request} answered ${status}${said}`, { status, retryAfterMs });
}

/** Retry-After in seconds, or as a date against the server's own clock where it gives it (RFC 9110, section 10.2.3). */
function retryAfter(headers: IncomingHttpHeaders): number | null {
  const said = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,9}$/.test(said)) return Number(said) * 1000;
  const until = Date.parse(said);
  if (!/^[A-Za-z]/.test(said) || Number.isNaN(until)) return null;
  const served = Date.parse(headers.date ?? '');
  return Math.max(0, until - (Number.isNaN(served) ? wallMs() : served));
}

/** While an engine changes its size it answers 503 everywhere; it is alive. */
export function isScaling(error: EngineError): boolean {
  return error.status === 503 && /\bcurrently scaling\b/i.test(error.message);
}

const longestWords = 200;

/**
 * What an error body says: {"error":{"message"}}, {"error":"text"}, {"detail":"text"}, the first event of a stream with
 * one of these, or nothing (an empty body, a page of HTML). Messages can repeat the whole input: they are cut.
 */
function engineWords(body: Uint8Array, redacted: (words: string) => string): string | null {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  const json = text.startsWith('data:') ? text.slice(5, text.search(/\r?\n|$/)) : text;
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return null; // not an error body of the engine: the status alone speaks
  }
  const { error, detail, message } = (parsed ?? {}) as Record<string, unknown>;
  const nested = (error as { message?: unknown } | null | undefined)?.message;
  const words = [nested, error, detail, message].find((said) => typeof said === 'string');
  if (words === undefined) return null;
  // Before it is cut: the half of a key is a secret too.
  const line = redacted(words.replace(/[\s\p{Cc}]+/gu, ' ').trim());
  return line.length > longestWords ? `${line.slice(0, longestWords)}…` : line;
}
