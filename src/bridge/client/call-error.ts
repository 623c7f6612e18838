/** What a call of the bridge failed with. */
import { brand, named } from '../../errors/index.js';
import { type BridgeErrorCode, errorSchema } from '../messages/index.js';

/**
 * Code of a failed call of the bridge: those of the bridge (BridgeErrorCode), and those of the client, which
 * docs/errors.md lists.
 */
export type BridgeCallCode =
  | BridgeErrorCode
  | 'unreachable'
  | 'timeout'
  | 'bad_answer'
  | 'rows_lost'
  | 'other_writer'
  | 'buffer_full'
  | 'closed';

/** Further fields of a BridgeCallError. */
export interface BridgeCallErrorOptions extends ErrorOptions {
  /** Status of the answer. Default 0: nothing was answered. */
  status?: number | undefined;
  /** The header x-request-id of the answer. Default: none. */
  requestId?: string | undefined;
  /** Further fields of the error, such as `next` of an offset gap. Default {}. */
  details?: Record<string, unknown> | undefined;
  /** The header Retry-After of the answer. Default: none. */
  retryAfterSeconds?: number | undefined;
}

/**
 * What a call of the bridge failed with.
 *
 *     codes of the bridge    as it answered them, with `status`, `details` and `requestId` (src/bridge/messages)
 *     unreachable            no connection, or one that broke before the end of the answer
 *     timeout                no answer within the time limit
 *     bad_answer             an answer that is not one of the bridge: another server, or a proxy before it
 *     rows_lost              the bridge needs rows of a session that are no longer kept
 *     other_writer           a session moved on by rows of another client
 *     buffer_full            a session keeps as many rows that are not durable as it may
 *     closed                 the client or the session was closed
 *
 * `status` is 0 where nothing was answered.
 */
export class BridgeCallError extends Error {
  /** Stable code: that of the bridge, or one of the client. */
  readonly code: BridgeCallCode;
  /** HTTP status of the answer; 0 where nothing was answered. */
  readonly status: number;
  /** The header x-request-id of the answer, which the log of the bridge has too. */
  readonly requestId: string | undefined;
  /** Further fields of the error, such as `next` of an offset gap. */
  readonly details: Record<string, unknown>;
  /** Seconds after which the bridge may be asked again, where it says so. */
  readonly retryAfterSeconds: number | undefined;

  static {
    named(BridgeCallError, 'BridgeCallError');
  }

  constructor(
    code: BridgeCallCode,
    message: string,
    { status = 0, requestId, details = {}, retryAfterSeconds, ...options }: BridgeCallErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.details = details;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Whether something is an error of a call of the bridge. */
export const isBridgeCallError = brand(BridgeCallError, 'BridgeCallError');

/** The error that an answer is. `what` names the call: 'POST /v1/process'. */
export function errorOfAnswer(
  what: string,
  status: number,
  headers: Record<string, string | string[] | undefined>,
  body: string,
): BridgeCallError {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  const requestId = headers['x-request-id'];
  const options = {
    status,
    requestId: typeof requestId === 'string' ? requestId : undefined,
    retryAfterSeconds: Number.isFinite(seconds) ? seconds : undefined,
  };
  const parsed = errorSchema.safeParse(jsonOf(body));
  if (!parsed.success) {
    return new BridgeCallError('bad_answer', `${what}: status ${status} without an error of the bridge`, options);
  }
  const { code, message, ...details } = parsed.data.error;
  return new BridgeCallError(code, `${what}: ${message}`, { ...options, details });
}

/** The value of a JSON text; undefined where it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const passing = new Set<BridgeCallCode>([
  'unreachable',
  'starting',
  'draining',
  'queue_full',
  'queue_age',
  'client_share',
  'memory',
  'too_many_streams',
  'too_many_attempts',
]);

/** Whether the same request may succeed later without a change: the bridge was away, starting, draining or shed it. */
export function isPassing(error: unknown): error is BridgeCallError {
  return isBridgeCallError(error) && passing.has(error.code);
}
