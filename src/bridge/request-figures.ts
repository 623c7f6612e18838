/**
 * What is counted and logged of each request at its end.
 *
 * Lines: every answer of 500 and above but those of probes, whose 503 is an answer; every one that was shed, every slow one, and one
 * in SAMPLE of the others. A line holds the
 * template of the route, never its path, query or body.
 */
import type { Served } from './http/index.js';
import { errorFacts, type Logger } from './logs/index.js';
import { shedCodes } from './messages/index.js';
import type { MetricsRegistry } from './metrics/index.js';
import { probeRoutes } from './routes/index.js';

const SLOW_MS = 1000;
const SAMPLE = 1000;
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Shed by the queue, which counts them itself. */
const countedElsewhere = new Set(['queue_full', 'queue_age', 'client_share', 'too_many_streams']);

export function requestFigures(metrics: MetricsRegistry, log: Logger): (request: Served) => void {
  const requests = metrics.counter('dtesn_http_requests_total', 'Requests answered.', ['route', 'method', 'code']);
  const seconds = metrics.histogram('dtesn_http_request_duration_seconds', 'Time to the end of the answer.', SECONDS, [
    'route',
  ]);
  const shed = metrics.counter('dtesn_shed_total', 'Requests refused or dropped before they were begun', ['reason']);
  const refused = metrics.counter('dtesn_auth_failures_total', 'Requests without a good token.', ['reason']);
  for (const reason of shedCodes) shed.begin({ reason });
  for (const reason of ['unauthorised', 'forbidden', 'foreign_origin']) refused.begin({ reason });
  let others = 0;
  return ({ route, method, status, ms, bytes, requestId, traceparent, error }) => {
    requests.inc({ route, method, code: String(status) });
    seconds.observe({ route }, ms / 1000);
    if (status === 401) refused.inc({ reason: 'unauthorised' });
    if (status === 403) refused.inc({ reason: error?.code ?? 'forbidden' });
    if (status === 429 && error !== null && !countedElsewhere.has(error.code)) shed.inc({ reason: error.code });
    const traceId = traceparent?.split('-')[1];
    const fields = { route, status, ms: Math.round(ms), bytes, reqId: requestId, traceId, code: error?.code };
    if (probeRoutes.has(route)) log.debug('probe', fields);
    else if (status >= 500) log.error('request failed', { ...fields, cause: causeOf(error) });
    else if (status === 429) log.warn('request shed', fields);
    else if (ms >= SLOW_MS && route !== '/v1/events') log.info('slow request', fields);
    else if (others++ % SAMPLE === 0) log.debug('request', fields);
  };
}

/** Facts of an unexpected error; the others are explained by their code. */
function causeOf(error: Served['error']): string | undefined {
  if (error?.code !== 'internal' || error.cause === undefined) return undefined;
  const { name, code, stack } = errorFacts(error.cause);
  return [name, code, stack].filter(Boolean).join(' | ');
}
