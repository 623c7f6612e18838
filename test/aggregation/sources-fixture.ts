/** Five sources as a healthy engine and a calm host give them, one that the host adds, and a failed source as the fetch leaves it. */
import type { AdditionalSource, SourceName, Sources } from '../../src/sources/index.js';

const answered = {
  ...{ state: 'ok' as const, latency_ms: 1, age_ms: 0, unknown: [], fetch_timestamp: 1_700_000_000 },
  ...{ fresh_until: 1_700_000_000, cache: 'miss' as const },
};

type Changes = { [Name in SourceName]?: Partial<Sources[Name]> };

export function goodSources(changes: Changes = {}): Sources {
  return {
    model_config: {
      model_name: 'org/model',
      max_model_len: 2048,
      vocab_size: 320,
      hidden_size: 4096,
      dtype: 'bfloat16',
      engine_version: '0.9.9',
      trained_length: 4096,
      tokenizer_size: 300,
      conflicts: [],
      provenance: {},
      source_type: 'model_config',
      ...answered,
      ...changes.model_config,
    },
    tokenizer: {
      tokenizer_available: true,
      engine_type: 'aphrodite',
      has_encode_method: true,
      has_decode_method: true,
      round_trip_ok: true,
      max_model_len: 2048,
      source_type: 'tokenizer',
      ...answered,
      ...changes.tokenizer,
    },
    performance: {
      total_requests: 204,
      concurrent_requests: 19,
      error_count: 0,
      last_sync_time: 1_700_000_000,
      engine_ready: true,
      running: 19,
      waiting: 0,
      kv_cache_usage: 0.5,
      kv_cache_usage_max: 0.5,
      kv_tokens_capacity: 80_000,
      generation_tokens_total: 34_635,
      prompt_tokens_total: 306_349,
      preemptions_total: 4,
      requests_by_reason: { stop: 204 },
      waiting_by_reason: { capacity: 0, deferred: 0 },
      inference_seconds_total: 1200,
      process_start_time: 1_699_999_000,
      source_type: 'performance',
      ...answered,
      ...changes.performance,
    },
    processing_state: {
      membrane_cache_size: 8,
      esn_cache_size: 1,
      bseries_cache_size: 1,
      batch_manager_active: true,
      concurrency_manager_active: true,
      source_type: 'processing_state',
      ...answered,
      ...changes.processing_state,
    },
    resources: {
      max_concurrent_processes: 4,
      current_processing_load: { cpu_pressure: 0.05, memory_total_bytes: 8 * 2 ** 30 },
      available_membranes: ['skin'],
      echo_kern_available: true,
      memory_available_bytes: 4 * 2 ** 30,
      cpu_count: 4,
      source_type: 'resources',
      ...answered,
      ...changes.resources,
    },
  };
}

/** The same sources with those named failed: every figure null, the error kept. */
export function withFailed(names: readonly SourceName[], sources: Sources = goodSources()): Sources {
  const failed = { ...sources } as Record<SourceName, unknown>;
  for (const name of names) {
    const { source_type, fetch_timestamp, ...fields } = sources[name];
    const figures = Object.keys(fields).filter((key) => !(key in answered));
    failed[name] = {
      ...Object.fromEntries(figures.map((key) => [key, null])),
      source_type,
      ...answered,
      fetch_timestamp,
      state: 'error',
      unknown: figures,
      error: `${name} source is not there`,
      error_code: 'ERR_DTESN_ENGINE_REFUSED',
    };
  }
  return failed as Sources;
}

/** A source of the host that was just answered and stays fresh for ten seconds. */
export function additionalSource(changes: Partial<AdditionalSource> = {}): AdditionalSource {
  return {
    data: {},
    source_type: 'additional',
    state: 'ok',
    latency_ms: 1,
    age_ms: 0,
    fetch_timestamp: 1_700_000_000,
    fresh_until: 1_700_000_010,
    cache: 'miss',
    unknown: [],
    weight: 1,
    constraints: {},
    hints: {},
    ...changes,
  };
}

export function failedAdditional(changes: Partial<AdditionalSource> = {}): AdditionalSource {
  return additionalSource({
    ...{ data: null, state: 'error', error: 'it did not answer', error_code: 'ERR_DTESN_SOURCE_TIMEOUT' },
    ...changes,
  });
}
