/** Effects of each switch of the plan, flipped alone in a given context. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { usableCpus } from '../../src/host/index.js';
import { DeepTreeModel } from '../../src/network/index.js';
import type { MultiSourceData } from '../../src/pipeline/index.js';
import { DtesnProcessor, type DtesnResult, type EngineContext } from '../../src/processor/index.js';
import { type MemoryEngine, memoryEngine } from '../sources/memory-engine.js';

const config = {
  depth: 3,
  units: 48,
  bseriesOrder: 2,
  sourceDeadlineMs: 20_000,
  inputs: 4,
};

type Flow = MultiSourceData['processing_pipelines']['data_flow_config'];
type Optimization = MultiSourceData['processing_pipelines']['optimization_config'];

/** A copy of a context with other switches. */
function withFlags(context: EngineContext, flags: Partial<Flow & Optimization>): EngineContext {
  const copy = structuredClone(context);
  const { data_flow_config: flow, optimization_config: optimization } = copy.multi_source_data.processing_pipelines;
  for (const [name, value] of Object.entries(flags)) {
    Object.assign(name in flow ? flow : optimization, { [name]: value });
  }
  return copy;
}

function ok(result: unknown): DtesnResult {
  expect(result).toMatchObject({ ok: true });
  return result as DtesnResult;
}

let engine: MemoryEngine;
let processor: DtesnProcessor;
let context: EngineContext;
beforeEach(async () => {
  engine = memoryEngine();
  // Two threads and memory whatever this host has; load is what the engine says.
  const flags = {
    parallel_execution: true,
    enable_caching: true,
    batch_processing: true,
    memory_optimization: true,
    concurrent_execution: true,
  };
  processor = await DtesnProcessor.create({ engine, config, flags });
  context = await processor.fetchComprehensiveEngineContext();
  return () => processor.close();
});

const tokens = (length: number, seed = 1) => ({ tokens: Array.from({ length }, (_, i) => (i * 7 + seed) % 300) });

describe('parallel_execution', () => {
  test('false is sequential processing on one thread, named with its strategy', async () => {
    const off = await processor.process(tokens(9), { context: withFlags(context, { parallel_execution: false }) });
    expect(off.execution).toMatchObject({ parallel: false, threads: 1 });
    const entry = off.applied.find(({ transformation }) => transformation === 'parallel_execution')!;
    expect(entry).toMatchObject({ kind: 'flow', applied: false });
    expect(entry.reason).toContain('sequential_processing');
  });

  test('false runs one input after the other; true runs as many as there are threads', async () => {
    const lanesOf = async (parallel_execution: boolean) => {
      const given = withFlags(context, { parallel_execution, batch_processing: false, concurrent_execution: false });
      for (const pipeline of given.multi_source_data.processing_pipelines.transformation_pipelines) {
        for (const step of pipeline.steps) if (step.parameters.threads) step.parameters.threads = 2;
      }
      const inner = await DtesnProcessor.create({ engine: null, config });
      await inner.processBatch([tokens(400), tokens(400), tokens(400), tokens(400)], { context: given });
      const lanes = (await inner.fetchResourceDataSource()).current_processing_load?.['lanes'];
      await inner.close();
      return lanes;
    };
    expect(await lanesOf(false)).toBe(1);
    expect(await lanesOf(true)).toBe(Math.min(2, usableCpus()));
  });
});

describe('threads of the plan', () => {
  test('are those that share the series of a batch', async () => {
    const watched = vi.spyOn(DeepTreeModel.prototype, 'runAndExpandBatchAsync');
    try {
      const given = structuredClone(context);
      for (const pipeline of given.multi_source_data.processing_pipelines.transformation_pipelines) {
        for (const step of pipeline.steps) if (step.parameters.threads) step.parameters.threads = 1;
      }
      await processor.processBatch([tokens(9), tokens(12)], { context: given });
      expect(watched.mock.calls.map(([series, options]) => [series.length, options?.threads])).toEqual([[2, 1]]);
    } finally {
      watched.mockRestore();
    }
  });
});

test('without parallel_execution a batch runs one input after the other for either value of batch_processing', async () => {
  const inputs = [tokens(20), tokens(20, 2), tokens(20, 3)];
  const sizes = async (parallel_execution: boolean) => {
    const given = withFlags(context, { parallel_execution, batch_processing: true });
    for (const pipeline of given.multi_source_data.processing_pipelines.transformation_pipelines) {
      for (const step of pipeline.steps) if (step.parameters.batch_size) step.parameters.batch_size = 8;
    }
    const results = (await processor.processBatch(inputs, { context: given })).map(ok);
    return { sizes: results.map(({ batch }) => batch.size), features: results.map(({ features }) => features) };
  };
  const [together, alone] = [await sizes(true), await sizes(false)];
  expect([together.sizes, alone.sizes]).toEqual([
    [3, 3, 3],
    [1, 1, 1],
  ]);
  expect(alone.features).toEqual(together.features);
});

