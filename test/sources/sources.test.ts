import os from 'node:os';
import { describe, expect, test } from 'vitest';
import { EngineError } from '../../src/engine/index.js';
import { configFacts, joinFacts } from '../../src/engine/model-facts.js';
import {
  fetchModelDataSource,
  fetchPerformanceDataSource,
  fetchProcessingStateSource,
  fetchResourceDataSource,
  fetchTokenizerDataSource,
  modelConfigSchema,
  performanceSchema,
  processingStateSchema,
  resourcesSchema,
  tokenizerSchema,
} from '../../src/sources/index.js';
import { memoryEngine, never } from './memory-engine.js';

const refuse = (status: number) => async () => {
  throw new EngineError('ERR_DTESN_ENGINE_HTTP', `answered ${status}`, { status });
};

describe('model_config', () => {
  test('model_config joins the model card, the version and the files, and names the origin of each field', async () => {
    const source = await fetchModelDataSource(memoryEngine());
    expect(modelConfigSchema.parse(source)).toEqual(source);
    expect(source).toMatchObject({
      ...{ model_name: 'm', max_model_len: 8192, vocab_size: 320, hidden_size: 64, dtype: 'bfloat16' },
      ...{ engine_version: '0.10.0', source_type: 'model_config', state: 'ok', unknown: [], age_ms: 0 },
      ...{ trained_length: 8192, tokenizer_size: 300, conflicts: [] },
      provenance: {
        ...{ model_name: 'GET /v1/models', max_model_len: 'GET /v1/models', engine_version: 'GET /version' },
        ...{ vocab_size: 'config.json', hidden_size: 'config.json', dtype: 'config.json' },
        ...{ trained_length: 'config.json', tokenizer_size: 'tokenizer.json' },
      },
    });
    expect(Math.abs(source.fetch_timestamp - Date.now() / 1000)).toBeLessThan(60);
  });

  test('model_config describes the base model, not an adapter listed before it', async () => {
    const card = { root: null, maxModelLen: null, ownedBy: null };
    const models = async () => [
      { ...card, id: 'lora', parent: 'base' },
      { ...card, id: 'base', parent: null, maxModelLen: 99 },
    ];
    expect(await fetchModelDataSource(memoryEngine({ models }))).toMatchObject({
      model_name: 'base',
      max_model_len: 99,
    });
  });

  test.each([
    [
      { n_embd: 768, dtype: 'float16' },
      { hidden_size: 768, dtype: 'float16', vocab_size: null },
    ],
    [
      { d_model: 512, torch_dtype: 'torch.float32' },
      { hidden_size: 512, dtype: 'float32' },
    ],
    [
      { text_config: { hidden_size: 4096, vocab_size: 9, dtype: 'bfloat16' } },
      { hidden_size: 4096, vocab_size: 9, dtype: 'bfloat16' },
    ],
    [
      { vocab_size: 'many', hidden_size: -1, dtype: 3 },
      { vocab_size: null, hidden_size: null, dtype: null },
    ],
  ])('the sizes of %j are %j', async (config, expected) => {
    const modelFiles = async () => ({ folder: '/m', config });
    expect(await fetchModelDataSource(memoryEngine({ modelFiles }))).toMatchObject(expected);
  });

  test('model_config without files is partial and lists its unknown fields', async () => {
    const source = await fetchModelDataSource(memoryEngine({ modelFiles: async () => null }));
    expect(source).toMatchObject({ state: 'partial' });
    const ofFiles = ['vocab_size', 'hidden_size', 'dtype', 'trained_length', 'tokenizer_size', 'conflicts'];
    expect(source.unknown).toEqual(ofFiles);
    expect(source.error).toBeUndefined();
    expect(source.provenance).not.toHaveProperty('dtype');
  });

  test('the model files are read after the engine named their folder, and their problems are reported', async () => {
    const engine = memoryEngine();
    const modelFiles = async () => {
      expect(engine.asked['models']).toBe(1);
      return { folder: '/m', config: {}, problems: ['/m/tokenizer.json: not a JSON object'] };
    };
    Object.assign(engine, { modelFiles });
    expect(await fetchModelDataSource(engine)).toMatchObject({ problems: ['/m/tokenizer.json: not a JSON object'] });
  });

  test('files that cannot be read are a problem, and the fields of the engine stay', async () => {
    const modelFiles = async () => {
      throw new Error('no such folder');
    };
    const source = await fetchModelDataSource(memoryEngine({ modelFiles }));
    expect(source).toMatchObject({ model_name: 'm', vocab_size: null, problems: ['no such folder'], state: 'partial' });
  });

  test('model_config lists where the engine and the files contradict each other', async () => {
    const config = { vocab_size: 8, max_position_embeddings: 4096 };
    const facts = joinFacts([
      ['config.json', configFacts(config)],
      ['tokenizer.json', { tokenizerSize: 9 }],
      ['tokenizer_config.json', { tokenizerMaxLength: 2048 }],
    ]);
    const card = { id: 'alias', root: 'org/one', parent: null, maxModelLen: 8192, ownedBy: 'vllm' };
    const answers = {
      models: async () => [card],
      modelFiles: async () => ({ folder: '/m', config, facts, hubId: 'org/two' }),
    };
    expect((await fetchModelDataSource(memoryEngine(answers))).conflicts).toEqual([
      'max_model_len of the engine is 8192, more than the trained length in config.json, 4096',
      'max_model_len of the engine is 8192, more than model_max_length in tokenizer_config.json, 2048',
      'the tokenizer in tokenizer.json is 9, more than vocab_size in config.json, 8',
      'the engine serves org/one, the files are those of org/two',
    ]);
  });

  test.each([
    ['/models/x', 'alias', null],
    [null, 'alias', null],
    ['Org/Two', 'alias', []],
    [null, 'org/two', []],
  ])('the root %j under the name %j beside files of org/two conflicts as %j', async (root, id, conflicts) => {
    const answers = {
      models: async () => [{ id, root, parent: null, maxModelLen: null, ownedBy: null }],
      modelFiles: async () => ({ folder: '/m', config: {}, hubId: 'org/two' }),
    };
    expect((await fetchModelDataSource(memoryEngine(answers))).conflicts).toEqual(conflicts);
  });

  test('a failed GET /version is a problem, not a failed source', async () => {
    const source = await fetchModelDataSource(memoryEngine({ version: refuse(500) }));
    expect(source).toMatchObject({ state: 'partial', unknown: ['engine_version'], problems: ['answered 500'] });
  });

  test('model_config without GET /v1/models fails with the HTTP status, and every field is null', async () => {
    const source = await fetchModelDataSource(memoryEngine({ models: refuse(500) }));
    expect(modelConfigSchema.parse(source)).toEqual(source);
    expect(source).toMatchObject({
      ...{ model_name: null, max_model_len: null, vocab_size: null, engine_version: null, provenance: null },
      ...{ state: 'error', error: 'answered 500', error_code: 'ERR_DTESN_ENGINE_HTTP', http_status: 500 },
    });
    expect(source.unknown).toContain('model_name');
  });
});

