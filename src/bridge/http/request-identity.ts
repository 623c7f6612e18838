/** The id of a request and its W3C trace context: taken from the caller where they are valid, else made here or left out. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const validId = /^[A-Za-z0-9._:-]{1,128}$/;
const validTrace = /^[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export function requestIdOf({ 'x-request-id': given }: IncomingHttpHeaders): string {
  return typeof given === 'string' && validId.test(given) ? given : randomUUID();
}

/** The header `traceparent` where it is well-formed; version ff is not. Source: W3C Trace Context, section 3.2. */
export function traceparentOf({ traceparent }: IncomingHttpHeaders): string | undefined {
  const isValid = typeof traceparent === 'string' && validTrace.test(traceparent) && !traceparent.startsWith('ff');
  return isValid ? traceparent : undefined;
}
