/**
 * The headers in which routers of llm-d say what a request is to have.
 *
 *     x-llm-d-slo-ttft-ms, x-llm-d-slo-tpot-ms    objectives in milliseconds, above 0
 *     x-llm-d-inference-objective                 a whole number is a priority: below 0 low (what may be shed), 0 normal, above 0
 *                                                 high. The name of an InferenceObjective is taken as 0: only its cluster knows it
 *
 * Errors: BridgeError malformed for another value.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { BridgeError } from '../messages/index.js';

const priority = /^[+-]?\d{1,9}$/;
/** Names of Kubernetes (RFC 1123). */
const objectiveName = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const milliseconds = /^\d{1,9}(\.\d{1,9})?$/;

export function latencyObjectives(headers: IncomingHttpHeaders): { sloTtftMs?: number; sloTpotMs?: number } {
  const sloTtftMs = msOf(headers, 'x-llm-d-slo-ttft-ms');
  const sloTpotMs = msOf(headers, 'x-llm-d-slo-tpot-ms');
  return { ...(sloTtftMs !== undefined && { sloTtftMs }), ...(sloTpotMs !== undefined && { sloTpotMs }) };
}

/** The priority that the header asks for; 'normal' without it. */
export function objectivePriority(headers: IncomingHttpHeaders): 'high' | 'normal' | 'low' {
  const text = headers['x-llm-d-inference-objective'];
  if (text === undefined) return 'normal';
  if (typeof text === 'string' && priority.test(text)) {
    const value = Number(text);
    if (value === 0) return 'normal';
    return value < 0 ? 'low' : 'high';
  }
  if (typeof text === 'string' && objectiveName.test(text)) return 'normal';
  throw new BridgeError(
    'malformed',
    'Expected a whole number or the name of an InferenceObjective for x-llm-d-inference-objective',
  );
}

function msOf(headers: IncomingHttpHeaders, name: string): number | undefined {
  const text = headers[name];
  if (text === undefined) return undefined;
  const ms = Number(text);
  if (typeof text === 'string' && milliseconds.test(text) && ms > 0) return ms;
  throw new BridgeError('malformed', `Expected milliseconds above 0 for ${name}`);
}
