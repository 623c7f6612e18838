/** The id of a request and its W3C trace context: taken from the caller where they are valid, else made here or left out. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ID_PATTERN, TRACEPARENT_PATTERN } from '../messages/index.js';

export function requestIdOf({ 'x-request-id': given }: IncomingHttpHeaders): string {
  return typeof given === 'string' && ID_PATTERN.test(given) ? given : randomUUID();
}

/** The header `traceparent` where it is valid. */
export function traceparentOf({ traceparent }: IncomingHttpHeaders): string | undefined {
  return typeof traceparent === 'string' && TRACEPARENT_PATTERN.test(traceparent) ? traceparent : undefined;
}
