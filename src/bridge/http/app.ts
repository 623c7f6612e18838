/**
 * The Hono application of the declared endpoints: every request passes the same checks in the same order.
 *
 *     wire -> Host, Origin -> token -> route, method -> scope -> query -> media type -> bounds -> body -> handler
 *
 * Answers are written to Node's response itself, with their length and without a copy. Each request is counted when it ends.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { z } from 'zod';
import { systemClock } from '../../abort/index.js';
import { BridgeError } from '../messages/index.js';
import { sendAnswer, sendError, shown } from './answers.js';
import { type BodyBudget, holdFrame, readJson } from './bodies.js';
import type { Caller, Endpoint, EndpointRequest } from './endpoint.js';
import { type Guard, guardError } from './guard.js';
import { leavingOf } from './leaving.js';
import { peerOf } from './peers.js';
import { requestIdOf, traceparentOf } from './request-identity.js';
import { bearerOf, includes, type Tokens } from './tokens.js';
import { wireError } from './wire.js';

/** A request at its end. */
export interface Served {
  method: string;
  /** The template of its endpoint; 'none' where there is none. */
  route: string;
  status: number;
  ms: number;
  bytes: number;
  requestId: string;
  traceparent: string | undefined;
  error: BridgeError | null;
}

export interface AppOptions {
  endpoints: readonly Endpoint[];
  guard: Guard;
  /** Addresses of proxies whose X-Forwarded-For names the client: for limits, never for authentication. */
  trustedProxies: readonly string[];
  tokens: Tokens;
  bodies: BodyBudget;
  /** The token that a cookie of the dashboard stands for, or undefined. */
  login: (cookie: string | undefined) => Caller | undefined;
  /** Whether each answer closes its connection. */
  draining: () => boolean;
  served: (request: Served) => void;
}

interface Counted extends AppOptions {
  began: () => void;
}

/** Node's own request and response, which @hono/node-server gives its applications. */
export interface NodeBindings {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
}

type Env = { Bindings: NodeBindings };

/**
 * Node's own class, whatever the global one is: @hono/node-server puts a class of its own there, whose instances it writes without
 * a look at the header below. A clone of one is Node's.
 */
const NodeResponse = new Response().clone().constructor as typeof Response;

/** What Hono is given for an answer that was written to Node's response. */
const alreadySent = () => new NodeResponse(null, { headers: { 'x-hono-already-sent': 'true' } });

export interface App {
  /** For a Hono application on @hono/node-server, whose bindings it needs. */
  fetch: (request: Request, env: NodeBindings) => Response | Promise<Response>;
  listener: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  /** Requests that are under way. */
  readonly active: number;
}

export function makeApp(given: AppOptions): App {
  let active = 0;
  const options: Counted = {
    ...given,
    began: () => {
      active++;
    },
    served: (request) => {
      active--;
      given.served(request);
    },
  };
  const hono = new Hono<Env>();
  const pathsOf = new Map<string, Endpoint[]>();
  for (const one of options.endpoints) pathsOf.set(one.path, [...(pathsOf.get(one.path) ?? []), one]);
  for (const [path, endpoints] of pathsOf) {
    hono.all(path, async ({ env, req }) => {
      await serve(env, endpoints, req.param() as Record<string, string>, options);
      return alreadySent();
    });
  }
  hono.notFound(async ({ env }) => {
    await serve(env, [], {}, options);
    return alreadySent();
  });
  const listen = getRequestListener(hono.fetch, { overrideGlobalObjects: false, autoCleanupIncoming: false });
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const refusal = wireError(incoming);
    if (refusal === null) return void listen(incoming, outgoing);
    const requestId = requestIdOf(incoming.headers);
    count(incoming, outgoing, 'none', requestId, refusal, options);
    outgoing.setHeader('connection', 'close');
    outgoing.setHeader('x-request-id', requestId);
    sendError(incoming, outgoing, refusal);
  };
  return {
    fetch: (request, env) => hono.fetch(request, env),
    listener,
    get active() {
      return active;
    },
  };
}

