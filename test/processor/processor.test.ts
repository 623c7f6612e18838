import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Progress } from '../../src/native/index.js';
import { DeepTreeModel } from '../../src/network/index.js';
import { multiSourceDataSchema } from '../../src/pipeline/index.js';
import { DtesnProcessor, type DtesnResult, dtesnResultSchema } from '../../src/processor/index.js';

const config = { units: 64, sourceDeadlineMs: 20_000 };

/** Features of a batch are those of the input alone to rounding, since their sums run in another order. */
function expectClose(features: false | DtesnResult['features'], alone: DtesnResult['features']): void {
  if (features === false) throw new Error('the input failed');
  const arrays = (of: DtesnResult['features']) => [of.endState, of.meanState, of.differentials];
  const lengths = (of: DtesnResult['features']) => arrays(of).map(({ length }) => length);
  const values = (of: DtesnResult['features']) => arrays(of).flatMap((array) => [...array] as number[]);
  expect(lengths(features)).toEqual(lengths(alone));
  const wanted = values(alone);
  values(features).forEach((value, i) => {
    expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-5);
  });
}

let processor: DtesnProcessor;
/** Of one level: a busy host cannot shed any of it, so features can be compared. */
let flat: DtesnProcessor;
beforeAll(async () => {
  processor = await DtesnProcessor.create({ config });
  flat = await DtesnProcessor.create({ engine: processor.engine, config: { ...config, depth: 1 } });
});
afterAll(async () => {
  await flat.close();
  await processor.close();
});

