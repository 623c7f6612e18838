/** Options of BridgeClient and of its methods. */
import { z } from 'zod';
import { type Clock, clockOption } from '../../abort/index.js';
import { ID_PATTERN, TRACEPARENT_PATTERN } from '../messages/index.js';

const maxMs = 2 ** 31 - 1;
const ms = z.number().positive().max(maxMs);

export const bridgeClientOptionsSchema = z.object({
  token: z.string().min(1).optional().describe('a token, not empty,'),
  tokenFile: z.string().min(1).optional().describe('the path of a file whose first line is the token'),
  ca: z.string().min(1).optional().describe('certificates in PEM'),
  timeoutMs: ms.default(30_000).describe(`a number of milliseconds in (0, ${maxMs}]`),
  retries: z.int().min(0).max(100).default(2).describe('a whole number from 0 to 100'),
  budgetMs: ms.default(50).describe(`a number of milliseconds in (0, ${maxMs}]`),
  breakMs: ms.default(5000).describe(`a number of milliseconds in (0, ${maxMs}]`),
  resumeMs: ms.default(60_000).describe(`a number of milliseconds in (0, ${maxMs}]`),
  onFailure: z
    .custom<(error: unknown, call: string) => void>((value) => typeof value === 'function')
    .optional()
    .describe('a function (error, call)'),
  clock: clockOption,
});

/** Options of BridgeClient. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT that names the option. */
export interface BridgeClientOptions {
  /** Token of the bridge, sent as `Authorization: Bearer`. Default: none. */
  token?: string | undefined;
  /** File whose first line is the token; it is read again when the bridge refuses the token. Default: none. */
  tokenFile?: string | undefined;
  /** Certificates in PEM that are trusted in place of the default ones, for https. */
  ca?: string | undefined;
  /**
   * Milliseconds for one exchange; of a stream: until its headers, and without a byte. In (0, 2,147,483,647], default
   * 30000.
   */
  timeoutMs?: number | undefined;
  /** Repetitions of a call that met a bridge that was away, starting, draining or shedding, 0 to 100. Default 2. */
  retries?: number | undefined;
  /**
   * Milliseconds for pick, dispatch, firstToken and finish, after which the caller goes on without the answer. In (0,
   * 2,147,483,647], default 50.
   */
  budgetMs?: number | undefined;
  /**
   * Milliseconds for which pick, dispatch, firstToken and finish are not asked after 3 failures in a row. Default
   * 5000.
   */
  breakMs?: number | undefined;
  /** Milliseconds that a session waits for the bridge to come back. Default 60000. */
  resumeMs?: number | undefined;
  /** Called with what pick, dispatch, firstToken and finish failed with, which they never throw. Default: none. */
  onFailure?: ((error: unknown, call: string) => void) | undefined;
  /** What limits and pauses are measured by. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

const signal = z
  .custom<AbortSignal>((value) => value instanceof AbortSignal)
  .optional()
  .describe('an AbortSignal');

export const callOptionsSchema = z.object({ signal });
/** Options of every call of BridgeClient. */
export interface CallOptions {
  /** Ends the call, which rejects with its reason. Default: none. */
  signal?: AbortSignal | undefined;
}

const traceparent = z.string().regex(TRACEPARENT_PATTERN).optional().describe('a W3C traceparent');
/** Options of calls that take the trace context of a request. */
export interface TracedCallOptions extends CallOptions {
  /** W3C trace context of the caller's request, sent as the header `traceparent`. Default: none. */
  traceparent?: string | undefined;
}

export const processOptionsSchema = z.object({
  signal,
  traceparent,
  priority: z.enum(['high', 'normal', 'low']).optional().describe("'high', 'normal' or 'low'"),
  budgetMs: z.int().min(1).max(maxMs).optional().describe(`a whole number of milliseconds from 1 to ${maxMs}`),
});
/** Options of BridgeClient.process and processBatch. */
export interface ProcessCallOptions extends TracedCallOptions {
  /** The class in which the request waits. Default 'normal'. */
  priority?: 'high' | 'normal' | 'low' | undefined;
  /**
   * Milliseconds after which the bridge drops work that has not begun (error `budget`), 1 to 2,147,483,647. Default:
   * no limit of its own.
   */
  budgetMs?: number | undefined;
}

export const streamOptionsSchema = z.object({
  signal,
  traceparent,
  chunk: z.int().min(1).max(1_000_000).optional().describe('a whole number from 1 to 1000000'),
});
/** Options of BridgeClient.processStream. */
export interface StreamCallOptions extends TracedCallOptions {
  /** Characters of a text, ids or rows that are processed at a time, 1 to 1,000,000. Default 4096. */
  chunk?: number | undefined;
}

export const eventsOptionsSchema = z.object({
  signal,
  lastEventId: z.string().min(1).max(128).optional().describe('the id of an event, 1 to 128 characters'),
});
/** Options of BridgeClient.events: where the stream of events begins, and its end. */
export interface EventsOptions extends CallOptions {
  /** Events after this one are replayed first, as far as the bridge still has them. Default: no replay. */
  lastEventId?: string | undefined;
}

export const sessionOptionsSchema = z.object({
  signal,
  id: z.string().regex(ID_PATTERN).optional().describe('1 to 128 of A-Z a-z 0-9 . _ : -'),
  network: z.string().min(1).max(128).optional().describe('the name of a network, 1 to 128 characters'),
  targets: z
    .strictObject({
      outputs: z.int().min(1),
      ridge: z.number().positive().optional(),
      forgetting: z.number().gt(0).max(1).optional(),
    })
    .optional()
    .describe('{ outputs, ridge?, forgetting? }'),
  outputs: z.array(z.int().nonnegative()).optional().describe('an array of column numbers'),
  maxKeptRows: z.int().min(1).default(100_000).describe('a whole number, 1 or more,'),
});
/** Options of BridgeClient.session: its network, what it learns and answers, and the rows it keeps. */
export interface SessionOptions extends CallOptions {
  /** Id of the session: 1 to 128 of A-Z a-z 0-9 . _ : -. Default: made by the client. */
  id?: string | undefined;
  /** Name of a network of the bridge's configuration. Default: its network 'default'. */
  network?: string | undefined;
  /**
   * The session learns targets: their columns, and the ridge and forgetting of recursive least squares. Default: it
   * learns none.
   */
  targets?: { outputs: number; ridge?: number | undefined; forgetting?: number | undefined } | undefined;
  /** Which columns of the outputs are answered. Default: all. */
  outputs?: number[] | undefined;
  /** Rows that are not durable yet and kept to be sent again; at this bound `steps` waits. Default 100000. */
  maxKeptRows?: number | undefined;
}

export const stepsOptionsSchema = z.object({
  signal,
  // Their elements are checked with those of the rows.
  targets: z
    .custom<readonly (readonly number[])[]>((value) => Array.isArray(value))
    .optional()
    .describe('an array of rows of finite numbers'),
  ack: z.enum(['applied', 'durable']).default('applied').describe("'applied' or 'durable'"),
});
/** Options of BridgeSession.steps: targets to learn from, and when the bridge answers. */
export interface StepsOptions extends CallOptions {
  /** A row of targets for each row, of sessions that learn. Default: nothing is learned. */
  targets?: readonly (readonly number[])[] | undefined;
  /** 'durable' answers when the rows survive a power failure. Default 'applied'. */
  ack?: 'applied' | 'durable' | undefined;
}
