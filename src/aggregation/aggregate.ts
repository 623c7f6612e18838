/** Five sources, and those that the host adds, become one aggregation. */
import { type AdditionalSource, type SourceName, type Sources, sourceNames } from '../sources/index.js';
import { withContributions } from './contributions.js';
import type { SourceHistory } from './history.js';
import { LoadDetector } from './load.js';
import { gradeSources } from './quality.js';
import type { Aggregation, ProcessingConstraints } from './schema.js';

/**
 * Five sources, and those that the host adds, become one aggregation.
 *
 *     data_quality_score = successful_sources / 5
 *
 * A source succeeded when it answered (state ok, partial or stale); unknown fields lower `quality_detail`, not the ratio.
 * With a history (SourceHistory, one for each engine) load is judged by the baseline of this engine, and figures are compared with
 * those before them; without it by fixed thresholds and by themselves.
 * Constraints of an unknown figure are null, never a default: who uses them decides.
 * Additional sources never count among the five: they have counts, errors and grades of their own, and tighten constraints and hints
 * by the keys they declare (contributions.ts).
 */
export function aggregateMultiSourceData(
  sources: Sources,
  history?: SourceHistory,
  additional: Readonly<Record<string, AdditionalSource>> = {},
): Aggregation {
  const successful = sourceNames.filter((name) => sources[name].state !== 'error');
  const { model_config, performance } = sources;
  const assessment = history?.observe(sources);
  const load = assessment?.load ?? new LoadDetector().judge(sources, 0);
  const metadata: Aggregation['unified_metadata'] = {
    active_model: model_config.model_name,
    processing_stats: { total_requests: performance.total_requests, engine_ready: performance.engine_ready },
  };
  for (const name of successful) metadata[`${name}_timestamp`] = sources[name].fetch_timestamp;
  const { succeeded, errors } = outcomes(additional);
  for (const name of succeeded) metadata[`${name}_timestamp`] = additional[name]!.fetch_timestamp;
  const processing_constraints = constraints(sources);
  return {
    total_sources: sourceNames.length,
    successful_sources: successful.length,
    failed_sources: sourceNames.length - successful.length,
    data_quality_score: successful.length / sourceNames.length,
    additional_sources: Object.keys(additional).length,
    additional_successful: succeeded.length,
    additional_failed: Object.keys(errors).length,
    additional_errors: errors,
    unified_metadata: metadata,
    ...withContributions(
      {
        processing_constraints,
        optimization_hints: {
          high_load_detected: load.high,
          engine_optimizations_available: performance.engine_ready,
          high_load_reasons: load.reasons,
        },
        constraint_origins: constraintOrigins(processing_constraints, sources),
        hint_origins: performance.engine_ready === null ? {} : { engine_optimizations_available: 'performance' },
      },
      additional,
    ),
    quality_detail: gradeSources(sources, assessment?.checks, additional),
  };
}

function outcomes(additional: Readonly<Record<string, AdditionalSource>>) {
  const succeeded: string[] = [];
  const errors: Aggregation['additional_errors'] = {};
  for (const [name, { state, error, error_code }] of Object.entries(additional)) {
    if (state !== 'error') succeeded.push(name);
    else errors[name] = { error: error ?? `the source ${name} failed`, error_code: error_code ?? null };
  }
  return { succeeded, errors };
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

function constraintOrigins(known: ProcessingConstraints, { model_config }: Sources): Record<string, string> {
  const origins: Record<string, SourceName> = {};
  if (known.max_sequence_length !== null) {
    origins['max_sequence_length'] = model_config.max_model_len === null ? 'tokenizer' : 'model_config';
  }
  if (known.max_concurrent !== null) origins['max_concurrent'] = 'resources';
  if (known.vocab_size !== null) origins['vocab_size'] = 'model_config';
  if (known.memory_available_bytes !== null) origins['memory_available_bytes'] = 'resources';
  if (known.kv_tokens_free !== null) origins['kv_tokens_free'] = 'performance';
  return origins;
}
