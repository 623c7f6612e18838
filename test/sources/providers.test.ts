// Several providers of what an engine answers: who is asked, in which order, and what is learned of each.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Engine, metricsMirror, modelFilesEngine } from '../../src/engine/index.js';
import {
  type AlternativeEngine,
  fetchModelDataSource,
  fetchPerformanceDataSource,
  SourceFetcher,
  type SourceFetcherOptions,
} from '../../src/sources/index.js';
import { ProviderScore } from '../../src/sources/policies/provider-score.js';
import { metricsBody, serveEngine, silent, text } from '../faults/engine-server.js';
import { type MemoryEngine, memoryEngine, never } from './memory-engine.js';

const open: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of open.splice(0).reverse()) await close();
});
function fetcherOf(engine: Engine | null, alternatives: AlternativeEngine[], options: SourceFetcherOptions = {}) {
  const fetcher = new SourceFetcher(engine, { deadlineMs: 20_000, ...options, alternatives });
  open.push(() => fetcher.close());
  return fetcher;
}
const failing = async () => {
  throw new Error('broken');
};
const dead = () => memoryEngine({ models: failing, version: failing, metrics: failing, tokenize: failing });
const withRunning = (running: number) =>
  memoryEngine({ metrics: async () => Buffer.from(metricsBody.replace('} 19.0', `} ${running}.0`)) });
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('the main engine answers while it is healthy, and every record names it', async () => {
  const fetcher = fetcherOf(memoryEngine(), [{ name: 'second', engine: withRunning(1) }]);
  const { sources } = await fetcher.fetch();
  const names = [sources.model_config, sources.tokenizer, sources.performance].map(({ provider }) => provider);
  expect(names).toEqual(['engine', 'engine', 'engine']);
  expect(sources.resources.provider).toBeUndefined();
});

test('when the first provider fails, the next one answers in the same fetch, and engineFor returns it', async () => {
  const second = memoryEngine();
  const main = dead();
  const fetcher = fetcherOf(main, [{ name: 'second', engine: second }]);
  expect(fetcher.engineFor('tokenizer')).toBe(main);
  const { sources } = await fetcher.fetch();
  expect(sources.performance).toMatchObject({ state: 'ok', provider: 'second', running: 24 });
  expect(sources.tokenizer).toMatchObject({ state: 'ok', provider: 'second' });
  expect(fetcher.engineFor('tokenizer')).toBe(second);
  expect(() => fetcher.engineFor('resources' as never)).toThrow(/one of model_config, tokenizer, performance/);
});

test('the next provider is requested when the first is silent for half of its limit, and answers are never mixed', async () => {
  const main = memoryEngine({ metrics: never });
  const fetcher = fetcherOf(main, [{ name: 'second', engine: withRunning(1) }], { timeoutsMs: { performance: 60 } });
  const { sources } = await fetcher.fetch();
  expect(sources.performance).toMatchObject({ state: 'ok', provider: 'second', running: 6 });
  expect(sources.model_config.provider).toBe('engine');
  const { providers } = fetcher.metrics()['performance']!;
  expect(providers['engine']).toMatchObject({ requests: 1, failures: 1, successMean: 0.5 });
});

test('when all providers fail, the record has the error of the first and the others as problems', async () => {
  const other = memoryEngine({ metrics: async () => Promise.reject(new Error('away')) });
  const { performance } = (await fetcherOf(dead(), [{ name: 'second', engine: other }]).fetch()).sources;
  expect(performance).toMatchObject({ state: 'error', provider: 'engine', error: 'broken' });
  expect(performance.problems).toContain('second: away');
});

test('alternatives answer when there is no main engine', async () => {
  const { sources } = await fetcherOf(null, [
    { name: 'second', engine: memoryEngine(), sources: ['performance'] },
  ]).fetch();
  expect(sources.performance).toMatchObject({ state: 'ok', provider: 'second' });
  expect(sources.tokenizer.error_code).toBe('ERR_DTESN_NO_ENGINE');
});

