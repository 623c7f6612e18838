/** Engines: their state with its evidence, their figures over time, and which one takes the next request. */
import { wallMs } from '../../abort/index.js';
import type { EngineSet } from '../engines/index.js';
import { type Endpoint, endpoint } from '../http/index.js';
import { doneSchema, enginesAnswerSchema, historyQuery, pickAnswerSchema, pickSchema } from '../messages/index.js';
import { latencyObjectives, objectivePriority } from './objectives.js';

export function engineEndpoints(engines: EngineSet): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/engines',
      scope: 'read',
      summary: 'Every engine: its state, since when and by which evidence, its figures and rates.',
      idempotent: true,
      retry: 'at any time',
      failure: 'open',
      answers: { 200: enginesAnswerSchema },
      handle: () => ({ json: { items: engines.list() } }),
    }),
    endpoint({
      method: 'GET',
      path: '/v1/engines/:name/history',
      scope: 'read',
      summary: 'Figures of one engine over time, one column a figure, with its restarts.',
      idempotent: true,
      retry: 'at any time',
      failure: 'open',
      query: historyQuery,
      answers: { 200: doneSchema },
      handle: ({ params, query: { seconds } }) => ({
        json: engines.history(params['name'] ?? '', wallMs() / 1000 - seconds),
      }),
    }),
    endpoint({
      method: 'POST',
      path: '/v1/pick',
      scope: 'use',
      summary: 'The engine for the next request, with the reason.',
      idempotent: true,
      retry: 'at any time; each answer counts one request more on the engine until it is observed again',
      failure: 'open',
      body: pickSchema,
      answers: { 200: pickAnswerSchema },
      handle: ({ body, incoming: { headers } }) => {
        objectivePriority(headers);
        return { json: engines.requests.pick({ ...latencyObjectives(headers), ...body }) };
      },
    }),
  ];
}
