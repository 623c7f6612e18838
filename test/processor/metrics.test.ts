import { describe, expect, test } from 'vitest';
import { DtesnProcessor } from '../../src/processor/index.js';
import { memoryEngine, never } from '../sources/memory-engine.js';

const config = { depth: 2, units: 16, bseriesOrder: 2, sourceDeadlineMs: 20_000 };

describe('metrics()', () => {
  test('counts inputs, steps, failures, stages, pipelines, caches and quality', async () => {
    const processor = await DtesnProcessor.create({ engine: memoryEngine(), config });
    await processor.process('one');
    await processor.process('one');
    await processor.processBatch([{ tokens: [1, 2] }, '', { tokens: [3] }]);
    await expect(processor.process('x', { signal: AbortSignal.abort() })).rejects.toThrow();
    const { inputs, stagesMs, pipelines, caches, quality, sources } = processor.metrics();
    expect(inputs).toMatchObject({ started: 6, finished: 4, steps: 3 + 3 + 2 + 1 });
    expect(inputs.failed).toEqual({ ERR_DTESN_EMPTY: 1, aborted: 1 });
    for (const name of ['context', 'encode', 'transform', 'model', 'bseries', 'total'] as const) {
      expect(stagesMs[name].count).toBe(4);
      expect(stagesMs[name].p50!).toBeLessThanOrEqual(stagesMs[name].p99!);
      expect(stagesMs[name].p99!).toBeLessThanOrEqual(stagesMs[name].max!);
    }
    for (const name of ['model_aware_preprocessing', 'performance_optimized_processing', 'resource_aware_scaling']) {
      expect(pipelines[name]).toMatchObject({ runs: 4, failed: 0 });
      expect(pipelines[name]!.timeMs.count).toBe(4);
    }
    expect(pipelines['model_aware_preprocessing']!.timeMs.max).toBeGreaterThan(0);
    expect(caches.tokens).toMatchObject({ entries: 1, hits: 1, misses: 1 });
    expect(caches.plans.hits).toBeGreaterThan(0);
    expect(quality).toMatchObject({ last: 1, least: 1, mean: 1, most: 1, threshold: 0.7 });
    expect(sources['performance']!.requests).toBeGreaterThan(0);
    expect(sources['model_config']).toMatchObject({ requests: 1, misses: 1 });
    expect(sources['model_config']!.hits).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(processor.metrics())).inputs).toEqual(inputs);
    await processor.close();
  });

  test('counts the inputs for which membranes were switched off', async () => {
    const pipelines = [
      {
        name: 'shed',
        source: 'resources',
        priority: 9,
        plan: () => ({
          transformations: [{ transformation: 'shed', limits: { activeMembranes: 1 }, reason: 'asked for' }],
        }),
      },
    ];
    const processor = await DtesnProcessor.create({ engine: null, config, pipelines });
    await processor.process({ tokens: [1] });
    expect(processor.metrics().inputs.sheds).toBe(1);
    await processor.close();
  });
});