describe('enable_caching', () => {
  test('true requests the ids of equal texts once and reuses the plan', async () => {
    const before = engine.asked['tokenize'] ?? 0;
    const first = await processor.process('equal text');
    const second = await processor.process('equal text');
    expect(engine.asked['tokenize']! - before).toBe(1);
    expect([first.reused.tokens, second.reused.tokens]).toEqual([false, true]);
    expect(second.input.encoder).toBe('engine');
    expect(second.features).toEqual(first.features);
    expect(second.context.processing_pipelines).toBe(first.context.processing_pipelines);
    const { caches } = processor.metrics();
    expect(caches.tokens).toMatchObject({ entries: 1, hits: 1, misses: 1 });
  });

  test('concurrent callers of the same text share one request', async () => {
    const before = engine.asked['tokenize'] ?? 0;
    await Promise.all(Array.from({ length: 20 }, () => processor.process('asked together')));
    expect(engine.asked['tokenize']! - before).toBe(1);
  });

  test('false reuses nothing', async () => {
    const plain = await DtesnProcessor.create({ engine, config, flags: { enable_caching: false } });
    await plain.fetchMultiSourceData();
    const before = engine.asked['tokenize']!;
    const first = await plain.process('twice');
    const second = await plain.process('twice');
    expect(engine.asked['tokenize']! - before).toBe(2);
    expect(second.reused).toEqual({ tokens: false, plan: false });
    expect(second.context.processing_pipelines).not.toBe(first.context.processing_pipelines);
    expect(plain.metrics().caches).toMatchObject({ tokens: { entries: 0 }, plans: { entries: 0 } });
    await plain.close();
  });

  test('cached ids stay within their byte limit, and the least recently used are dropped first', async () => {
    const small = await DtesnProcessor.create({ engine, config, cacheBytes: 400 });
    for (const text of ['a'.repeat(20), 'b'.repeat(20), 'a'.repeat(20), 'c'.repeat(20)]) await small.process(text);
    const { tokens: kept } = small.metrics().caches;
    expect(kept.bytes).toBeLessThanOrEqual(400);
    expect(kept.entries).toBe(1);
    await small.close();
  });
});

describe('batch_processing', () => {
  const inputs = [tokens(30), tokens(11, 2), tokens(30, 3), tokens(1, 4), tokens(700, 5)];

  test('a context whose switch its owner changes is used as it is at each call', async () => {
    const own = withFlags(context, {});
    const sizes = async () => (await processor.processBatch(inputs, { context: own })).map((one) => ok(one).batch.size);
    expect(Math.min(...(await sizes()))).toBeGreaterThan(1);
    const pipelines = own.multi_source_data.processing_pipelines;
    Object.assign(pipelines.optimization_config, { batch_processing: false });
    Object.assign(pipelines.data_flow_config, { batch_processing: false });
    expect(await sizes()).toEqual(inputs.map(() => 1));
  });

  test('true runs native batches, false one series at a time, with equal results', async () => {
    const together = (await processor.processBatch(inputs, { context })).map(ok);
    const apart = (
      await processor.processBatch(inputs, { context: withFlags(context, { batch_processing: false }) })
    ).map(ok);
    expect(together.every(({ batch }) => batch.size > 1)).toBe(true);
    expect(apart.every(({ batch }) => batch.size === 1)).toBe(true);
    for (const [i, { features, membranes, bseries }] of together.entries()) {
      expect(features).toEqual(apart[i]!.features);
      expect(membranes).toEqual(apart[i]!.membranes);
      expect(bseries).toEqual(apart[i]!.bseries);
    }
  });
});

describe('concurrent_execution', () => {
  /** The order of what an engine is asked and what ends. */
  const orderOf = async (concurrent_execution: boolean) => {
    const order: string[] = [];
    const watched = memoryEngine({
      tokenize: async (text) => {
        if (text.startsWith('in')) order.push(`encode ${text}`);
        return { count: text.length, maxModelLen: 8192, tokens: [...Buffer.from(text.repeat(40))] };
      },
    });
    const inner = await DtesnProcessor.create({
      engine: watched,
      config,
      flags: { concurrent_execution, batch_processing: false, parallel_execution: false },
    });
    await inner.processBatch(['in1', 'in2', 'in3'], { onProgress: ({ done }) => order.push(`done ${done}`) });
    await inner.close();
    return order;
  };

  test('true encodes the next input before this one has left the model', async () => {
    const order = await orderOf(true);
    expect(order.indexOf('encode in2')).toBeLessThan(order.indexOf('done 1'));
    expect(order.indexOf('encode in3')).toBeLessThan(order.indexOf('done 2'));
  });

  test('false encodes it afterwards', async () => {
    expect(await orderOf(false)).toEqual(['encode in1', 'done 1', 'encode in2', 'done 2', 'encode in3', 'done 3']);
  });
});