async function serve(
  { incoming, outgoing }: NodeBindings,
  endpoints: readonly Endpoint[],
  params: Record<string, string>,
  options: Counted,
): Promise<void> {
  const requestId = requestIdOf(incoming.headers);
  outgoing.setHeader('x-request-id', requestId);
  const traceparent = traceparentOf(incoming.headers);
  if (traceparent !== undefined) outgoing.setHeader('traceparent', traceparent);
  if (options.draining()) outgoing.setHeader('connection', 'close');
  const outcome: { error: BridgeError | null } = { error: null };
  count(incoming, outgoing, endpoints[0]?.path ?? 'none', requestId, outcome, options);
  const type = mediaType(incoming);
  // A frame that is late ends no other request of its connection.
  const leaving = type === frameType ? new AbortController() : leavingOf(incoming);
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) leaving.abort(new BridgeError('malformed', 'The client left'));
  });
  try {
    const caller = admitted(incoming, endpoints, options);
    const one = routed(incoming, endpoints, caller);
    const request = await read(incoming, type, one, options.bodies);
    if (request.framed && !one.streamed) {
      const held = { budget: options.bodies, client: caller.id };
      holdFrame(incoming, outgoing, held, (error) => leaving.abort(error));
    }
    // Spread last: V8 of Node 20 makes a new class for each object that begins with a spread, among its old objects.
    const answer = await one.handle({
      params,
      caller,
      requestId,
      traceparent,
      signal: leaving.signal,
      incoming,
      outgoing,
      ...request,
    });
    sendAnswer(incoming, outgoing, answer);
  } catch (error) {
    outcome.error = shown(error);
    sendError(incoming, outgoing, outcome.error);
  }
}

/** Checks where a request comes from and its token. */
function admitted(incoming: IncomingMessage, endpoints: readonly Endpoint[], options: AppOptions): Caller {
  const address = peerOf(incoming);
  const refusal = guardError(incoming, address === 'unix', options.guard);
  if (refusal !== null) throw refusal;
  const token = bearerOf(incoming);
  const isOpen = endpoints.some(({ scope, method }) => scope === 'open' && method === methodOf(incoming));
  if (isOpen) return { scope: 'read', id: address, local: address === 'unix' };
  if (token === undefined && methodOf(incoming) === 'GET') {
    const loggedIn = options.login(incoming.headers.cookie);
    if (loggedIn !== undefined) return loggedIn;
  }
  const caller = options.tokens.caller(token, address);
  return caller.id === address ? { ...caller, id: clientOf(incoming, address, options.trustedProxies) } : caller;
}

/** The client behind a trusted proxy: the last address of X-Forwarded-For that is no trusted proxy itself. */
function clientOf({ headers }: IncomingMessage, address: string, trusted: readonly string[]): string {
  const forwarded = headers['x-forwarded-for'];
  if (!trusted.includes(address) || typeof forwarded !== 'string') return address;
  const hops = forwarded.split(',').map((hop) => hop.trim());
  return hops.reverse().find((hop) => isIP(hop) !== 0 && !trusted.includes(hop)) ?? address;
}

/** The endpoint of the request's method, where the caller may use it. */
function routed(incoming: IncomingMessage, endpoints: readonly Endpoint[], caller: Caller): Endpoint {
  if (endpoints.length === 0) throw new BridgeError('not_found', 'There is no such path: GET /openapi.json lists all');
  const method = methodOf(incoming);
  const one = endpoints.find((candidate) => candidate.method === method);
  if (one === undefined) {
    const methods = endpoints.flatMap(({ method: known }) => (known === 'GET' ? ['GET', 'HEAD'] : [known]));
    throw new BridgeError('method_not_allowed', `Expected ${methods.join(' or ')} for this path`, {
      allow: methods.join(', '),
    });
  }
  if (!includes(caller.scope, one.scope)) {
    throw new BridgeError('forbidden', `Expected a token of the scope ${one.scope}, or a Unix socket`);
  }
  return one;
}

const frameType = 'application/octet-stream';

