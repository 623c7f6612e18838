/** The engine context of the specification: fetched once, handed on, with its age; old and foreign ones are named. */
import { availableParallelism } from 'node:os';
import { describe, expect, test, vi } from 'vitest';
import {
  DtesnProcessor,
  type DtesnResult,
  type EngineContext,
  engineContextSchema,
} from '../../src/processor/index.js';
import { ManualClock } from '../manual-clock.js';
import { type MemoryEngine, memoryEngine } from '../sources/memory-engine.js';

const config = { depth: 2, units: 16, bseriesOrder: 2, sourceDeadlineMs: 20_000 };

async function withProcessor(use: (processor: DtesnProcessor, engine: MemoryEngine) => Promise<void>, options = {}) {
  const engine = memoryEngine();
  const processor = await DtesnProcessor.create({ engine, config, ...options });
  try {
    await use(processor, engine);
  } finally {
    await processor.close();
  }
}

const settings = ['threads', 'batch_size', 'chunk_steps', 'active_membranes'] as const;
type Setting = (typeof settings)[number];
const featuresOf = (result: unknown) => (result as DtesnResult).features;

/** What went to the engine; its files are read on this host. */
const requests = ({ asked: { modelFiles: _, ...asked } }: MemoryEngine) =>
  Object.values(asked).reduce((sum, count) => sum + count, 0);

// The usage examples of the specification, line by line; its Python names in camelCase.
test('the usage examples of the specification run', async () => {
  await withProcessor(async (processor) => {
    const engineContext = await processor.fetchComprehensiveEngineContext();
    const multiSourceData = engineContext['multi_source_data'];
    const sourceCount = multiSourceData['source_count'];
    const qualityScore = multiSourceData['aggregation']['data_quality_score'];
    expect([sourceCount, qualityScore]).toEqual([5, 1]);
    const inputVector = await processor.preprocessWithEngine('hello', engineContext);
    expect([inputVector.steps, inputVector.features, inputVector.series.length]).toEqual([5, 16, 80]);
  });
});

test('a context matches its schema, survives JSON, and names its engine and model', async () => {
  await withProcessor(async (processor) => {
    const context = await processor.fetchComprehensiveEngineContext();
    expect(context).toMatchObject({ engine_available: true, engine_ready: true });
    expect(context.model_config).toBe(context.multi_source_data.sources.model_config);
    expect(context.performance_metrics).toBe(context.multi_source_data.sources.performance);
    expect(context.plan.map(({ name }) => name)).toContain('model_aware_preprocessing');
    expect(context.origin).toEqual({ engine: 'memory on http://127.0.0.1:1', depth: 2, units: 16, inputs: 16 });
    const sent = JSON.parse(JSON.stringify(context));
    expect(engineContextSchema.parse(sent)).toEqual(sent);
    const { contextUse } = await processor.process({ tokens: [1, 2, 3] }, { context: sent });
    expect(contextUse).toMatchObject({ origin: 'given', state: 'fresh', note: null });
  });
});

