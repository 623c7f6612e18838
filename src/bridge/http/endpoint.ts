/**
 * The declaration of one endpoint: what it takes, what it answers, who may ask, and what a caller does when it fails.
 *
 * The routes, the checks of requests, the header Allow of a 405, the label `route` of the metrics, /openapi.json and the pages of
 * docs/bridge.md all come from these declarations.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';

/** Each scope includes those before it; `open` needs no token. */
export const scopes = ['open', 'read', 'use', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** Who sent a request, as far as limits and tickets are concerned. */
export interface Caller {
  scope: Exclude<Scope, 'open'>;
  /** A digest of the token, or the address, or 'unix'; never sent, logged or counted by. */
  id: string;
  /** Came over a Unix socket, whose permissions admit it. */
  local: boolean;
}

export interface EndpointRequest<Query = unknown, Body = unknown> {
  params: Record<string, string>;
  query: Query;
  /** The checked JSON body; undefined for a request of `application/octet-stream` and where there is none. */
  body: Body;
  /** Whether the body is of `application/octet-stream`, which the handler reads from `incoming`. */
  framed: boolean;
  /** Whether the caller accepts `application/octet-stream` before JSON. */
  wantsFrames: boolean;
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  caller: Caller;
  requestId: string;
  /** Milliseconds in which the work must have begun, by `x-dtesn-budget-ms`; undefined for no bound. */
  budgetMs: number | undefined;
  traceparent: string | undefined;
  /** Aborts when the client leaves. */
  signal: AbortSignal;
}

/**
 * An answer in JSON, bytes or text (a string, or its bytes in UTF-8), or one without content; `sent` where the handler wrote it itself.
 */
export type Answer =
  | { status?: number; json: unknown; headers?: Record<string, string> }
  | { status?: number; bytes: Uint8Array; headers?: Record<string, string> }
  | { status?: number; text: string | Uint8Array; type: string; headers?: Record<string, string> }
  | { empty: 204 | 304; headers?: Record<string, string> }
  | 'sent';

export interface Endpoint {
  method: 'GET' | 'POST' | 'DELETE';
  /** A template such as /v1/sessions/:id. */
  path: string;
  scope: Scope;
  /** One sentence. */
  summary: string;
  /** Whether asking twice has the effect of asking once. */
  idempotent: boolean;
  /** Whether a caller that got no answer may ask again, and how. */
  retry: string;
  /** What a caller does when the bridge does not answer: `open` goes on without it, `closed` stops. */
  failure: 'open' | 'closed';
  /** Without it every parameter is refused as unknown. */
  query?: z.ZodObject;
  /** The JSON body of a POST. */
  body?: z.ZodType;
  /** Takes and gives frames of `application/octet-stream` too. */
  frames?: boolean;
  /** A body of `application/octet-stream` is a stream: no bound on its length, 30 s without progress end it. */
  streamed?: boolean;
  /** Schemas of the JSON answers by status; a media type for others. */
  answers: Record<number, z.ZodType | string>;
  handle(request: EndpointRequest): Promise<Answer> | Answer;
}

/** Gives the handler of a declaration the types of its schemas. */
export function endpoint<Query extends z.ZodObject, Body extends z.ZodType>(
  declared: Omit<Endpoint, 'query' | 'body' | 'handle'> & {
    query?: Query;
    body?: Body;
    handle(request: EndpointRequest<z.output<Query>, z.output<Body>>): Promise<Answer> | Answer;
  },
): Endpoint {
  return declared as unknown as Endpoint;
}
