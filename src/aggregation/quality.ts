/**
 * Grades of the five sources, beside the plain ratio the format publishes.
 *
 *     freshness    = 2^(-age / fresh ttl): 1 when just answered, 1/2 at the end of the fresh time
 *     completeness = published fields known / published fields
 *     plausibility = checks passed / checks that apply
 *     score of a source = mean of the three; score = mean of the five; a failed source has 0 everywhere
 */
import { freshness as lifetimes, type SourceName, type Sources, sourceNames } from '../sources/index.js';
import { plausibility } from './plausibility.js';
import type { Aggregation, SourceGrade } from './schema.js';

/** The fields the published format gives each source, besides source_type and fetch_timestamp. */
const publishedFields: { [Name in SourceName]: readonly (keyof Sources[Name])[] } = {
  model_config: ['model_name', 'max_model_len', 'vocab_size', 'hidden_size', 'dtype'],
  tokenizer: ['tokenizer_available', 'engine_type', 'has_encode_method', 'has_decode_method'],
  performance: ['total_requests', 'concurrent_requests', 'error_count', 'last_sync_time', 'engine_ready'],
  processing_state: [
    'membrane_cache_size',
    'esn_cache_size',
    'bseries_cache_size',
    'batch_manager_active',
    'concurrency_manager_active',
  ],
  resources: ['max_concurrent_processes', 'current_processing_load', 'available_membranes', 'echo_kern_available'],
};

/** `overTime`: checks of the performance source against earlier ones. */
export function gradeSources(sources: Sources, overTime: (true | string)[] = []): Aggregation['quality_detail'] {
  const grades = {
    model_config: grade(sources, 'model_config'),
    tokenizer: grade(sources, 'tokenizer'),
    performance: grade(sources, 'performance', overTime),
    processing_state: grade(sources, 'processing_state'),
    resources: grade(sources, 'resources'),
  };
  const total = sourceNames.reduce((sum, name) => sum + grades[name].score, 0);
  return { score: total / sourceNames.length, sources: grades };
}

function grade<Name extends SourceName>(sources: Sources, name: Name, overTime: (true | string)[] = []): SourceGrade {
  const source = sources[name];
  if (source.state === 'error') return { freshness: 0, completeness: 0, plausibility: 0, score: 0, implausible: [] };
  const { freshMs } = lifetimes[name];
  // A source without a fresh time is read anew for every fetch.
  const freshness = freshMs === 0 ? 1 : 2 ** (-source.age_ms / freshMs);
  const fields = publishedFields[name];
  const known = fields.filter((field) => source[field] !== null).length;
  const completeness = known / fields.length;
  const { value, implausible } = plausibility(sources, name, overTime);
  return { freshness, completeness, plausibility: value, score: (freshness + completeness + value) / 3, implausible };
}