describe('a given context', () => {
  test('a given context is used without any request', async () => {
    await withProcessor(async (processor, engine) => {
      const context = await processor.fetchComprehensiveEngineContext();
      const before = requests(engine);
      const result = await processor.process('not asked for yet', { context });
      const [inBatch] = await processor.processBatch(['another one'], { context });
      await processor.preprocessWithEngine('a third one', context);
      expect(requests(engine)).toBe(before);
      expect(result.context).toBe(context.multi_source_data);
      expect(result.contextUse).toMatchObject({ origin: 'given', state: 'fresh' });
      expect(inBatch).toMatchObject({ ok: true, contextUse: { origin: 'given' } });
      expect(result.input.encoder).toBe('utf8-bytes');
      expect(result.input.note).toMatch(/^a context was given, so no request was sent to the engine/);
    });
  });

  test('uses the cached ids of a text', async () => {
    await withProcessor(async (processor, engine) => {
      const asked = await processor.process('known');
      const context = await processor.fetchComprehensiveEngineContext();
      const before = requests(engine);
      const again = await processor.process('known', { context });
      expect(requests(engine)).toBe(before);
      expect(again.input.encoder).toBe('engine');
      expect(again.features).toEqual(asked.features);
    });
  });

  test('reports its age, and the sources past their maximum staleness', async () => {
    await withProcessor(async (processor) => {
      const context = await processor.fetchComprehensiveEngineContext();
      const old = structuredClone(context);
      old.multi_source_data.timestamp -= 12.5;
      const { contextUse } = await processor.process({ tokens: [1, 2] }, { context: old });
      expect(contextUse.state).toBe('old');
      expect(contextUse.ageMs).toBeGreaterThanOrEqual(12_500);
      expect(contextUse.note).toMatch(/^performance is 12\.\d s old, more than 10 s$/);
    });
  });

  test('is old by the staleness that this processor allows, also that of an additional source', async () => {
    const sources = [{ name: 'queue', fetch: () => ({ length: 3 }), freshMs: 1000, maxStaleMs: 3000 }];
    const options = { sources, freshness: { performance: { freshMs: 500, maxStaleMs: 30_000 } } };
    await withProcessor(async (processor) => {
      const later = structuredClone(await processor.fetchComprehensiveEngineContext());
      later.multi_source_data.timestamp -= 12.5;
      const { contextUse } = await processor.process({ tokens: [1, 2] }, { context: later });
      expect(contextUse.state).toBe('old');
      expect(contextUse.note).toMatch(/^queue is 12\.\d s old, more than 3 s$/);
    }, options);
  });

  test('is never fresh when it is dated in the future', async () => {
    await withProcessor(async (processor) => {
      const ahead = structuredClone(await processor.fetchComprehensiveEngineContext());
      ahead.multi_source_data.timestamp += 3600;
      const { contextUse } = await processor.process({ tokens: [1, 2] }, { context: ahead });
      expect(contextUse).toMatchObject({ ageMs: 0, state: 'old' });
      expect(contextUse.note).toMatch(/^it is dated 3\d\d\d\.\d s in the future, so its age is unknown$/);
    });
  });

  test('is the caller’s own copy; what results share with later inputs cannot be written to', async () => {
    await withProcessor(async (processor) => {
      const context = await processor.fetchComprehensiveEngineContext();
      const { multi_source_data: data } = context;
      const result = await processor.process('one');
      const writes = [
        () => Object.assign(result.context.processing_pipelines.optimization_config, { enable_caching: false }),
        () => Object.assign(result.context.sources.model_config, { model_name: 'another' }),
      ];
      for (const write of writes) expect(write).toThrow(TypeError);
      context.plan.pop();
      data.processing_pipelines.optimization_config.enable_caching = false;
      data.sources.model_config.model_name = 'another';
      const changed = await processor.process('one', { context });
      expect(changed.execution.caching).toBe(false);
      expect((await processor.fetchMultiSourceData()).sources.model_config.model_name).toBe('m');
      expect((await processor.process('one')).execution).toEqual(result.execution);
    });
  });

  test('is checked again when it was changed after its first use', async () => {
    await withProcessor(async (processor) => {
      const context = structuredClone(await processor.fetchComprehensiveEngineContext());
      await processor.process('one', { context });
      Object.assign(context.multi_source_data, { sources: {} });
      await expect(processor.process('one', { context })).rejects.toThrow(/for context\.multi_source_data\.sources/);
    });
  });

  test('has impossible settings left out or limited, each by name', async () => {
    await withProcessor(async (processor) => {
      const context = structuredClone(await processor.fetchComprehensiveEngineContext());
      const stepOf = ({ multi_source_data: { processing_pipelines } }: EngineContext, setting: Setting) =>
        processing_pipelines.transformation_pipelines
          .flatMap(({ steps }) => steps)
          .find(({ parameters }) => parameters[setting] !== undefined)!;
      stepOf(context, 'active_membranes').parameters.active_membranes = 2; // whatever the load of this host
      const inputs = [{ tokens: [1, 2] }, { tokens: [3] }];
      const usual = await processor.processBatch(inputs, { context });
      for (const setting of settings) {
        for (const value of [0, -1, 1e9]) {
          const given = structuredClone(context);
          const plan = given.multi_source_data.processing_pipelines;
          plan.optimization_config.batch_processing = setting !== 'threads';
          const step = stepOf(given, setting);
          step.parameters[setting] = value;
          const results = await processor.processBatch(inputs, { context: given });
          expect(results.map(featuresOf)).toEqual(usual.map(featuresOf));
          const [{ applied, execution }] = results as [DtesnResult];
          const error = applied.find(({ transformation }) => transformation === step.transformation)?.error ?? null;
          if (value < 1) expect(error).toContain(`for ${setting} but received ${value}`);
          else expect(error).toBe(null);
          expect(execution.threads).toBeLessThanOrEqual(availableParallelism());
          expect(execution.activeMembranes).toBe(2);
        }
      }
    });
  });

  test('is foreign when made for another engine or model, and still used', async () => {
    await withProcessor(async (processor) => {
      const other = await DtesnProcessor.create({
        engine: null,
        config: { ...config, depth: 4, units: 64 },
      });
      const foreign = await other.fetchComprehensiveEngineContext();
      await other.close();
      const result = await processor.process({ tokens: [1, 2] }, { context: foreign });
      expect(result.contextUse.state).toBe('foreign');
      expect(result.contextUse.note).toMatch(/made for engine null, this processor has memory on/);
      expect(result.contextUse.note).toMatch(/made for units 64, this processor has 16/);
      expect(result.membranes.length).toBe(2);
      expect(result.context.aggregation.data_quality_score).toBe(0.4);
    });
  });

  test('planned for tokens serves numbers too: vocabulary limits do not apply to them', async () => {
    await withProcessor(async (processor) => {
      const context = await processor.fetchComprehensiveEngineContext();
      const series = Array.from({ length: 10 }, (_, t) => Array.from({ length: 16 }, (_, i) => Math.sin(t + i) - 2));
      const given = await processor.process(series, { context });
      const fetched = await processor.process(series);
      expect(given.features).toEqual(fetched.features);
      const entry = given.applied.find(({ transformation }) => transformation === 'apply_vocab_limits');
      expect(entry).toMatchObject({ applied: false, reason: expect.stringMatching(/^not applicable/) });
    });
  });

  test.each([
    ['a number', 7, /a context of fetchComprehensiveEngineContext\(\) for context but received 7/],
    ['an empty object', {}, /a context of fetchComprehensiveEngineContext\(\)/],
    ['data that are none', { multi_source_data: {} }, /context\.multi_source_data\.sources/],
  ])('that is none (%s) is refused by name', async (_name, context, message) => {
    await withProcessor(async (processor) => {
      await expect(processor.process('x', { context: context as never })).rejects.toThrow(message);
    });
  });
});

