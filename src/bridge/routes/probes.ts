/**
 * The probes on the main listeners: the same answers as the probe listener gives, without its promise of latency. `/readyz?verbose`
 * says here what the parts of the bridge do, too: the probe thread sees none of them.
 */
import { z } from 'zod';
import { type Endpoint, endpoint } from '../http/index.js';
import { probeSchema } from '../messages/index.js';
import type { Heartbeat } from '../probes/index.js';

const paths = {
  '/livez': 'Whether the process works.',
  '/healthz': 'As /livez.',
  '/readyz': 'Whether requests are served: listeners bound, network built, state recovered, not draining.',
  '/health': 'As /readyz.',
};
const query = z.strictObject({
  verbose: z
    .string()
    .max(16)
    .optional()
    .describe('each condition too; of readiness, also what the parts of the bridge do'),
});

/** Templates of the probes, whose 503 is an answer and no failure. */
export const probeRoutes: ReadonlySet<string> = new Set(Object.keys(paths));

/** `parts`: what readiness says of engines, sources, disk and queue. */
export function probeEndpoints(heartbeat: Heartbeat, parts: () => object): Endpoint[] {
  return Object.entries(paths).map(([path, summary]) =>
    endpoint({
      method: 'GET',
      path,
      scope: 'open',
      summary,
      idempotent: true,
      retry: 'at any time',
      failure: 'open',
      query,
      answers: { 200: probeSchema, 503: probeSchema },
      handle: ({ incoming, query: { verbose } }) => {
        const { status, body } = heartbeat.answer(incoming.url ?? path)!;
        const isDetailed = verbose !== undefined && (path === '/readyz' || path === '/health');
        const text = isDetailed ? `${JSON.stringify({ ...JSON.parse(body), parts: parts() })}\n` : body;
        return { status, text, type: 'application/json' };
      },
    }),
  );
}
