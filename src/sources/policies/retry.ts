/**
 * Whether a failed question is asked once more, and when.
 *
 *     wait before retry k = uniform(25 ms, min(400 ms, 100 ms · 4^(k-1))), k = 1, 2     (full jitter above the floor)
 *     wait = max(wait, Retry-After)
 *
 * Asked again: a broken connection, and the statuses 408, 429, 500, 502, 503, 504. Not again: what would be answered the
 * same (400, 401, 403, 404, 413, 501 and every other status, a wrong body), an engine that is slow or does not listen
 * (more questions make neither faster), one that changes its size. Everything asked of an engine here is idempotent.
 * Source: Brooker (2015), "Exponential backoff and jitter", AWS Architecture Blog.
 */
import { type EngineError, isEngineError, isScaling } from '../../engine/index.js';

const maxRetries = 2;
const shortestMs = 25;
const longestMs = 400;
const transient = new Set([408, 429, 500, 502, 503, 504]);

/** Milliseconds until retry number `retry` (1, 2, ...); null when the failure is final. */
export function retryDelay(error: unknown, retry: number, random: () => number = Math.random): number | null {
  if (retry > maxRetries || !isEngineError(error) || !isTransient(error)) return null;
  const most = Math.min(longestMs, 100 * 4 ** (retry - 1));
  return Math.max(shortestMs + random() * (most - shortestMs), error.retryAfterMs ?? 0);
}

function isTransient(error: EngineError): boolean {
  if (error.code === 'ERR_DTESN_ENGINE_RESET') return true;
  return error.code === 'ERR_DTESN_ENGINE_HTTP' && transient.has(error.status ?? 0) && !isScaling(error);
}