test('ids are requested again after a restart of the engine', async () => {
  const { metricsBody } = await import('../faults/engine-server.js');
  let body = metricsBody;
  const engine = memoryEngine({ metrics: async () => Buffer.from(body) });
  const freshness = { performance: { freshMs: 0, maxStaleMs: 0 } };
  const processor = await DtesnProcessor.create({ engine, config, freshness });
  await processor.process('again');
  await processor.process('again');
  expect(engine.asked['tokenize']).toBe(2); // the probe of the tokenizer source, and the text
  body = metricsBody.replace(/(process_start_time_seconds[^ ]* )(\S+)/g, '$1 1800000000');
  expect(body).not.toBe(metricsBody);
  const after = await processor.process('again');
  expect(after.reused.tokens).toBe(false);
  await processor.close();
});

test('invalidate drops the cached answers of one source', async () => {
  await withProcessor(async (processor, engine) => {
    await processor.fetchMultiSourceData();
    await processor.fetchMultiSourceData();
    const before = engine.asked['version']!;
    processor.invalidate('model_config');
    await processor.fetchMultiSourceData();
    expect(engine.asked['version']).toBe(before + 1);
    expect(engine.asked['tokenize']).toBe(1);
    expect(() => processor.invalidate('models')).toThrow(/one of model_config, tokenizer, performance/);
  });
});

describe('a source that calls back', () => {
  const short = { ...config, sourceDeadlineMs: 100 };

  test('waits for itself no longer than its limit, and the input goes on', async () => {
    let calls = 0;
    const fetch = async () => {
      calls++;
      return { steps: (await processor.process({ tokens: [1] })).input.steps };
    };
    const sources = [{ name: 'echo', fetch, retryMs: 60_000 }];
    const processor = await DtesnProcessor.create({ engine: null, config: short, sources });
    const { context } = await processor.process({ tokens: [1, 2] });
    expect(context.aggregation.additional_errors['echo']?.error_code).toBe('ERR_DTESN_SOURCE_TIMEOUT');
    expect(calls).toBe(1);
    await processor.close();
    const { started, finished } = processor.metrics().inputs;
    expect([started, finished]).toEqual([2, 2]);
  });

  test('to close the processor lets the inputs under way end', async () => {
    const fetch = () => processor.close();
    const sources = [{ name: 'closing', fetch }];
    const processor = await DtesnProcessor.create({ engine: null, config: short, sources });
    expect((await processor.process({ tokens: [1, 2] })).ok).toBe(true);
    await expect(processor.process({ tokens: [1] })).rejects.toThrow(/open processor/);
    await processor.close();
  });
});

test('close() waits for the inputs under way', async () => {
  const processor = await DtesnProcessor.create({ engine: null, config });
  const running = processor.process({ tokens: Array.from({ length: 5000 }, (_, i) => i % 250) });
  let ended = false;
  void running.then(() => {
    ended = true;
  });
  await processor.close();
  expect(ended).toBe(true);
});