describe('process', () => {
  test('a text is processed and the result matches its schema', async () => {
    const result = await processor.process('Reservoirs remember what they heard.');
    expect(dtesnResultSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(JSON.parse(JSON.stringify(result)));
    expect(result.engine.simulated).toBe(true);
    expect(result.input.encoder).toBe('engine');
    expect(result.context.aggregation.data_quality_score).toBe(1);
    expect(result.features.endState.some((x) => x !== 0)).toBe(true);
    expect(result.bseries).toMatchObject({ order: 5, trees: 17 });
    expect(result.features.differentials.length).toBe(17);
    expect(result.stages.map(({ name }) => name)).toEqual(['context', 'encode', 'transform', 'model', 'bseries']);
  });

  test('the same input gives the same features and another input others, for any inputs between them', async () => {
    const a = await flat.process('one');
    const b = await flat.process('two');
    const again = await flat.process('one');
    expect(again.features).toEqual(a.features);
    expect(b.features).not.toEqual(a.features);
  });

  test('a numeric series of the input dimension is read as numbers', async () => {
    const series = Array.from({ length: 20 }, (_, t) => Array.from({ length: 16 }, (_, i) => Math.sin(t + i)));
    const result = await processor.process(series);
    expect(result.input).toMatchObject({ kind: 'numbers', steps: 20 });
  });

  test.each([
    ['an empty text', '', 'ERR_DTESN_EMPTY'],
    ['a series of other features', [[1, 2]], 'ERR_DTESN_SHAPE'],
    ['nothing', undefined, 'ERR_DTESN_ARGUMENT'],
    ['numbers that are not finite', [[NaN]], 'ERR_DTESN_ARGUMENT'],
  ])('%s is refused by name', async (_name, input, code) => {
    await expect(processor.process(input as never)).rejects.toMatchObject({ code });
  });

  test('an abort ends it with the reason', async () => {
    const reason = new Error('enough');
    await expect(processor.process('text', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('an input leaves no listener on a signal that outlives it', async () => {
    const { signal } = new AbortController();
    await processor.process('text', { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    const key = Object.getOwnPropertySymbols(signal).find(({ description }) => description === 'kDependantSignals');
    const dependent = key && (signal as unknown as Record<symbol, Set<unknown>>)[key];
    expect(dependent?.size ?? 0).toBe(0);
  });
});

describe('processBatch', () => {
  test('keeps the order, and a failed input is one error result', async () => {
    const inputs = ['one', '', 'three', [[1]], 'five'] as never[];
    const results = await flat.processBatch(inputs);
    expect(results.map(({ ok }) => ok)).toEqual([true, false, true, false, true]);
    expect(results[1]).toMatchObject({ error: { code: 'ERR_DTESN_EMPTY' } });
    const alone = await flat.process('five');
    const last = results[4]!;
    expectClose(last.ok && last.features, alone.features);
  });

  test('more inputs than a batch go in waves, each one native batch of the size in the plan', async () => {
    const context = structuredClone(await flat.fetchComprehensiveEngineContext());
    const { processing_pipelines: plan } = context.multi_source_data;
    Object.assign(plan.optimization_config, { batch_processing: true });
    Object.assign(plan.data_flow_config, { parallel_execution: true });
    for (const { steps } of plan.transformation_pipelines) {
      for (const { parameters } of steps) if (parameters.batch_size) parameters.batch_size = 32;
    }
    const inputs = Array.from({ length: 70 }, (_, i) => ({ tokens: [i, 7, 2 * i] }));
    const batches = vi.spyOn(DeepTreeModel.prototype, 'runAndExpandBatchAsync');
    const results = await flat.processBatch(inputs, { context });
    const waves = batches.mock.calls.map(([series]) => series.length);
    batches.mockRestore();
    expect(waves).toEqual([32, 32, 6]);
    const sizes = results.map((result) => result.ok && result.batch.size);
    expect(sizes).toEqual([...Array(64).fill(32), ...Array(6).fill(6)]);
    for (const i of [0, 31, 32, 63, 64, 69]) {
      const alone = await flat.process(inputs[i]!, { context });
      const one = results[i]!;
      expectClose(one.ok && one.features, alone.features);
    }
  });
});

describe('context', () => {
  test('fetchComprehensiveEngineContext explains every transformation that is planned', async () => {
    const { multi_source_data: data, plan } = await processor.fetchComprehensiveEngineContext();
    expect(multiSourceDataSchema.safeParse(data).success).toBe(true);
    const explained = plan.flatMap(({ transformations }) =>
      transformations.map(({ transformation }) => transformation),
    );
    for (const { transformations } of data.processing_pipelines.transformation_pipelines) {
      for (const name of transformations) expect(explained).toContain(name);
    }
  });

  test('each source can be fetched alone', async () => {
    expect((await processor.fetchModelDataSource()).source_type).toBe('model_config');
    expect((await processor.fetchTokenizerDataSource()).tokenizer_available).toBe(true);
    expect((await processor.fetchPerformanceDataSource()).engine_ready).toBe(true);
    expect(await processor.fetchProcessingStateSource()).toMatchObject({ membrane_cache_size: 8, esn_cache_size: 1 });
    expect((await processor.fetchResourceDataSource()).available_membranes?.length).toBe(8);
  });

  test('preprocessWithEngine gives the series the model would read', async () => {
    const { steps, features, series } = await processor.preprocessWithEngine('hello');
    expect([steps, features, series.length]).toEqual([6, 16, 96]); // five bytes and the beginning of sequence
    const result = await processor.process('hello');
    expect(result.model.steps).toBe(steps);
  });
});

test('a series of one feature is numbers where the model has one input, and token ids where it has more', async () => {
  const narrow = await DtesnProcessor.create({ engine: null, config: { ...config, inputs: 1 } });
  const values = [0.25, -0.5, 3];
  const numbers = { data: Float32Array.from(values), steps: 3, features: 1 };
  narrow.applyMultiSourceTransformations(numbers, await narrow.fetchMultiSourceData());
  expect([...numbers.data]).toEqual(values);
  await narrow.close();
  const ids = { data: new Float32Array(3 * 16), steps: 3, features: 1 };
  ids.data.set([1, 2, 3]);
  const shaped = flat.applyMultiSourceTransformations(ids, await flat.fetchMultiSourceData());
  expect([shaped.steps, shaped.features]).toEqual([3, 16]);
});

describe('without an engine', () => {
  test('basic processing works on defaults and the errors are in the data', async () => {
    const alone = await DtesnProcessor.create({ engine: null, config });
    const result = await alone.process('hello');
    expect(result.input.encoder).toBe('utf8-bytes');
    expect(result.context.aggregation).toMatchObject({ data_quality_score: 0.4, failed_sources: 3 });
    expect(result.context.sources.performance.error_code).toBe('ERR_DTESN_NO_ENGINE');
    expect(result.model.steps).toBe(5);
    await alone.close();
  });
});

describe('create', () => {
  test('progress counts the membranes of the model', async () => {
    const seen: Progress[] = [];
    const made = await DtesnProcessor.create({ engine: null, config, onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toEqual({ done: 8, total: 8, stage: 'construct' });
    await made.close();
  });

  test('an abort rejects with the reason of the signal, before, in the middle and once the engine was started', async () => {
    const reason = new Error('enough');
    const early = AbortSignal.abort(reason);
    await expect(DtesnProcessor.create({ engine: null, config, signal: early })).rejects.toBe(reason);
    const middle = new AbortController();
    const large = { max_membrane_depth: 1, esn_reservoir_size: 6000 };
    const model = { topology: 'dense' as const };
    const making = DtesnProcessor.create({ engine: null, config: large, model, signal: middle.signal });
    setTimeout(() => middle.abort(reason), 10);
    await expect(making).rejects.toBe(reason);
    const late = new AbortController();
    const onProgress = ({ done, total }: Progress) => done === total && late.abort(reason);
    await expect(DtesnProcessor.create({ config, signal: late.signal, onProgress })).rejects.toBe(reason);
  });

  test.each([
    ['a size of 0', { config: { units: 0 } }, /units but received 0/],
    ['a misspelt key', { config: { unitz: 1 } }, /did you mean units/],
    ['an engine that is none', { engine: 7 }, /an engine, its URL, or null for engine but received 7/],
    ['a URL that is none', { engine: 'not a url' }, /not a url/],
  ])('%s is refused by name', async (_name, options, message) => {
    await expect(DtesnProcessor.create(options as never)).rejects.toThrow(message);
  });

  test('environment variables set options that are not given, and a wrong variable is named', async () => {
    const { createConfig } = await import('../../src/processor/index.js');
    expect(createConfig({}, { DTESN_DEPTH: '3' }).depth).toBe(3);
    expect(createConfig({ depth: 2 }, { DTESN_DEPTH: '3' }).depth).toBe(2);
    expect(createConfig({}, { DTESN_CACHING: 'false' }).caching).toBe(false);
    expect(() => createConfig({}, { DTESN_SEED: 'x' })).toThrow(/seed but received the string "x"/);
  });
});

test('a closed processor refuses further inputs', async () => {
  const closed = await DtesnProcessor.create({ engine: null, config });
  await closed.close();
  await expect(closed.process('x')).rejects.toMatchObject({ code: 'ERR_DTESN_CLOSED' });
});

test('options of a processor that are undefined count as left out, and its tree may have other parents', async () => {
  const model = { leak: undefined, parents: [null, 0, 0] };
  const made = await DtesnProcessor.create({ engine: null, config: { ...config, inputs: undefined }, model });
  const { membranes } = await made.process([[0.5]].map((row) => new Array(made.config.inputs).fill(row[0])));
  expect(membranes.length).toBe(3);
  expect(made.config.inputs).toBe(16);
  await made.close();
});

test.each([
  ['an unknown option', { sginal: 1 }, /Unknown option sginal of process/],
  ['a signal of another kind', { signal: {} }, /an AbortSignal for signal/],
  ['a listener of another kind', { onProgress: 5 }, /a function .* for onProgress/],
  ['null', null, /an object for the options of process/],
])('%s in the options of process is refused by name', async (_, options, message) => {
  await expect(processor.process('a', options as never)).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT', message: expect.stringMatching(message) }),
  );
});
