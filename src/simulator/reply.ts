/**
 * What a route answers with, and the error bodies of an Aphrodite server.
 *
 *     {"error":{message,type,param,code}}     what the request or the engine got wrong
 *     {"error":"text"}                        401, elastic scaling
 *     {"detail":"Not Found"}                  unknown route, wrong method
 *     empty                                   /health of a dead engine
 *
 * The fifth, an error inside a stream, is in completions.ts.
 */
import type { ServerResponse } from 'node:http';
import type { z } from 'zod';

export interface Reply {
  status: number;
  /** An object becomes JSON, a string is sent as it is, null is an empty body. */
  body: unknown;
  contentType?: string;
}

export function ok(body: unknown): Reply {
  return { status: 200, body };
}

export function failure(status: number, type: string, message: string): Reply {
  return { status, body: { error: { message, type, param: null, code: status } } };
}

export function badRequest(message: string): Reply {
  return failure(400, 'BadRequestError', message);
}

const MOST_ISSUES = 3;

/** What the engine's validation says: the paths of the first fields that are wrong, and what is wrong with them. */
export function invalidBody({ issues }: z.ZodError): Reply {
  const told = issues.slice(0, MOST_ISSUES).map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  return badRequest(told.join('; '));
}

export function unknownModel(model: string): Reply {
  return failure(404, 'NotFoundError', `The model \`${model}\` does not exist.`);
}

export function sendReply(response: ServerResponse, { status, body, contentType = 'application/json' }: Reply): void {
  if (body === null) {
    response.writeHead(status, { 'content-length': 0 }).end();
    return;
  }
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  response.writeHead(status, { 'content-type': contentType, 'content-length': bytes.length }).end(bytes);
}

export const ENGINE_DEAD = 'EngineCore encountered an issue. See stack trace (above) for the root cause.';
