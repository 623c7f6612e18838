import { describe, expect, test } from 'vitest';
import { aggregateMultiSourceData, aggregationSchema } from '../../src/aggregation/index.js';
import { type AdditionalSource, sourceNames } from '../../src/sources/index.js';
import { additionalSource, failedAdditional, goodSources, withFailed } from './sources-fixture.js';

function aggregate(additional: Record<string, AdditionalSource>, sources = goodSources()) {
  const aggregation = aggregateMultiSourceData(sources, undefined, additional);
  expect(aggregationSchema.parse(aggregation)).toEqual(aggregation);
  return aggregation;
}

describe('sources that the host adds', () => {
  test('additional sources are counted beside the five, and their errors are separate', () => {
    const aggregation = aggregate({ queue: additionalSource(), gpu: failedAdditional() });
    expect(aggregation).toMatchObject({
      total_sources: 5,
      successful_sources: 5,
      failed_sources: 0,
      data_quality_score: 1,
      additional_sources: 2,
      additional_successful: 1,
      additional_failed: 1,
      additional_errors: { gpu: { error: 'it did not answer', error_code: 'ERR_DTESN_SOURCE_TIMEOUT' } },
    });
    expect(aggregation.unified_metadata['queue_timestamp']).toBe(1_700_000_000);
    expect(aggregation.unified_metadata).not.toHaveProperty('gpu_timestamp');
  });

  test('additional sources are graded by their own fresh time and the share of declared keys that are known', () => {
    const { sources } = aggregate({
      late: additionalSource({ age_ms: 10_000 }),
      half: additionalSource({ constraints: { slots: 3 }, hints: { warm: null } }),
      dead: failedAdditional(),
    }).quality_detail;
    expect(sources['late']).toMatchObject({ freshness: 0.5, completeness: 1, plausibility: 1 });
    expect(sources['half']).toMatchObject({ freshness: 1, completeness: 0.5 });
    expect(sources['dead']?.score).toBe(0);
  });

  test('additional sources have the weight that the host declares in the graded score', () => {
    const score = (weight: number) => aggregate({ dead: failedAdditional({ weight }) }).quality_detail.score;
    expect(score(1)).toBeCloseTo(5 / 6, 12);
    expect(score(0.5)).toBeCloseTo(5 / 5.5, 12);
    expect(score(0)).toBe(1);
  });
});

describe('constraints', () => {
  test('a published constraint can only be tightened, and its origin is the deciding source', () => {
    const { processing_constraints, constraint_origins } = aggregate({
      a: additionalSource({ constraints: { max_sequence_length: 100.9, max_concurrent: 9 } }),
      b: additionalSource({ constraints: { max_sequence_length: 200, vocab_size: null } }),
    });
    expect(processing_constraints).toMatchObject({ max_sequence_length: 100, max_concurrent: 4, vocab_size: 320 });
    expect(constraint_origins).toMatchObject({
      max_sequence_length: 'a',
      max_concurrent: 'resources',
      vocab_size: 'model_config',
    });
  });

  test('a new constraint is added, and an unknown one stays null', () => {
    const { processing_constraints, constraint_origins } = aggregate({
      a: additionalSource({ constraints: { gpu_free: 0.25, slots: null } }),
      b: additionalSource({ constraints: { gpu_free: 0.5 } }),
      dead: failedAdditional({ constraints: { slots: 7 } }),
    });
    expect(processing_constraints).toMatchObject({ gpu_free: 0.25, slots: null });
    expect(constraint_origins).toMatchObject({ gpu_free: 'a' });
    expect(constraint_origins).not.toHaveProperty('slots');
  });

  test('a constraint that the five leave unknown comes from an additional source, never from NaN or a negative number', () => {
    const dead = withFailed(sourceNames);
    const given = (value: number) =>
      aggregate({ a: additionalSource({ constraints: { max_concurrent: value } }) }, dead).processing_constraints;
    expect(given(2).max_concurrent).toBe(2);
    for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY]) expect(given(wrong).max_concurrent).toBeNull();
  });
});

describe('hints', () => {
  const hint = (hints: AdditionalSource['hints'], sources = goodSources()) =>
    aggregate({ queue: additionalSource({ hints }) }, sources);

  test('high_load_detected is joined by OR, with a reason that names the source', () => {
    expect(hint({ high_load_detected: true }).optimization_hints).toMatchObject({
      high_load_detected: true,
      high_load_reasons: ['the source queue says that load is high'],
    });
    const busy = goodSources({ performance: { waiting: 3, concurrent_requests: 22 } });
    expect(hint({ high_load_detected: false }, busy).optimization_hints.high_load_detected).toBe(true);
  });

  test.each([
    [true, true, true],
    [true, false, false],
    [true, null, true],
    [null, true, null],
    [null, false, false],
    [false, true, false],
  ])('engine_optimizations_available is joined by AND: engine %s, source %s, together %s', (engine, said, joined) => {
    const sources = goodSources({ performance: { engine_ready: engine } });
    const { optimization_hints } = hint({ engine_optimizations_available: said }, sources);
    expect(optimization_hints.engine_optimizations_available).toBe(joined);
  });

  test('a new hint is added, and a source cannot set high_load_reasons', () => {
    const { optimization_hints, hint_origins } = hint({ warm: true, cold: null, high_load_reasons: true });
    expect(optimization_hints).toMatchObject({ warm: true, cold: null, high_load_reasons: [] });
    expect(hint_origins).toEqual({ engine_optimizations_available: 'performance', warm: 'queue' });
  });
});
