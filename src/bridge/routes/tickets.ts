/** What callers say of the requests that they sent to engines, so that a hang with frozen gauges is seen. */
import type { EngineSet } from '../engines/index.js';
import { type Endpoint, endpoint } from '../http/index.js';
import {
  dispatchAnswerSchema,
  dispatchSchema,
  finishSchema,
  firstTokenSchema,
  ticketAnswerSchema,
} from '../messages/index.js';

export function ticketEndpoints(engines: EngineSet): Endpoint[] {
  const common = { method: 'POST', scope: 'use', failure: 'open' } as const;
  return [
    endpoint({
      ...common,
      path: '/v1/dispatch',
      summary: 'Says that a request was sent to an engine; opens its ticket.',
      idempotent: true,
      retry: 'with a ticket of your own, which opens no second one',
      body: dispatchSchema,
      answers: { 200: dispatchAnswerSchema },
      handle: ({ body, caller }) => ({ json: engines.requests.dispatch({ ...body, caller: caller.id }) }),
    }),
    endpoint({
      ...common,
      path: '/v1/first-token',
      summary: 'Says that the first token of a request came.',
      idempotent: true,
      retry: 'at any time',
      body: firstTokenSchema,
      answers: { 200: ticketAnswerSchema },
      handle: ({ body }) => ({ json: engines.requests.firstToken(body) }),
    }),
    endpoint({
      ...common,
      path: '/v1/finish',
      summary: 'Says how a request ended, with the load that the engine sent along.',
      idempotent: true,
      retry: 'at any time',
      body: finishSchema,
      answers: { 200: ticketAnswerSchema },
      handle: ({ body }) => ({ json: engines.requests.finish(body) }),
    }),
  ];
}
