import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AphroditeEngine } from '../../src/engine/index.js';
import { defaultTarget, fetchMultiSourceData, multiSourceDataSchema } from '../../src/pipeline/index.js';
import { EmbeddedEngine } from '../../src/simulator/index.js';
import { SourceFetcher } from '../../src/sources/index.js';

const providers = {
  processingState: () => ({
    membraneCacheSize: 8,
    esnCacheSize: 1,
    bseriesCacheSize: 1,
    batchManagerActive: true,
    concurrencyManagerActive: true,
  }),
  resources: () => ({ availableMembranes: ['skin'], echoKernAvailable: true }),
};

describe('from an embedded engine over loopback', () => {
  let engine: EmbeddedEngine;
  let fetcher: SourceFetcher;
  beforeAll(async () => {
    engine = await EmbeddedEngine.start({ seed: 5 });
    // A loaded machine may take its time here; the limits have tests of their own.
    const patient = { model_config: 9000, tokenizer: 9000, performance: 9000, processing_state: 9000, resources: 9000 };
    fetcher = new SourceFetcher(engine, { deadlineMs: 9000, timeoutsMs: patient, providers });
  });
  afterAll(async () => {
    await fetcher.close();
    await engine.close();
  });

  test('all five sources succeed and make the three pipelines', async () => {
    const data = await fetchMultiSourceData(fetcher);
    expect(multiSourceDataSchema.parse(data)).toEqual(data);
    expect(data).toMatchObject({ source_count: 5, transformation_ready: true });
    expect(data.aggregation).toMatchObject({
      data_quality_score: 1,
      unified_metadata: { active_model: expect.any(String) },
    });
    expect(data.aggregation.processing_constraints).toMatchObject({ max_sequence_length: 8192, vocab_size: 320 });
    expect(data.processing_pipelines.transformation_pipelines).toHaveLength(3);
    expect(data.aggregation.quality_detail.sources.performance.implausible).toEqual([]);
  });

  test('the plan is made for the given target', async () => {
    const target = { ...defaultTarget(), inputKind: 'numbers' as const, steps: 9000 };
    const data = await fetchMultiSourceData(fetcher, { target });
    const [limit, vocabulary] = data.processing_pipelines.transformation_pipelines[0]!.steps;
    expect(limit?.reason).toContain('9000');
    expect(vocabulary?.operations).toEqual([]);
  });

  test('the caller can abort', async () => {
    await expect(fetchMultiSourceData(fetcher, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    );
  });
});

test('without a listening engine the data hold the errors and two sources remain', async () => {
  const engine = await EmbeddedEngine.start();
  await engine.close();
  const gone = new AphroditeEngine(engine.url);
  const fetcher = new SourceFetcher(gone, { deadlineMs: 20_000, providers });
  const data = await fetchMultiSourceData(fetcher);
  expect(multiSourceDataSchema.parse(data)).toEqual(data);
  expect(data.source_count).toBe(2);
  expect(data.aggregation).toMatchObject({ failed_sources: 3, data_quality_score: 0.4 });
  expect(data.sources.model_config.error_code).toBe('ERR_DTESN_ENGINE_REFUSED');
  expect(data.processing_pipelines.transformation_pipelines.map(({ name }) => name)).toEqual([
    'resource_aware_scaling',
  ]);
  await fetcher.close();
  await gone.close();
});
