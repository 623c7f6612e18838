/**
 * Checks that the figures of a source are possible. A check applies when every figure it needs is known.
 *
 *     plausibility = checks passed / checks that apply, 1 when none applies
 */
import type { Sources } from '../sources/index.js';

export interface Plausibility {
  value: number;
  /** One sentence a check that failed. */
  implausible: string[];
}

type Figure = number | null;

/** Null: not applicable. True: passed. A string: what is wrong. */
type Check = true | string | null;

export function plausibility(sources: Sources, name: keyof Sources, overTime: Check[] = []): Plausibility {
  const applied = [...checks[name](sources), ...overTime].filter((check) => check !== null);
  const implausible = applied.filter((check) => check !== true);
  return { value: applied.length === 0 ? 1 : 1 - implausible.length / applied.length, implausible };
}

const checks: { [Name in keyof Sources]: (sources: Sources) => Check[] } = {
  model_config: ({ model_config: { max_model_len, vocab_size, hidden_size } }) => [
    positive('max_model_len', max_model_len),
    positive('vocab_size', vocab_size),
    positive('hidden_size', hidden_size),
  ],
  tokenizer: ({ tokenizer: { round_trip_ok, max_model_len }, model_config }) => [
    round_trip_ok === null || round_trip_ok || 'the probe text changed in tokenize and detokenize',
    equal('max_model_len of tokenizer and of model_config', max_model_len, model_config.max_model_len),
  ],
  performance: ({ performance: p }) => [
    share('kv_cache_usage', p.kv_cache_usage),
    share('kv_cache_usage_max', p.kv_cache_usage_max),
    notNegative('running', p.running),
    notNegative('waiting', p.waiting),
    equal('waiting and the sum of its reasons', p.waiting, total(p.waiting_by_reason)),
    equal('concurrent_requests and running + waiting', p.concurrent_requests, sum(p.running, p.waiting)),
    atMost('error_count', p.error_count, 'total_requests', p.total_requests),
  ],
  processing_state: ({ processing_state: { membrane_cache_size, esn_cache_size, bseries_cache_size } }) => [
    notNegative('membrane_cache_size', membrane_cache_size),
    notNegative('esn_cache_size', esn_cache_size),
    notNegative('bseries_cache_size', bseries_cache_size),
  ],
  resources: ({ resources: { max_concurrent_processes, cpu_count, memory_available_bytes, ...rest } }) => [
    positive('max_concurrent_processes', max_concurrent_processes),
    positive('cpu_count', cpu_count),
    atMost(
      'memory_available_bytes',
      memory_available_bytes,
      'memory_total_bytes',
      rest.current_processing_load?.['memory_total_bytes'] ?? null,
    ),
  ],
};

function positive(name: string, value: Figure): Check {
  return value === null ? null : value > 0 || `${name} is ${value}`;
}

function notNegative(name: string, value: Figure): Check {
  return value === null ? null : value >= 0 || `${name} is ${value}`;
}

function share(name: string, value: Figure): Check {
  return value === null ? null : (value >= 0 && value <= 1) || `${name} is ${value}, not in [0, 1]`;
}

function atMost(name: string, value: Figure, limitName: string, limit: Figure): Check {
  if (value === null || limit === null) return null;
  return value <= limit || `${name} is ${value}, more than ${limitName} ${limit}`;
}

function equal(names: string, a: Figure, b: Figure): Check {
  return a === null || b === null ? null : a === b || `${names} differ: ${a} and ${b}`;
}

function total(parts: Record<string, number> | null): Figure {
  return parts === null ? null : Object.values(parts).reduce((a, b) => a + b, 0);
}

function sum(a: Figure, b: Figure): Figure {
  return a === null || b === null ? null : a + b;
}
