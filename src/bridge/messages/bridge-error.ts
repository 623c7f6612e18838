/** Errors as the bridge answers them: `{"error": {"code", "message", ...}}` with the status of the code. */
import { brand } from '../../errors/index.js';

const statuses = {
  malformed: 400,
  unknown_field: 400,
  unauthorised: 401,
  forbidden: 403,
  foreign_origin: 403,
  not_found: 404,
  session_unknown: 404,
  method_not_allowed: 405,
  session_exists: 409,
  session_epoch: 409,
  offset_gap: 409,
  network_changed: 409,
  session_gone: 410,
  precondition_failed: 412,
  body_too_large: 413,
  unsupported_media_type: 415,
  wrong_host: 421,
  impossible: 422,
  headers_too_large: 431,
  queue_full: 429,
  queue_age: 429,
  client_share: 429,
  memory: 429,
  sessions_full: 429,
  too_many_streams: 429,
  too_many_attempts: 429,
  internal: 500,
  no_engine: 503,
  draining: 503,
  storage: 503,
  starting: 503,
  stalled: 503,
  budget: 504,
  request_timeout: 408,
  http_version: 505,
} as const;

/**
 * Code of an error that the bridge answers with: a closed set. docs/errors.md has the status of each and what to do.
 */
export type BridgeErrorCode = keyof typeof statuses;
/** Every code that the bridge answers with. */
export const bridgeErrorCodes = Object.keys(statuses) as [BridgeErrorCode, ...BridgeErrorCode[]];

/** Codes of requests that are shed: they may be sent again later. */
export const shedCodes = bridgeErrorCodes.filter((code) => statuses[code] === 429);

/** Further fields of a BridgeError. */
export interface BridgeErrorOptions extends ErrorOptions {
  /** Further fields of the error in the answer; finite numbers, strings, booleans. Default {}. */
  details?: Record<string, string | number | boolean | null>;
  /** Seconds for the header Retry-After. Default: 1 for a 429, else none. */
  retryAfterSeconds?: number | undefined;
  /** Methods of the path, for the header Allow of a 405. Default: none. */
  allow?: string | undefined;
}

/**
 * Errors as the bridge answers them: `{"error": {"code", "message", ...}}` with the status of the code.
 *
 *     400 malformed   401 no or a wrong token   403 not allowed   404, 405, 409, 410, 412, 413, 415, 421, 431 as in HTTP
 *     422 valid but impossible   429 shed: try again later   503 no engine, draining or storage   504 budget over
 *
 * The codes are a closed set: clients may branch on them. `details` are further fields of the error, such as `next` of an
 * offset gap; a 429 carries its reason in the header `x-dtesn-reason` and a `Retry-After` in seconds.
 */
export class BridgeError extends Error {
  /** Stable code: programs may branch on it. */
  readonly code: BridgeErrorCode;
  /** HTTP status of the code. */
  readonly status: number;
  /** Further fields of the error in the answer. */
  readonly details: Record<string, string | number | boolean | null>;
  /** Seconds for the header Retry-After. */
  readonly retryAfterSeconds: number | undefined;
  /** Methods of the path, for the header Allow of a 405. */
  readonly allow: string | undefined;

  constructor(
    code: BridgeErrorCode,
    message: string,
    { details = {}, retryAfterSeconds, allow, ...options }: BridgeErrorOptions = {},
  ) {
    super(message, options);
    this.name = 'BridgeError';
    this.code = code;
    this.status = statuses[code];
    this.details = details;
    this.allow = allow;
    this.retryAfterSeconds = retryAfterSeconds ?? (this.status === 429 ? 1 : undefined);
  }
}

/** Whether something is an error of the bridge. */
export const isBridgeError = brand(BridgeError, 'BridgeError');
