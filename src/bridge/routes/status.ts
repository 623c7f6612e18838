/** GET /v1/status: what runs, in one object, for the dashboard and for people. */
import { type Endpoint, endpoint } from '../http/index.js';
import { doneSchema } from '../messages/index.js';

export function statusEndpoint(status: () => object): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/v1/status',
    scope: 'read',
    summary:
      'The bridge itself: version, phase, counts of sessions, rows and inputs, queue, the last activity of the membranes.',
    idempotent: true,
    retry: 'at any time',
    failure: 'open',
    answers: { 200: doneSchema },
    handle: () => ({ json: status() }),
  });
}
