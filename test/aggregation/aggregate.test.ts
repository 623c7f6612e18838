import { describe, expect, test } from 'vitest';
import { aggregateMultiSourceData, aggregationSchema } from '../../src/aggregation/index.js';
import { sourceNames, sourcesSchema } from '../../src/sources/index.js';
import fc from '../property/fast-check.js';
import { goodSources, withFailed } from './sources-fixture.js';

describe('a healthy engine', () => {
  const aggregation = aggregateMultiSourceData(goodSources());

  test('an aggregation has all keys of the published format', () => {
    expect(aggregationSchema.parse(aggregation)).toEqual(aggregation);
    expect(Object.keys(aggregation)).toEqual(
      expect.arrayContaining([
        ...['total_sources', 'successful_sources', 'failed_sources', 'data_quality_score'],
        ...['unified_metadata', 'processing_constraints', 'optimization_hints'],
      ]),
    );
    expect(aggregation.unified_metadata).toEqual({
      model_config_timestamp: 1_700_000_000,
      tokenizer_timestamp: 1_700_000_000,
      performance_timestamp: 1_700_000_000,
      processing_state_timestamp: 1_700_000_000,
      resources_timestamp: 1_700_000_000,
      active_model: 'org/model',
      processing_stats: { total_requests: 204, engine_ready: true },
    });
    expect(aggregation.processing_constraints).toEqual({
      max_sequence_length: 2048,
      max_concurrent: 4,
      vocab_size: 320,
      memory_available_bytes: 4 * 2 ** 30,
      kv_tokens_free: 40_000,
    });
  });

  test('a healthy engine has the highest grades', () => {
    expect(aggregation.data_quality_score).toBe(1);
    expect(aggregation.quality_detail.score).toBe(1);
  });

  test('running requests alone are not high load', () => {
    expect(aggregation.optimization_hints).toEqual({
      high_load_detected: false,
      engine_optimizations_available: true,
      high_load_reasons: [],
    });
  });
});

describe('failed sources', () => {
  test('failed sources lower the score to k/5, count as failed and have no timestamp', () => {
    fc.assert(
      fc.property(fc.subarray([...sourceNames]), (failed) => {
        const sources = withFailed(failed);
        expect(sourcesSchema.safeParse(sources).success).toBe(true);
        const aggregation = aggregateMultiSourceData(sources);
        const good = 5 - failed.length;
        expect(aggregationSchema.parse(aggregation)).toEqual(aggregation);
        expect(aggregation).toMatchObject({
          total_sources: 5,
          successful_sources: good,
          failed_sources: failed.length,
          data_quality_score: good / 5,
        });
        for (const name of sourceNames) {
          expect(`${name}_timestamp` in aggregation.unified_metadata).toBe(!failed.includes(name));
        }
        expect(aggregation.quality_detail.score).toBeCloseTo(good / 5, 12);
      }),
    );
  });

  test('fields of failed sources are unknown, not false and not zero', () => {
    const aggregation = aggregateMultiSourceData(withFailed(sourceNames));
    expect(aggregation.unified_metadata).toEqual({
      active_model: null,
      processing_stats: { total_requests: null, engine_ready: null },
    });
    expect(Object.values(aggregation.processing_constraints)).toEqual([null, null, null, null, null]);
    expect(aggregation.optimization_hints).toEqual({
      high_load_detected: null,
      engine_optimizations_available: null,
      high_load_reasons: [],
    });
  });

  test('when model_config fails, the maximum length comes from the tokenizer', () => {
    const { processing_constraints } = aggregateMultiSourceData(withFailed(['model_config']));
    expect(processing_constraints).toMatchObject({ max_sequence_length: 2048, vocab_size: null });
  });
});

describe('high load', () => {
  const hints = (changes: Parameters<typeof goodSources>[0]) =>
    aggregateMultiSourceData(goodSources(changes)).optimization_hints;

  test.each([
    ['a queue', { performance: { waiting: 1 } }, /1 requests wait/],
    ['KV memory more than 90 % full', { performance: { kv_cache_usage_max: 0.91 } }, /91 % full/],
    [
      'tasks that waited for a CPU half of the time',
      { resources: { current_processing_load: { cpu_pressure: 0.5 } } },
      /tasks waited for a CPU in 50 % of the last 10 s of this host/,
    ],
    [
      'as many tasks that want to run as CPUs, where pressure is unknown',
      { resources: { current_processing_load: { run_queue_per_cpu: 1 } } },
      /1\.00 tasks want to run on each CPU of this host/,
    ],
  ])('load is high for %s', (_, changes, reason) => {
    expect(hints(changes)).toMatchObject({
      high_load_detected: true,
      high_load_reasons: [expect.stringMatching(reason)],
    });
  });

  test('load is not high when the KV memory is exactly 90 % full', () => {
    expect(hints({ performance: { kv_cache_usage_max: 0.9 } }).high_load_detected).toBe(false);
  });
});

describe('the graded quality', () => {
  const grades = (changes: Parameters<typeof goodSources>[0]) =>
    aggregateMultiSourceData(goodSources(changes)).quality_detail;

  test('freshness is 1/2 at the end of the fresh time', () => {
    // performance is fresh for half a second
    expect(
      grades({ performance: { age_ms: 500, state: 'stale', fresh_until: 1_700_000_000.5 } }).sources.performance
        .freshness,
    ).toBe(0.5);
    expect(grades({ performance: { age_ms: 1500, fresh_until: 1_700_000_000.5 } }).sources.performance.freshness).toBe(
      0.125,
    );
  });

  test('completeness is the share of published fields that are known', () => {
    const { model_config } = grades({
      model_config: { vocab_size: null, hidden_size: null, state: 'partial' },
    }).sources;
    expect(model_config).toEqual({
      freshness: 1,
      completeness: 0.6,
      plausibility: 1,
      score: (1 + 0.6 + 1) / 3,
      implausible: [],
    });
  });

  test.each([
    [{ performance: { kv_cache_usage: 1.5 } }, 'performance', 'kv_cache_usage is 1.5, not in [0, 1]'],
    [{ performance: { concurrent_requests: 3 } }, 'performance', 'running + waiting differ: 3 and 19'],
    [{ performance: { error_count: 500 } }, 'performance', 'error_count is 500, more than total_requests 204'],
    [{ tokenizer: { round_trip_ok: false } }, 'tokenizer', 'the probe text changed'],
    [{ tokenizer: { max_model_len: 99 } }, 'tokenizer', 'differ: 99 and 2048'],
    [{ model_config: { hidden_size: 0 } }, 'model_config', 'hidden_size is 0'],
    [{ resources: { memory_available_bytes: 2 ** 40 } }, 'resources', 'more than memory_total_bytes'],
  ] as const)('quality_detail names an implausible figure: %j', (changes, name, sentence) => {
    const grade = grades(changes).sources[name];
    expect(grade.plausibility).toBeLessThan(1);
    expect(grade.implausible).toEqual([expect.stringContaining(sentence)]);
  });
});

test('equal sources give an equal aggregation', () => {
  expect(aggregateMultiSourceData(goodSources())).toEqual(aggregateMultiSourceData(goodSources()));
});
