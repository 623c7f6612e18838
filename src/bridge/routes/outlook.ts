/** Whether a request is taken, and what is expected of each engine. */
import type { EngineSet } from '../engines/index.js';
import { type Endpoint, endpoint } from '../http/index.js';
import {
  admitAnswerSchema,
  admitSchema,
  BridgeError,
  outlookAnswerSchema,
  outlookQuery,
  scaleHintAnswerSchema,
  scaleHintQuery,
} from '../messages/index.js';
import { latencyObjectives, objectivePriority } from './objectives.js';

const priorities = { low: -1, normal: 0, high: 1 };

export function outlookEndpoints(engines: EngineSet): Endpoint[] {
  return [
    endpoint({
      method: 'POST',
      path: '/v1/admit',
      scope: 'use',
      summary:
        'Whether a request is taken, by which engine, and when its first token is expected; else when to ask again.',
      idempotent: true,
      retry: 'at any time; each admission counts as queued on its engine for half a second, or until it is dispatched',
      failure: 'open',
      body: admitSchema,
      answers: { 200: admitAnswerSchema },
      handle: ({ body, incoming: { headers } }) => {
        const { sloTtftMs, ttftSloMs = sloTtftMs ?? latencyObjectives(headers).sloTtftMs, ...rest } = body;
        const priority = rest.priority ?? priorities[objectivePriority(headers)];
        if (ttftSloMs === undefined) {
          throw new BridgeError('malformed', 'Expected milliseconds for ttftSloMs, or the header x-llm-d-slo-ttft-ms');
        }
        return { json: engines.requests.admit({ ...rest, ttftSloMs, priority }) };
      },
    }),
    endpoint({
      method: 'GET',
      path: '/v1/outlook',
      scope: 'read',
      summary: 'When a first token is expected of each engine, and how well that was known lately.',
      idempotent: true,
      retry: 'at any time',
      failure: 'open',
      query: outlookQuery,
      answers: { 200: outlookAnswerSchema },
      handle: ({ query: { promptTokens } }) => ({ json: engines.requests.outlook(promptTokens) }),
    }),
    endpoint({
      method: 'GET',
      path: '/v1/scale-hint',
      scope: 'read',
      summary: 'How many engines to have, so that there are enough when one that starts now can serve.',
      idempotent: true,
      retry: 'at any time',
      failure: 'open',
      query: scaleHintQuery,
      answers: { 200: scaleHintAnswerSchema },
      handle: ({ query }) => ({ json: engines.requests.scaleHint({ ...engines.scale, ...query }) }),
    }),
  ];
}