describe('every input that began has ended once', () => {
  const balance = (processor: DtesnProcessor) => {
    const { started, finished, prepared, failed } = processor.metrics().inputs;
    const failures = Object.values(failed).reduce((sum, count) => sum + count, 0);
    return { started, ended: finished + prepared + failures };
  };
  const broken = () => {
    throw new Error('a listener that throws');
  };

  test('where a progress listener threw, at any stage', async () => {
    const processor = await DtesnProcessor.create({ engine: memoryEngine(), config });
    for (const at of ['context', 'encode', 'model']) {
      const onProgress = ({ stage }: { stage: string }) => (stage === at ? broken() : undefined);
      await expect(processor.process('one', { onProgress })).rejects.toThrow('a listener that throws');
    }
    expect(balance(processor)).toEqual({ started: 3, ended: 3 });
    expect(processor.metrics().inputs).toMatchObject({ finished: 0, failed: { unknown: 3 } });
    await processor.close();
  });

  test('where the listener of a batch threw', async () => {
    const flags = { concurrent_execution: true };
    const processor = await DtesnProcessor.create({ engine: memoryEngine(), config, flags });
    const inputs = ['', ...Array.from({ length: 40 }, (_, i) => ({ tokens: [i + 1, 2] })), ''];
    await expect(processor.processBatch(inputs, { onProgress: broken })).rejects.toThrow('a listener that throws');
    const late = ({ done }: { done: number }) => (done === 5 ? broken() : undefined);
    await expect(processor.processBatch(inputs, { onProgress: late })).rejects.toThrow('a listener that throws');
    await new Promise((resolve) => setImmediate(resolve));
    await processor.close();
    const { started, ended } = balance(processor);
    expect(started).toBeGreaterThan(0);
    expect(ended).toBe(started);
  });

  test('where it was aborted while the engine tokenised, and where it was only prepared', async () => {
    const stop = new AbortController();
    let asked = 0;
    const tokenize = (text: string) => {
      if (text === 'one') stop.abort(new Error(`enough ${++asked}`));
      return text === 'one' ? never() : Promise.resolve({ count: 1, maxModelLen: 8192, tokens: [1] });
    };
    const processor = await DtesnProcessor.create({ engine: memoryEngine({ tokenize }), config });
    await processor.preprocessWithEngine({ tokens: [1] });
    await expect(processor.process('one', { signal: stop.signal })).rejects.toThrow('enough 1');
    await processor.close();
    expect(balance(processor)).toEqual({ started: 2, ended: 2 });
    expect(processor.metrics().inputs).toMatchObject({ prepared: 1, failed: { aborted: 1 } });
  });
});

describe('the adaptive quality threshold', () => {
  test('the threshold follows the errors that a readout reports, and each change is an event with its reason', async () => {
    const processor = await DtesnProcessor.create({ engine: memoryEngine(), config, adaptive: true });
    const changes: { kind: string; from: unknown; to: unknown; reason: string }[] = [];
    processor.on('quality', () => {
      throw new Error('a listener that throws');
    });
    processor.on('quality', (change) => changes.push(change));
    const warned = new Promise((resolve) => process.once('warning', resolve));
    for (let i = 0; i < 10; i++) {
      processor.observeQuality({ standardised: true, error: 0.9 });
      processor.observeQuality({ standardised: false, error: 0.3 });
    }
    await warned;
    expect(changes.length).toBeGreaterThan(0);
    expect(changes.every(({ kind }) => kind === 'threshold')).toBe(true);
    expect(changes[0]!.reason).toMatch(/a readout errs/);
    expect(processor.metrics().quality.threshold).toBeGreaterThan(0.7);
    await processor.close();
  });

  test('learns from inputs that run both standardised and plain', async () => {
    const processor = await DtesnProcessor.create({ engine: memoryEngine(), config, adaptive: true });
    const changes: unknown[] = [];
    processor.on('quality', (change) => changes.push(change));
    for (let i = 0; i < 100; i++)
      await processor.process({ tokens: Array.from({ length: 40 }, (_, t) => (t * i) % 99) });
    expect(changes.length).toBeGreaterThan(0);
    expect(processor.metrics().quality.threshold).not.toBe(0.7);
    await processor.close();
  });

  test("plan 'fixed' pins standardisation to the first judgement", async () => {
    let ready = true;
    const engine = memoryEngine({
      health: async () => {
        if (!ready) throw new Error('gone');
      },
    });
    const freshness = { performance: { freshMs: 0, maxStaleMs: 0 } };
    const processor = await DtesnProcessor.create({ engine, config, freshness, plan: 'fixed' });
    const standardised = async () =>
      (await processor.process({ tokens: [1, 2, 3] })).applied.find(
        ({ transformation }) => transformation === 'standardize_features',
      )!.applied;
    expect(await standardised()).toBe(true);
    ready = false;
    expect(await standardised()).toBe(true);
    await processor.close();
  });
});