describe('tokenizer', () => {
  test('the tokenizer source reports the round trip of the probe text', async () => {
    const source = await fetchTokenizerDataSource(memoryEngine());
    expect(tokenizerSchema.parse(source)).toEqual(source);
    expect(source).toMatchObject({
      ...{ tokenizer_available: true, engine_type: 'aphrodite', has_encode_method: true, has_decode_method: true },
      ...{ round_trip_ok: true, max_model_len: 8192, state: 'ok' },
    });
  });

  test('round_trip_ok is false when the probe text does not come back', async () => {
    const source = await fetchTokenizerDataSource(memoryEngine({ detokenize: async () => 'another text' }));
    expect(source).toMatchObject({ has_decode_method: true, round_trip_ok: false, state: 'ok' });
  });

  test('decode is unavailable without /detokenize, and unknown when /detokenize fails', async () => {
    const absent = await fetchTokenizerDataSource(memoryEngine({ detokenize: refuse(404) }));
    expect(absent).toMatchObject({ has_decode_method: false, round_trip_ok: null, state: 'partial' });
    const failing = await fetchTokenizerDataSource(memoryEngine({ detokenize: refuse(500) }));
    expect(failing).toMatchObject({ has_decode_method: null, problems: ['answered 500'] });
    expect(failing.unknown).toEqual(['has_decode_method', 'round_trip_ok']);
  });

  test('engine_type comes from the metrics when the model list is refused', async () => {
    const source = await fetchTokenizerDataSource(memoryEngine({ models: refuse(401) }));
    expect(source).toMatchObject({ engine_type: 'aphrodite', state: 'ok' });
  });

  test('a model list that hangs leaves one field unknown and does not fail the source', async () => {
    const source = await fetchTokenizerDataSource(memoryEngine({ models: never }), { timeoutMs: 20 });
    expect(source).toMatchObject({ tokenizer_available: true, engine_type: null, state: 'partial' });
    expect(source.problems?.[0]).toBe('GET /v1/models did not answer in time');
  });

  test('a tokenizer that hangs is a timeout that names the request', async () => {
    const source = await fetchTokenizerDataSource(memoryEngine({ tokenize: never }), { timeoutMs: 20 });
    expect(source).toMatchObject({
      ...{ tokenizer_available: null, state: 'error', error_code: 'ERR_DTESN_SOURCE_TIMEOUT' },
      error: 'tokenizer source did not answer within 20 ms (POST /tokenize)',
    });
  });
});