/** The query of an endpoint that declares none. */
const noQuery = z.strictObject({});

type Read = Pick<EndpointRequest, 'query' | 'body' | 'framed' | 'wantsFrames' | 'budgetMs'>;

/** Checks headers and query, and reads a JSON body. */
async function read(incoming: IncomingMessage, type: string, one: Endpoint, bodies: BodyBudget): Promise<Read> {
  const query = checked(one.query ?? noQuery, queryOf(incoming), 'the query');
  const budgetMs = budgetOf(incoming);
  const wantsFrames = one.frames === true && (incoming.headers.accept ?? '').startsWith('application/octet-stream');
  if (one.method !== 'POST') return { query, body: undefined, framed: false, wantsFrames, budgetMs };
  const coding = incoming.headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    throw new BridgeError('unsupported_media_type', 'Expected a body without Content-Encoding');
  }
  const framed = type === frameType && (one.frames === true || one.streamed === true);
  if (!framed && type !== 'application/json') {
    const known = one.frames ? 'application/json or application/octet-stream' : 'application/json';
    throw new BridgeError('unsupported_media_type', `Expected ${known} as Content-Type`);
  }
  if (framed) return { query, body: undefined, framed, wantsFrames, budgetMs };
  const body = checked(one.body, await readJson(incoming, bodies), 'the body');
  return { query, body, framed, wantsFrames, budgetMs };
}

/** A value as its schema gives it. Errors: BridgeError malformed or unknown_field that names the place. */
export function checked(schema: z.ZodType | undefined, value: unknown, what: string): unknown {
  if (schema === undefined) return undefined;
  const result = parsed(schema, value, what);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = [what, ...(issue?.path ?? []).map(String)].join('.');
  if (issue?.code === 'unrecognized_keys') {
    throw new BridgeError(
      'unknown_field',
      `Expected no field ${issue.keys.slice(0, 3).join(', ').slice(0, 100)} in ${place}`,
    );
  }
  throw new BridgeError('malformed', `${place}: ${issue?.message ?? 'another value was expected'}`.slice(0, 400));
}

/** A schema of an array keeps an issue for each wrong element; hundreds of thousands of them are more than the stack holds. */
function parsed(schema: z.ZodType, value: unknown, what: string): z.ZodSafeParseResult<unknown> {
  try {
    return schema.safeParse(value);
  } catch (cause) {
    if ((cause as Error).name !== 'RangeError') throw cause;
    throw new BridgeError('malformed', `${what}: far too many values are of another kind`, { cause });
  }
}

function queryOf({ url = '' }: IncomingMessage): Record<string, string> {
  const at = url.indexOf('?');
  return at < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(at + 1)));
}

function budgetOf({ headers }: IncomingMessage): number | undefined {
  const text = headers['x-dtesn-budget-ms'];
  if (text === undefined) return undefined;
  const ms = Number(text);
  if (typeof text === 'string' && /^\d{1,9}$/.test(text) && ms > 0) return ms;
  throw new BridgeError('malformed', 'Expected whole milliseconds above 0 for x-dtesn-budget-ms');
}

function mediaType({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

/** HEAD is answered as GET, without the body. */
function methodOf({ method = '' }: IncomingMessage): string {
  return method === 'HEAD' ? 'GET' : method;
}

/** Status in the metrics of a request whose client left before it was answered. */
const clientLeft = 499;

function count(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  route: string,
  requestId: string,
  outcome: { error: BridgeError | null } | BridgeError,
  { began, served }: Counted,
): void {
  began();
  const start = systemClock.now();
  const method = ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PUT', 'PATCH'].includes(incoming.method ?? '')
    ? incoming.method!
    : 'other';
  outgoing.once('close', () => {
    served({
      method,
      route,
      status: outgoing.headersSent ? outgoing.statusCode : clientLeft,
      ms: systemClock.now() - start,
      bytes: Number(outgoing.getHeader('content-length') ?? 0),
      requestId,
      traceparent: traceparentOf(incoming.headers),
      error: 'error' in outcome ? outcome.error : outcome,
    });
  });
}
