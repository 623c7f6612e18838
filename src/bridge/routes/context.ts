/** What the bridge knows of an engine for a decision: the five sources, their aggregation, and the plan with its reasons. */
import { z } from 'zod';
import { engineContextSchema } from '../../processor/index.js';
import type { EngineContexts } from '../engine-contexts.js';
import { type Endpoint, endpoint } from '../http/index.js';

const query = z.strictObject({
  engine: z.string().min(1).max(256).optional().describe('the name of an engine; the first one when absent'),
});

export function contextEndpoints(contexts: EngineContexts): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/context',
      scope: 'read',
      summary: 'The five sources of an engine, aggregated, and the plan that follows from them, explained.',
      idempotent: true,
      retry: 'at any time',
      failure: 'open',
      query,
      answers: { 200: engineContextSchema },
      handle: async ({ query: { engine }, signal }) => ({ json: await contexts.of(engine, signal) }),
    }),
  ];
}