test('a failed provider is requested again beside the others, and answers again when it recovered', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  let up = false;
  const { metrics } = memoryEngine();
  const main: MemoryEngine = memoryEngine({ metrics: () => (up ? metrics() : failing()) });
  const fetcher = fetcherOf(main, [{ name: 'second', engine: withRunning(1), sources: ['performance'] }]);
  const providerOf = async () => (await fetcher.fetch({ force: true })).sources.performance.provider;
  expect(await providerOf()).toBe('second');
  await turn();
  expect(await providerOf()).toBe('second');
  up = true;
  const seen: unknown[] = [];
  for (let k = 0; k < 6; k++) {
    vi.advanceTimersByTime(6000);
    seen.push(await providerOf());
    await turn();
  }
  expect(seen.at(-1)).toBe('engine');
  expect(main.asked['metrics']).toBeGreaterThan(2);
});

test('a change of provider is not a restart, and counters of two providers are not compared', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  let up = true;
  const { metrics } = memoryEngine();
  const main = memoryEngine({ metrics: () => (up ? metrics() : failing()) });
  const body = metricsBody.replace('5712.0', '12.0').replace('1.7953796409e+09', '1.7e+09');
  const second = memoryEngine({ metrics: async () => Buffer.from(body) });
  const fetcher = fetcherOf(main, [{ name: 'second', engine: second, sources: ['performance'] }]);
  await fetcher.fetch();
  up = false;
  const { performance } = (await fetcher.fetch({ force: true })).sources;
  expect(performance).toMatchObject({ provider: 'second', generation_tokens_total: 12 });
  expect(fetcher.epoch).toBe(0);
  await fetcher.fetch();
  expect(main.asked['tokenize']).toBe(2);
});

test('the epoch rises after a restart and when the model changes', async () => {
  let change = (body: string) => body;
  let version = '1';
  const { metrics } = memoryEngine();
  const engine = memoryEngine({
    version: async () => version,
    metrics: async () => Buffer.from(change((await metrics()).toString())),
  });
  const fetcher = fetcherOf(engine, []);
  await fetcher.fetch({ force: true });
  await fetcher.fetch({ force: true });
  expect(fetcher.epoch).toBe(0);
  change = (body) => body.replace('5712.0', '12.0');
  await fetcher.fetch({ force: true });
  expect(fetcher.epoch).toBe(1);
  version = '2';
  await fetcher.fetch({ force: true });
  expect(fetcher.epoch).toBe(2);
});

test('the epoch rises when the maximum length of the tokenizer changes', async () => {
  let length = 8192;
  const engine = memoryEngine({ tokenize: async () => ({ count: 1, maxModelLen: length, tokens: [1] }) });
  const fetcher = fetcherOf(engine, []);
  await fetcher.fetch({ force: true });
  length = 4096;
  await fetcher.fetch({ force: true });
  expect(fetcher.epoch).toBe(1);
});

describe('the score of a provider', () => {
  test('the cost of a provider rises with failures and latency, falls with time, and is lower for the main engine', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const score = new ProviderScore(false);
    expect(score.cost(200)).toBe(100);
    score.asked();
    score.answered(10);
    expect(score.cost(200)).toBe(10);
    score.answered(20);
    expect(score.cost(200)).toBeCloseTo(12, 12);
    score.failed();
    expect(score.cost(200)).toBeCloseTo(112, 12);
    vi.advanceTimersByTime(60_000);
    expect(score.cost(200)).toBeCloseTo(62, 12);
    expect(new ProviderScore(true).cost(200)).toBe(50);
  });

  test('a provider is due when it was never requested, 5 s after a failure, else after 60 s', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const score = new ProviderScore(false);
    expect(score.isDue).toBe(true);
    score.asked();
    vi.advanceTimersByTime(59_999);
    expect(score.isDue).toBe(false);
    score.failed();
    expect(score.isDue).toBe(true);
  });
});