describe('memory_optimization', () => {
  test('true keeps states a chunk at a time, false in one piece where the memory share allows', async () => {
    const given = structuredClone(context);
    for (const pipeline of given.multi_source_data.processing_pipelines.transformation_pipelines) {
      for (const step of pipeline.steps) if (step.parameters.chunk_steps) step.parameters.chunk_steps = 64;
    }
    const bytes = async () => (await processor.fetchResourceDataSource()).current_processing_load!['arena_bytes']!;
    const chunked = await processor.process(tokens(1000), { context: given });
    const small = await bytes();
    const off = withFlags(given, { memory_optimization: false });
    off.multi_source_data.aggregation.processing_constraints.memory_available_bytes = 2 ** 34;
    const whole = await processor.process(tokens(1000), { context: off });
    expect(chunked.execution).toMatchObject({ chunked: true, chunkSteps: 64 });
    expect(whole.execution).toMatchObject({ chunked: false, chunkSteps: 1000 });
    expect((await bytes()) - small).toBeGreaterThanOrEqual((1000 - 64) * 48 * 4);
    expect(whole.features).toEqual(chunked.features);
    off.multi_source_data.aggregation.processing_constraints.memory_available_bytes = 2 ** 16;
    const little = await processor.process(tokens(1000), { context: off });
    expect(little.execution).toMatchObject({ chunked: true, chunkSteps: 64 });
  });
});

describe('error_handling', () => {
  const pipelines = [
    {
      name: 'wrong',
      source: 'resources',
      priority: 9,
      plan: () => ({
        transformations: [
          {
            transformation: 'embed_again',
            operations: [{ op: 'embed' as const, features: 3, seed: 0 }],
            reason: 'wrong',
          },
        ],
      }),
    },
  ];

  test('continue_with_available_data leaves a failing transformation out, named with its error', async () => {
    const going = await DtesnProcessor.create({ engine, config, pipelines });
    const { applied, features } = await going.process(tokens(5));
    const failed = applied.find(({ transformation }) => transformation === 'embed_again')!;
    expect(failed).toMatchObject({ applied: false, pipeline: 'wrong' });
    expect(failed.error).toMatch(/feature/);
    expect(features.endState.some((x) => x !== 0)).toBe(true);
    await going.close();
  });

  test('fail ends the input with the pipeline, the transformation and the cause', async () => {
    const failing = await DtesnProcessor.create({ engine, config, pipelines, errorHandling: 'fail' });
    await expect(failing.process(tokens(5))).rejects.toMatchObject({
      code: 'ERR_DTESN_TRANSFORMATION',
      message: expect.stringMatching(/embed_again of the pipeline wrong/),
    });
    await failing.close();
  });
});

describe('pipeline_order', () => {
  const pipelines = [
    {
      name: 'double',
      source: 'resources',
      priority: 4,
      plan: () => ({
        transformations: [
          { transformation: 'double', operations: [{ op: 'scale' as const, factor: 2, offset: 0 }], reason: 'twice' },
        ],
      }),
    },
    {
      name: 'bound',
      source: 'resources',
      priority: 5,
      plan: () => ({
        transformations: [
          { transformation: 'bound', operations: [{ op: 'clip' as const, min: -0.3, max: 0.3 }], reason: 'within 0.3' },
        ],
      }),
    },
  ];
  const series = Array.from({ length: 12 }, (_, t) => [0.1 * t, 0.2, -0.1 * t, 0.05]);

  test('another priority is another order and another result', async () => {
    const features = async (priorities: Record<string, number>) => {
      const inner = await DtesnProcessor.create({ engine: null, config, pipelines, priorities });
      const { applied, context: data, features } = await inner.process(series);
      await inner.close();
      const order = applied.filter(({ kind, pipeline }) => kind === 'data' && pipeline !== null);
      return {
        order: order
          .map(({ transformation }) => transformation)
          .filter((name) => name === 'double' || name === 'bound'),
        published: data.processing_pipelines.data_flow_config.pipeline_order,
        state: features.endState,
      };
    };
    const first = await features({});
    const second = await features({ double: 7 });
    expect(first.order).toEqual(['double', 'bound']);
    expect(second.order).toEqual(['bound', 'double']);
    expect(second.published.at(-1)).toBe('double');
    expect(second.state).not.toEqual(first.state);
  });

  test('pipelines act in the order of a given context', async () => {
    const inner = await DtesnProcessor.create({ engine: null, config, pipelines });
    const planned = await inner.fetchComprehensiveEngineContext();
    const turned = structuredClone(planned);
    turned.multi_source_data.processing_pipelines.data_flow_config.pipeline_order.reverse();
    const [a, b] = [
      await inner.process(series, { context: planned }),
      await inner.process(series, { context: turned }),
    ];
    expect(b.features.endState).not.toEqual(a.features.endState);
    await inner.close();
  });
});
