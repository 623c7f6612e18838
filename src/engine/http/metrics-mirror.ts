/**
 * An engine's metrics from another place, such as a proxy or a file server that has a copy: one URL that answers GET
 * with Prometheus text.
 */
import { z } from 'zod';
import { type Clock, clockOption } from '../../abort/index.js';
import { argumentError, checkOptions, rangeError } from '../../errors/index.js';
import type { Engine, RequestOptions } from '../engine.js';
import { statusError } from '../engine-error.js';
import { partialEngine } from '../partial-engine.js';
import { maxMetricsBytes } from './engine-http.js';
import { HttpClient } from './http-client.js';
import { Redaction } from './redaction.js';

export const optionsSchema = z.object({
  apiKey: z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .optional()
    .describe('visible ASCII characters'),
  timeoutMs: z.number().positive().max(600_000).default(1000).describe('milliseconds in (0, 600000]'),
  clock: clockOption,
});

/** Options of metricsMirror: its key, time limit and clock. */
export interface MetricsMirrorOptions {
  /** API key, sent as a bearer token; visible ASCII characters. Default: none. */
  apiKey?: string | undefined;
  /** Milliseconds for one request, in (0, 600,000]. Default 1000. */
  timeoutMs?: number | undefined;
  /** What `timeoutMs` is measured by. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

/**
 * An engine's metrics from another place, such as a proxy or a file server that has a copy: one URL that answers GET with
 * Prometheus text. It answers nothing else, so whether the engine is ready stays unknown.
 *
 * Limit: 8 MiB. The label leaves the query
 * out, for it may hold a credential. Errors: TypeError or RangeError for what is no http URL; EngineError, see engine-error.ts.
 */
export function metricsMirror(url: string | URL, options: MetricsMirrorOptions = {}): Engine {
  const { apiKey, timeoutMs, clock } = checkOptions(optionsSchema, options, 'metricsMirror');
  const place = checkedUrl(url);
  const label = `metrics mirror ${place.origin}${place.pathname}`;
  const client = new HttpClient({ secure: place.protocol === 'https:', timeoutMs, clock });
  const redaction = new Redaction(apiKey);
  const headers = {
    'accept-encoding': 'identity',
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
  };
  const metrics = async ({ signal }: RequestOptions = {}) => {
    const request = { method: 'GET' as const, url: place, headers, maxBytes: maxMetricsBytes, vital: true };
    const answer = await client.exchange(request, signal).catch((error: unknown) => {
      throw redaction.error(error);
    });
    if (answer.status >= 200 && answer.status < 300) return redaction.body(answer.body);
    throw statusError(`GET of the ${label}`, answer, (words) => redaction.text(words));
  };
  return partialEngine(label, ['performance'], { metrics, close: async () => client.close() });
}

function checkedUrl(given: string | URL): URL {
  const expected = 'an http or https URL without a user';
  if (typeof given !== 'string' && !(given instanceof URL)) throw argumentError(expected, 'url', given);
  const url = URL.canParse(String(given)) ? new URL(given) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw rangeError(expected, 'url', String(given));
  if (url.username !== '' || url.password !== '') throw rangeError(expected, 'url', 'one with a user'); // never shown
  return url;
}
