/** What describes the bridge: its metrics and its OpenAPI document. */
import { type Endpoint, endpoint, openApiOf } from '../http/index.js';
import { doneSchema } from '../messages/index.js';
import { METRICS_CONTENT_TYPE, type MetricsRegistry } from '../metrics/index.js';

export function metricsEndpoint(metrics: MetricsRegistry): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/metrics',
    scope: 'read',
    summary: 'Metrics of the bridge in Prometheus text format 0.0.4.',
    idempotent: true,
    retry: 'at any time',
    failure: 'open',
    answers: { 200: 'text/plain' },
    handle: () => ({ text: metrics.text(), type: METRICS_CONTENT_TYPE }),
  });
}

/** `endpoints`: all that the document describes; it describes itself too. */
export function openApiEndpoint(endpoints: readonly Endpoint[], version: string): Endpoint {
  let text: string | null = null;
  const own: Endpoint = endpoint({
    method: 'GET',
    path: '/openapi.json',
    scope: 'read',
    summary: 'This document: OpenAPI 3.1 of every endpoint.',
    idempotent: true,
    retry: 'at any time',
    failure: 'open',
    answers: { 200: doneSchema },
    handle: () => {
      text ??= JSON.stringify(openApiOf([...endpoints, own], version));
      return { text, type: 'application/json' };
    },
  });
  return own;
}
