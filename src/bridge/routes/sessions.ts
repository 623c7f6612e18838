/** Sessions: rows of a client through a network, whose state the bridge keeps and the journal makes durable. */
import { type Endpoint, type EndpointRequest, endpoint } from '../http/index.js';
import {
  ackQuery,
  createSessionSchema,
  doneSchema,
  listQuery,
  sessionListSchema,
  sessionReadoutSchema,
  sessionSchema,
  stepsAnswerSchema,
  stepsManyAnswerSchema,
  stepsManySchema,
  stepsSchema,
} from '../messages/index.js';
import type { AnswerForm, SessionService } from '../sessions/index.js';
import { JSON_NUMBER_BYTES, jsonInTurn, sentOf } from './answer-turns.js';
import {
  outcomeMessage,
  readSteps,
  readStepsMany,
  rowsOf,
  stepsFrame,
  stepsManyFrame,
  stepsMessage,
} from './session-frames.js';

/** Outputs in JSON: about 20 MiB of text. */
const JSON_NUMBERS = 2 ** 20;

function formOf({ wantsFrames, outgoing }: EndpointRequest<unknown, unknown>): AnswerForm {
  const sent = sentOf(outgoing);
  return wantsFrames ? { sent } : { sent, maxNumbers: JSON_NUMBERS, numberBytes: JSON_NUMBER_BYTES };
}

export function sessionEndpoints(sessions: SessionService): Endpoint[] {
  return [
    endpoint({
      method: 'POST',
      path: '/v1/sessions',
      scope: 'use',
      summary:
        'Creates a session, durably; an id that is there with the same network is answered with where it stands.',
      idempotent: true,
      retry: 'with an id of your own',
      failure: 'closed',
      body: createSessionSchema,
      answers: { 201: sessionSchema, 200: sessionSchema },
      handle: async ({ body, signal }) => {
        const { created, session } = await sessions.create(body, signal);
        return { status: created ? 201 : 200, json: session };
      },
    }),
    endpoint({
      method: 'GET',
      path: '/v1/sessions',
      scope: 'read',
      summary: 'Sessions in the order of their ids.',
      idempotent: true,
      retry: 'at any time',
      failure: 'closed',
      query: listQuery,
      answers: { 200: sessionListSchema },
      handle: ({ query }) => ({ json: sessions.list(query) }),
    }),
    endpoint({
      method: 'POST',
      path: '/v1/sessions/steps',
      scope: 'use',
      summary: 'Rows of up to 1000 sessions: an outcome each, in the order of the request.',
      idempotent: true,
      retry: 'with the same `from`: rows that were applied are skipped',
      failure: 'closed',
      query: ackQuery,
      body: stepsManySchema,
      frames: true,
      answers: { 200: stepsManyAnswerSchema },
      handle: async (request) => {
        const { body, query, signal, framed, budgetMs } = request;
        const items = framed ? await readStepsMany(request) : body.items;
        const outcomes = await sessions.stepsMany(
          items.map((item) => ({ ...item, ...query, budgetMs })),
          signal,
          formOf(request),
        );
        if (request.wantsFrames) return stepsManyFrame(outcomes);
        const numbers = outcomes.reduce((sum, one) => sum + ('answer' in one ? one.answer.outputs.data.length : 0), 0);
        return jsonInTurn(numbers, signal, () => ({ items: outcomes.map(outcomeMessage) }));
      },
    }),
    endpoint({
      method: 'POST',
      path: '/v1/sessions/:id/steps',
      scope: 'use',
      summary: 'Applies rows to a session and answers the outputs of each.',
      idempotent: true,
      retry: 'with the same `from` and `epoch`: rows that were applied are skipped, the last answer is given again',
      failure: 'closed',
      query: ackQuery,
      body: stepsSchema,
      frames: true,
      answers: { 200: stepsAnswerSchema },
      handle: async (request) => {
        const { params, query, signal, framed, budgetMs } = request;
        const steps = framed ? await readSteps(request) : request.body;
        const answer = await sessions.steps(
          params['id'] ?? '',
          { ...steps, ...query, budgetMs },
          signal,
          formOf(request),
        );
        if (request.wantsFrames) return stepsFrame(answer);
        return jsonInTurn(answer.outputs.data.length, signal, () => stepsMessage(answer));
      },
    }),
    endpoint({
      method: 'GET',
      path: '/v1/sessions/:id',
      scope: 'read',
      summary: 'Where a session stands: rows applied, and rows that survive power loss.',
      idempotent: true,
      retry: 'at any time',
      failure: 'closed',
      answers: { 200: sessionSchema },
      handle: ({ params }) => ({ json: sessions.describe(params['id'] ?? '') }),
    }),
    endpoint({
      method: 'GET',
      path: '/v1/sessions/:id/readout',
      scope: 'read',
      summary: 'What a session has learned, and its running error beside that of persistence.',
      idempotent: true,
      retry: 'at any time',
      failure: 'closed',
      answers: { 200: sessionReadoutSchema },
      handle: async ({ params }) => {
        const readout = await sessions.readout(params['id'] ?? '');
        return { json: { ...readout, weights: rowsOf(readout.weights), bias: [...readout.bias] } };
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/v1/sessions/:id',
      scope: 'use',
      summary: 'Ends a session, durably; for an hour it is 410.',
      idempotent: true,
      retry: 'at any time: one that is gone is 410',
      failure: 'closed',
      answers: { 200: doneSchema },
      handle: async ({ params, signal }) => {
        await sessions.remove(params['id'] ?? '', signal);
        return { json: {} };
      },
    }),
  ];
}