describe('partial engines', () => {
  test('a metrics mirror answers the performance source only, with engine_ready unknown', async () => {
    const server = await serveEngine({ '/copy?of=m': text(metricsBody) });
    open.push(server.close);
    const mirror = metricsMirror(`${server.url}/copy?of=m`, { apiKey: 'k' });
    open.push(() => mirror.close());
    const source = await fetchPerformanceDataSource(mirror, { timeoutMs: 20_000 });
    expect(source).toMatchObject({ state: 'partial', running: 24, engine_ready: null });
    expect(source.problems).toEqual([expect.stringMatching(/does not answer GET \/health/)]);
    expect(server.asked[0]!.headers.authorization).toBe('Bearer k');
    expect(mirror.label).toBe(`metrics mirror ${server.url}/copy`);
    await expect(mirror.tokenize('x')).rejects.toMatchObject({ code: 'ERR_DTESN_ENGINE_UNSUPPORTED' });
    const fetcher = fetcherOf(dead(), [{ name: 'mirror', engine: mirror }]);
    const { performance, tokenizer } = (await fetcher.fetch()).sources;
    expect(performance).toMatchObject({ provider: 'mirror', running: 24 });
    expect(tokenizer).toMatchObject({ state: 'error', error: 'broken', tokenizer_available: null });
  });

  test('a metrics mirror that fails or hangs has the errors of an engine', async () => {
    const server = await serveEngine({ '/silent': silent });
    open.push(server.close);
    const [absent, hung] = [
      metricsMirror(`${server.url}/absent`),
      metricsMirror(`${server.url}/silent`, { timeoutMs: 20 }),
    ];
    open.push(
      () => absent.close(),
      () => hung.close(),
    );
    await expect(absent.metrics()).rejects.toMatchObject({ code: 'ERR_DTESN_ENGINE_HTTP', status: 404 });
    await expect(hung.metrics()).rejects.toMatchObject({ code: 'ERR_DTESN_ENGINE_TIMEOUT' });
  });

  test.each<[unknown, RegExp]>([
    ['ftp://host', /an http or https URL/],
    ['http://u:secret@host/m', /without a user for url but received the string "one with a user"/],
    [7, /for url but received 7/],
  ])('the mirror %j is refused', (url, message) => {
    expect(() => metricsMirror(url as string)).toThrow(message);
  });

  test('model files alone give name, length and sizes, each with its file', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'dtesn-files-'));
    open.push(() => rmSync(folder, { recursive: true }));
    const config = { vocab_size: 320, hidden_size: 64, torch_dtype: 'bfloat16', max_position_embeddings: 4096 };
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
    const engine = modelFilesEngine(folder);
    const source = await fetchModelDataSource(engine, { timeoutMs: 20_000 });
    expect(source).toMatchObject({
      ...{ state: 'partial', model_name: path.basename(folder), max_model_len: 4096, vocab_size: 320 },
      ...{ hidden_size: 64, dtype: 'bfloat16', engine_version: null },
      provenance: { model_name: "the path of the model's files", max_model_len: 'config.json', dtype: 'config.json' },
    });
    const fetcher = fetcherOf(dead(), [{ name: 'files', engine }]);
    const { sources } = await fetcher.fetch();
    expect(sources.model_config).toMatchObject({ provider: 'files', max_model_len: 4096 });
    expect(sources.performance).toMatchObject({ state: 'error', provider: 'engine' });
  });

  test('absent files fail the source, and an empty path is refused', async () => {
    const source = await fetchModelDataSource(modelFilesEngine('/nowhere/at/all'));
    expect(source).toMatchObject({ state: 'error', error_code: 'ERR_DTESN_MODEL_FILES' });
    expect(() => modelFilesEngine('')).toThrow(/the path of a folder or file for folder/);
  });
});

test.each<[unknown, RegExp]>([
  [{ name: 'engine', engine: memoryEngine() }, /no other provider has for alternatives\[0\]\.name/],
  [{ name: 'disk', engine: memoryEngine() }, /alternatives\[0\]\.name/],
  [{ name: 'Second', engine: memoryEngine() }, /a name of a-z/],
  [{ name: 'second', engine: 'http://host' }, /an Engine for engine/],
  [{ name: 'second', engine: memoryEngine(), sources: ['resources'] }, /sources/],
  [{ name: 'second', engine: memoryEngine(), source: [] }, /did you mean sources/],
])('the alternative %# is refused', (alternative, message) => {
  expect(() => new SourceFetcher(null, { alternatives: [alternative as AlternativeEngine] })).toThrow(message);
});
