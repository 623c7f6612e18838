/**
 * Five sources become one aggregation.
 *
 *     data_quality_score = successful_sources / 5
 *
 * A source succeeded when it answered (state ok, partial or stale); unknown fields lower `quality_detail`, not the ratio.
 * With a history (SourceHistory, one for each engine) load is judged by what is usual of this engine, and figures are held against
 * those before them; without it by fixed thresholds and by themselves.
 * Constraints of an unknown figure are null, never a default: who uses them decides.
 */
import { type Sources, sourceNames } from '../sources/index.js';
import type { SourceHistory } from './history.js';
import { LoadDetector } from './load.js';
import { gradeSources } from './quality.js';
import type { Aggregation, ProcessingConstraints } from './schema.js';

export function aggregateMultiSourceData(sources: Sources, history?: SourceHistory): Aggregation {
  const successful = sourceNames.filter((name) => sources[name].state !== 'error');
  const { model_config, performance } = sources;
  const seen = history?.observe(sources);
  const load = seen?.load ?? new LoadDetector().judge(sources, 0);
  const metadata: Aggregation['unified_metadata'] = {
    active_model: model_config.model_name,
    processing_stats: { total_requests: performance.total_requests, engine_ready: performance.engine_ready },
  };
  for (const name of successful) metadata[`${name}_timestamp`] = sources[name].fetch_timestamp;
  return {
    total_sources: sourceNames.length,
    successful_sources: successful.length,
    failed_sources: sourceNames.length - successful.length,
    data_quality_score: successful.length / sourceNames.length,
    unified_metadata: metadata,
    processing_constraints: constraints(sources),
    optimization_hints: {
      high_load_detected: load.high,
      engine_optimizations_available: performance.engine_ready,
      high_load_reasons: load.reasons,
    },
    quality_detail: gradeSources(sources, seen?.checks),
  };
}

function constraints({ model_config, tokenizer, performance, resources }: Sources): ProcessingConstraints {
  const { kv_tokens_capacity: capacity, kv_cache_usage: usage } = performance;
  return {
    // The tokenizer's answer knows the length too, and stays open where /v1/models asks for a credential.
    max_sequence_length: model_config.max_model_len ?? tokenizer.max_model_len,
    max_concurrent: resources.max_concurrent_processes,
    vocab_size: model_config.vocab_size,
    memory_available_bytes: resources.memory_available_bytes,
    kv_tokens_free: capacity === null || usage === null ? null : Math.max(0, Math.round((1 - usage) * capacity)),
  };
}