describe('performance', () => {
  test('load and totals come from /metrics, readiness from /health and the sleep gauge', async () => {
    const source = await fetchPerformanceDataSource(memoryEngine());
    expect(performanceSchema.parse(source)).toEqual(source);
    expect(source).toMatchObject({
      ...{ total_requests: 163, concurrent_requests: 26, error_count: 3, engine_ready: true, running: 24, waiting: 2 },
      ...{ kv_cache_usage: 0.375, kv_cache_usage_max: 0.5, kv_tokens_capacity: 24000, generation_tokens_total: 5712 },
      ...{ prompt_tokens_total: 1000, preemptions_total: 4, requests_by_reason: { stop: 160, error: 3 }, state: 'ok' },
    });
    expect(Math.abs(source.last_sync_time! - source.fetch_timestamp)).toBeLessThan(10);
  });

  test('engine_ready is false when /health answers 503 and unknown when /health does not answer', async () => {
    expect(await fetchPerformanceDataSource(memoryEngine({ health: refuse(503) }))).toMatchObject({
      ...{ engine_ready: false, state: 'ok' },
    });
    expect(await fetchPerformanceDataSource(memoryEngine({ health: never }), { timeoutMs: 20 })).toMatchObject({
      ...{ engine_ready: null, running: 24, state: 'partial', unknown: ['engine_ready'] },
    });
  });

  test('a sleeping engine is healthy and not ready', async () => {
    const { metrics } = memoryEngine();
    const asleep = async () => Buffer.from((await metrics()).toString().replace('"awake"} 1.0', '"awake"} 0.0'));
    expect(await fetchPerformanceDataSource(memoryEngine({ metrics: asleep }))).toMatchObject({ engine_ready: false });
  });

  test('metrics without series of an engine give a source whose figures are all unknown', async () => {
    const source = await fetchPerformanceDataSource(memoryEngine({ metrics: async () => Buffer.from('up 1\n') }));
    expect(source).toMatchObject({ state: 'partial', running: null, concurrent_requests: null, engine_ready: true });
    expect(source.unknown).toContain('concurrent_requests');
  });

  test.each(['', '<!DOCTYPE html>\n', 'aphrodite:num_requests_running 5'])(
    'the metrics %j fail the performance source',
    async (body) => {
      const source = await fetchPerformanceDataSource(memoryEngine({ metrics: async () => Buffer.from(body) }));
      expect(source).toMatchObject({
        state: 'error',
        error_code: 'ERR_DTESN_METRICS',
        running: null,
        engine_ready: null,
      });
    },
  );
});

