/**
 * Grades of the sources, beside the plain ratio the format publishes.
 *
 *     freshness    = 2^(-age / fresh ttl): 1 when just answered, 1/2 at the end of the fresh time
 *     completeness = published fields known / published fields
 *     plausibility = checks passed / checks that apply
 *     score of a source = mean of the three; a failed source has 0 everywhere
 *     score             = (sum of the five + sum of weight · score of each additional one) / (5 + sum of weights)
 *
 * The fresh time is fresh_until - fetch_timestamp of the answer. The completeness of an additional source is the share of the
 * constraints and hints it declares that are known, 1 where it declares none; its figures cannot be checked, so
 * its plausibility is 1.
 */
import { type AdditionalSource, type SourceName, type Sources, sourceNames } from '../sources/index.js';
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
export function gradeSources(
  sources: Sources,
  overTime: (true | string)[] = [],
  additional: Readonly<Record<string, AdditionalSource>> = {},
): Aggregation['quality_detail'] {
  const five: Record<SourceName, SourceGrade> = {
    model_config: grade(sources, 'model_config'),
    tokenizer: grade(sources, 'tokenizer'),
    performance: grade(sources, 'performance', overTime),
    processing_state: grade(sources, 'processing_state'),
    resources: grade(sources, 'resources'),
  };
  let total = sourceNames.reduce((sum, name) => sum + five[name].score, 0);
  let weights = sourceNames.length;
  const grades: Aggregation['quality_detail']['sources'] = five;
  for (const [name, source] of Object.entries(additional)) {
    grades[name] = gradeAdditional(source);
    total += source.weight * grades[name].score;
    weights += source.weight;
  }
  return { score: total / weights, sources: grades };
}

/** From the fresh time in the answer; 1 for a source without one, which is fetched every time. */
function freshnessOf({
  age_ms,
  fresh_until,
  fetch_timestamp,
}: Pick<AdditionalSource, 'age_ms' | 'fresh_until' | 'fetch_timestamp'>): number {
  const freshMs = 1000 * (fresh_until - fetch_timestamp);
  return freshMs > 0 ? 2 ** (-age_ms / freshMs) : 1;
}

const failed = (): SourceGrade => ({ freshness: 0, completeness: 0, plausibility: 0, score: 0, implausible: [] });

function grade<Name extends SourceName>(sources: Sources, name: Name, overTime: (true | string)[] = []): SourceGrade {
  const source = sources[name];
  if (source.state === 'error') return failed();
  const freshness = freshnessOf(source);
  const fields = publishedFields[name];
  const known = fields.filter((field) => source[field] !== null).length;
  const completeness = known / fields.length;
  const { value, implausible } = plausibility(sources, name, overTime);
  return { freshness, completeness, plausibility: value, score: (freshness + completeness + value) / 3, implausible };
}

function gradeAdditional(source: AdditionalSource): SourceGrade {
  if (source.state === 'error') return failed();
  const freshness = freshnessOf(source);
  const declared = [...Object.values(source.constraints), ...Object.values(source.hints)];
  const known = declared.filter((value) => value !== null).length;
  const completeness = declared.length === 0 ? 1 : known / declared.length;
  return { freshness, completeness, plausibility: 1, score: (freshness + completeness + 1) / 3, implausible: [] };
}
