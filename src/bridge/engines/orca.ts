/**
 * Load that an engine says in the header `endpoint-load-metrics` of an answer (ORCA; vLLM from 0.11 on, when the request has
 * `endpoint-load-metrics-format`):
 *
 *     TEXT named_metrics.kv_cache_usage_perc=0.4, named_metrics.num_requests_waiting=3
 *     JSON {"named_metrics": {"kv_cache_usage_perc": 0.4, "num_requests_waiting": 3}}
 *
 * The JSON may also come parsed, and the names without `named_metrics`. What cannot be read is null: a load report is a hint.
 */
import type { ReportedLoad } from '../../outlook/index.js';

const LONGEST = 4096;

export function orcaLoad(said: string | Readonly<Record<string, unknown>>): ReportedLoad | null {
  const metrics = typeof said === 'string' ? parsed(said.slice(0, LONGEST)) : said;
  if (metrics === null) return null;
  const named = metrics['named_metrics'];
  const source = typeof named === 'object' && named !== null ? (named as Record<string, unknown>) : metrics;
  const kvUsage = number(source['kv_cache_usage_perc'] ?? source['kv_cache_utilization']);
  const load = {
    running: number(source['num_requests_running']),
    waiting: number(source['num_requests_waiting']),
    kvUsage: kvUsage !== null && kvUsage <= 1 ? kvUsage : null,
  };
  return Object.values(load).every((value) => value === null) ? null : load;
}

function parsed(text: string): Record<string, unknown> | null {
  const [, form, body = ''] = /^\s*(?:(TEXT|JSON)\s)?\s*(.*)$/is.exec(text) ?? [];
  if (form?.toUpperCase() === 'TEXT' || !body.startsWith('{')) return pairs(body);
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return null; // a hint that is not JSON is no hint
  }
}

function pairs(text: string): Record<string, unknown> {
  const entries = text.split(',').map((pair) => pair.split('='));
  return Object.fromEntries(
    entries.map(([name = '', value = '']) => [name.trim().replace(/^named_metrics\./, ''), value.trim()]),
  );
}

function number(value: unknown): number | null {
  const read = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof read === 'number' && Number.isFinite(read) && read >= 0 ? read : null;
}
