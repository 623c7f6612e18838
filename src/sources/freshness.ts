/**
 * How long an answer of a source serves, in milliseconds of the monotonic clock.
 *
 *     age <= fresh               served as it is
 *     fresh < age <= stale       served at once as `stale`, and asked anew in the background
 *     age > stale, or no answer  asked anew, and waited for
 *
 * A failure is remembered for `retry`, so that a sick engine is not stormed. Gauges mislead when they are old, so
 * performance is never served past 10 s; what the processor says of itself is never kept.
 */
import type { SourceName } from './types.js';

export interface Freshness {
  freshMs: number;
  staleMs: number;
  retryMs: number;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

export const freshness: Readonly<Record<SourceName, Freshness>> = {
  model_config: { freshMs: 5 * minute, staleMs: 24 * hour, retryMs: second },
  tokenizer: { freshMs: 10 * minute, staleMs: 24 * hour, retryMs: second },
  performance: { freshMs: second / 2, staleMs: 10 * second, retryMs: second / 2 },
  processing_state: { freshMs: 0, staleMs: 0, retryMs: 0 },
  resources: { freshMs: 2 * second, staleMs: 30 * second, retryMs: 0 },
};
