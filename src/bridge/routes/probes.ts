/** The probes on the main listeners: the same answers as the probe listener gives, without its promise of latency. */
import { type Endpoint, endpoint } from '../http/index.js';
import { probeSchema } from '../messages/index.js';
import type { Heartbeat } from '../probes/index.js';

export function probeEndpoints(heartbeat: Heartbeat): Endpoint[] {
  const paths = {
    '/livez': 'Whether the process works.',
    '/healthz': 'As /livez.',
    '/readyz': 'Whether requests are served: listeners bound, network built, state recovered, not draining.',
    '/health': 'As /readyz.',
  };
  return Object.entries(paths).map(([path, summary]) =>
    endpoint({
      method: 'GET',
      path,
      scope: 'open',
      summary,
      idempotent: true,
      retry: 'at any time',
      failure: 'open',
      answers: { 200: probeSchema, 503: probeSchema },
      handle: ({ incoming }) => {
        const { status, body } = heartbeat.answer(incoming.url ?? path)!;
        return { status, text: body, type: 'application/json' };
      },
    }),
  );
}