describe('all sources dead', () => {
  test('with every source and the figures of this host failing, inputs run on defaults and the errors are in the data', async () => {
    const dead = async () => {
      throw new Error('the engine is gone');
    };
    const engine = memoryEngine({ models: dead, version: dead, health: dead, metrics: dead, tokenize: dead });
    const processor = await DtesnProcessor.create({ engine, config });
    const broken = vi.spyOn((await import('node:os')).default, 'freemem').mockImplementation(() => {
      throw new Error('no memory figures');
    });
    try {
      const { context, features, input } = await processor.process('still here');
      const { aggregation, sources, transformation_ready } = context;
      expect([aggregation.successful_sources, aggregation.data_quality_score]).toEqual([1, 0.2]); // processing_state, which asks nothing outside
      expect(sources.resources).toMatchObject({ state: 'error', error: expect.stringMatching(/no memory figures/) });
      expect(sources.performance.error).toMatch(/gone/);
      expect(transformation_ready).toBe(false);
      expect(input.encoder).toBe('utf8-bytes');
      expect(features.endState.some((x) => x !== 0)).toBe(true);
    } finally {
      broken.mockRestore();
      await processor.close();
    }
  });
});

describe('contextFreshMs', () => {
  const tokens = [3, 1, 4, 1, 5];

  test('inputs that begin within contextFreshMs share one context, and results give its age', async () => {
    const clock = new ManualClock();
    const options = { clock, contextFreshMs: 20 };
    await withProcessor(async (processor) => {
      const first = await processor.process({ tokens });
      await clock.pass(19);
      const [second] = (await processor.processBatch([{ tokens }])) as DtesnResult[];
      await clock.pass(1);
      const third = await processor.process({ tokens });
      expect([first, second!, third].map(({ contextUse }) => contextUse.ageMs)).toEqual([0, 19, 0]);
      expect(second!.contextUse).toMatchObject({ origin: 'fetched', state: 'fresh' });
      expect([first.reused.plan, second!.reused.plan]).toEqual([false, true]);
      expect(second!.context).toBe(first.context);
      expect(third.context).not.toBe(first.context);
    }, options);
  });

  test('after invalidate() or observeQuality() the next input has a context of its own', async () => {
    const options = { clock: new ManualClock(), contextFreshMs: 1000 };
    await withProcessor(async (processor) => {
      const { context } = await processor.process({ tokens });
      expect((await processor.process({ tokens })).context).toBe(context);
      processor.invalidate();
      const after = await processor.process({ tokens });
      expect(after.context).not.toBe(context);
      processor.observeQuality({ agreement: 0.5 });
      expect((await processor.process({ tokens })).context).not.toBe(after.context);
    }, options);
  });

  test('without contextFreshMs, or without caching, each input has a context of its own', async () => {
    const clock = new ManualClock();
    for (const options of [{}, { contextFreshMs: 1000, config: { ...config, caching: false } }]) {
      await withProcessor(
        async (processor) => {
          const { context } = await processor.process({ tokens });
          expect((await processor.process({ tokens })).context).not.toBe(context);
        },
        { clock, ...options },
      );
    }
  });

  test('features and transformations do not depend on whether inputs share a context', async () => {
    const inputs = [...Array(80).keys()].map((i) => ({
      tokens: Array.from({ length: 1 + i }, (_, k) => (7 * k) % 251),
    }));
    const rows = Array.from({ length: 9 }, (_, i) => Array.from({ length: 16 }, (__, k) => Math.sin(i + k)));
    const run = async (contextFreshMs: number) => {
      const seen: unknown[] = [];
      const see = (result: unknown) => {
        const { features, applied } = result as DtesnResult;
        // Reasons name the free memory of the host, which changes.
        seen.push({ features, applied: applied.map(({ reason: _, ...entry }) => entry) });
      };
      await withProcessor(
        async (processor) => {
          for (const input of [...inputs, rows, ...inputs]) see(await processor.process(input));
          const continuation = processor.openContinuation();
          for (let part = 0; part < 2; part++) {
            see(await processor.process({ tokens }, { continueFrom: continuation }));
            see(await processor.process({ tokens }));
          }
        },
        { clock: new ManualClock(), contextFreshMs },
      );
      return seen;
    };
    expect(await run(1000)).toEqual(await run(0));
  });

  test('contextFreshMs outside of 0 to 1000 is refused', async () => {
    for (const contextFreshMs of [-1, 1001, Number.NaN]) {
      await expect(DtesnProcessor.create({ engine: null, contextFreshMs })).rejects.toThrow(/contextFreshMs/);
    }
  });
});
