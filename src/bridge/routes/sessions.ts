/** Sessions: rows of a client through a network, whose state the bridge keeps and the journal makes durable. */
import { type Answer, chunksOf, type Endpoint, type EndpointRequest, endpoint } from '../http/index.js';
import {
  ackQuery,
  BridgeError,
  createSessionSchema,
  doneSchema,
  isBridgeError,
  listQuery,
  sessionListSchema,
  sessionReadoutSchema,
  sessionSchema,
  stepsAnswerSchema,
  stepsManyAnswerSchema,
  stepsManySchema,
  stepsSchema,
} from '../messages/index.js';
import { readFrame, writeFrame } from '../processing/index.js';
import type { RowMatrix, SessionService, StepsAnswer, StepsOutcome } from '../sessions/index.js';

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
      answers: { 200: stepsManyAnswerSchema },
      handle: async ({ body, query, signal }) => {
        const items = body.items.map((item) => ({ ...item, ...query }));
        const outcomes = await sessions.stepsMany(items, signal);
        return { json: { items: outcomes.map(outcomeMessage) } };
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
        const { params, query, signal, framed } = request;
        const steps = framed ? await framedSteps(request) : request.body;
        const answer = await sessions.steps(params['id'] ?? '', { ...steps, ...query }, signal);
        return request.wantsFrames ? stepsFrame(answer) : { json: stepsMessage(answer) };
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

async function framedSteps({ incoming, signal }: EndpointRequest) {
  const frame = await readFrame(incoming.headers, chunksOf(incoming, signal));
  if (frame.from === null || frame.count !== null) {
    throw new BridgeError('malformed', 'Expected x-dtesn-from and the shape "steps,features"');
  }
  const epoch = incoming.headers['x-dtesn-epoch'];
  return {
    from: frame.from,
    rows: { rows: frame.steps, cols: frame.features, data: frame.values },
    ...(typeof epoch === 'string' && { epoch }),
  };
}

function rowsOf({ rows, cols, data }: RowMatrix): number[][] {
  return Array.from({ length: rows }, (_, row) => Array.from(data.subarray(row * cols, (row + 1) * cols)));
}

function stepsMessage({ outputs, ...place }: StepsAnswer): object {
  return { ...place, outputs: rowsOf(outputs) };
}

function stepsFrame(answer: StepsAnswer): Answer {
  const { rows, cols, data } = answer.outputs;
  const place = {
    'x-dtesn-id': answer.id,
    'x-dtesn-epoch': answer.epoch,
    'x-dtesn-offset': String(answer.offset),
    'x-dtesn-durable': String(answer.durable),
    ...(answer.durability && { 'x-dtesn-durability': answer.durability }),
  };
  if (rows === 0)
    return { bytes: new Uint8Array(0), headers: { ...place, 'x-dtesn-from': String(answer.outputsFrom) } };
  const { fields, body } = writeFrame(data, { steps: rows, features: cols, from: answer.outputsFrom });
  return { bytes: body, headers: { ...fields, ...place } };
}

function outcomeMessage(outcome: StepsOutcome): object {
  if ('answer' in outcome) return stepsMessage(outcome.answer);
  const { error } = outcome;
  if (!isBridgeError(error)) return { id: outcome.id, error: { code: 'internal', message: 'The steps failed' } };
  return { id: outcome.id, error: { ...error.details, code: error.code, message: error.message } };
}