describe('processing_state', () => {
  const state = {
    ...{ membraneCacheSize: 3, esnCacheSize: 2, bseriesCacheSize: 1 },
    ...{ batchManagerActive: true, concurrencyManagerActive: false },
  };

  test('processing_state holds what the processor reports', async () => {
    const source = await fetchProcessingStateSource(() => state);
    expect(processingStateSchema.parse(source)).toEqual(source);
    expect(source).toMatchObject({ membrane_cache_size: 3, esn_cache_size: 2, bseries_cache_size: 1, state: 'ok' });
    expect(source).toMatchObject({ batch_manager_active: true, concurrency_manager_active: false });
  });

  test('without a processor every field of processing_state is unknown, and the source does not fail', async () => {
    const source = await fetchProcessingStateSource(undefined);
    expect(source).toMatchObject({ state: 'partial', membrane_cache_size: null });
    expect(source.unknown).toHaveLength(5);
  });

  test('a processor that throws fails the processing_state source', async () => {
    const source = await fetchProcessingStateSource(() => {
      throw new Error('broken');
    });
    expect(source).toMatchObject({ state: 'error', error: 'broken', error_code: 'ERR_DTESN_SOURCE' });
  });
});

describe('resources', () => {
  test('resources holds the figures of this host and what the processor reports', async () => {
    const provider = () => ({
      ...{ availableMembranes: ['skin'], maxConcurrentProcesses: 1, echoKernAvailable: true },
      currentProcessingLoad: { active_reservoirs: 2 },
    });
    const source = await fetchResourceDataSource(provider);
    expect(resourcesSchema.parse(source)).toEqual(source);
    expect(source).toMatchObject({
      max_concurrent_processes: 1,
      available_membranes: ['skin'],
      echo_kern_available: true,
    });
    const { current_processing_load: load, memory_available_bytes, cpu_count } = source;
    expect(load).toMatchObject({ active_reservoirs: 2, cpu_count });
    expect(load!['memory_total_bytes']).toBeLessThanOrEqual(os.totalmem());
    expect(load!['memory_used_bytes']).toBe(load!['memory_total_bytes']! - memory_available_bytes!);
    expect(load!['rss_bytes']).toBeGreaterThan(1e6);
    expect(cpu_count).toBeLessThanOrEqual(os.availableParallelism());
  });

  test('resources holds pressure, and from the second reading on the lateness of the event loop', async () => {
    const pause = () => new Promise((resolve) => setTimeout(resolve, 30));
    await fetchResourceDataSource(undefined);
    await pause();
    const until = performance.now() + 60;
    while (performance.now() < until); // the loop stands still
    await pause();
    const { current_processing_load: load } = await fetchResourceDataSource(undefined);
    expect(load!['event_loop_p99_ms']).toBeGreaterThan(20);
    for (const name of ['cpu_pressure', 'memory_pressure', 'io_pressure']) {
      const share = load![name]!;
      expect(share === null || (share >= 0 && share <= 1)).toBe(true);
    }
  });

  test('without a processor its fields of resources are unknown and those of the host are known', async () => {
    const source = await fetchResourceDataSource(undefined);
    expect(source).toMatchObject({ state: 'partial', unknown: ['available_membranes', 'echo_kern_available'] });
    expect(source.max_concurrent_processes).toBe(source.cpu_count);
  });
});

test('without an engine its sources fail with ERR_DTESN_NO_ENGINE', async () => {
  for (const fetch of [fetchModelDataSource, fetchTokenizerDataSource, fetchPerformanceDataSource]) {
    expect(await fetch(null)).toMatchObject({ state: 'error', error_code: 'ERR_DTESN_NO_ENGINE' });
  }
});

test('an abort of the caller rejects with its reason', async () => {
  const abort = new AbortController();
  const asked = fetchTokenizerDataSource(memoryEngine({ tokenize: never }), { signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(asked).rejects.toThrow('enough');
});
