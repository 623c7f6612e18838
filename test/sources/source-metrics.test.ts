// What each source cost and brought, and sources of this process that fail.
import os from 'node:os';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SourceFetcher, type SourceFetcherOptions, sourceNames, sourcesSchema } from '../../src/sources/index.js';
import { memoryEngine } from './memory-engine.js';

const fetchers: SourceFetcher[] = [];
function fetcherOf(options: SourceFetcherOptions, engine = memoryEngine()): SourceFetcher {
  const fetcher = new SourceFetcher(engine, { deadlineMs: 20_000, ...options });
  fetchers.push(fetcher);
  return fetcher;
}
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  for (const fetcher of fetchers.splice(0)) await fetcher.close();
});

test('metrics count requests, failures by code, and reads by how they were served', async () => {
  const tokenize = async () => Promise.reject(new Error('broken'));
  const queue = { name: 'queue', fetch: () => ({ n: 1n }), freshMs: 1000 };
  const fetcher = fetcherOf({ sources: [queue] }, memoryEngine({ tokenize }));
  await fetcher.fetch();
  await Promise.all([fetcher.fetch(), fetcher.fetch()]); // share one read
  vi.advanceTimersByTime(600);
  await fetcher.fetch();
  const metrics = fetcher.metrics();
  expect(Object.keys(metrics)).toEqual([...sourceNames, 'queue']);
  expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
  expect(metrics['performance']).toMatchObject({ requests: 1, failures: {}, hits: 1, stale: 1, misses: 1 });
  expect(metrics['performance']!.latencyMs.count).toBe(1);
  expect(metrics['tokenizer']).toMatchObject({ requests: 1, failures: { ERR_DTESN_SOURCE: 1 }, hits: 2, misses: 1 });
  expect(metrics['queue']).toMatchObject({ failures: { ERR_DTESN_SOURCE_INVALID: 1 }, providers: {} });
  expect(metrics['tokenizer']!.providers).toMatchObject({ engine: { requests: 1, failures: 1, successMean: 0.5 } });
});

describe('sources of this process', () => {
  const throwing = () => {
    throw new Error('out of order');
  };
  const endless = () => Promise.resolve({});

  test.each<[string, unknown, string]>([
    ['throw', throwing, 'ERR_DTESN_SOURCE'],
    ['return nothing', () => undefined, 'ERR_DTESN_SOURCE_INVALID'],
    ['return a promise', endless, 'ERR_DTESN_SOURCE_INVALID'],
    ['return other fields', () => ({ membraneCacheSize: -1, availableMembranes: [1] }), 'ERR_DTESN_SOURCE_INVALID'],
  ])('providers that %s make records with the error, and the fetch holds', async (_, provider, code) => {
    const providers = { processingState: provider, resources: provider } as never;
    const { sources } = await fetcherOf({ providers }).fetch();
    expect(sourcesSchema.parse(sources)).toEqual(sources);
    expect(sources.processing_state).toMatchObject({ state: 'error', error_code: code, membrane_cache_size: null });
    expect(sources.resources).toMatchObject({ state: 'error', error_code: code, max_concurrent_processes: null });
    expect(sources.performance.state).toBe('ok');
  });

  test('an operating system that does not answer is an error record', async () => {
    vi.spyOn(os, 'totalmem').mockImplementation(throwing);
    const { resources } = (await fetcherOf({}).fetch()).sources;
    expect(resources).toMatchObject({ state: 'error', error: 'out of order', cpu_count: null });
  });

  test('when all five sources and an additional one fail, a fetch returns their errors', async () => {
    const providers = { processingState: throwing, resources: throwing };
    const broken = async () => throwing();
    const engine = memoryEngine({ models: broken, tokenize: broken, metrics: broken });
    const { sources, additional } = await fetcherOf(
      { providers, sources: [{ name: 'queue', fetch: throwing }] },
      engine,
    ).fetch();
    expect(sourceNames.map((name) => sources[name].state)).toEqual(['error', 'error', 'error', 'error', 'error']);
    expect(additional['queue']!.error).toBe('queue source: out of order');
    expect(sourcesSchema.safeParse({ ...sources, ...additional }).success).toBe(true);
  });

  test('an engine whose methods throw synchronously gives error records', async () => {
    const engine = memoryEngine({
      models: throwing,
      version: throwing,
      tokenize: throwing,
      metrics: throwing,
      health: throwing,
    });
    const { sources } = await fetcherOf({}, engine).fetch();
    for (const name of ['model_config', 'tokenizer', 'performance'] as const) expect(sources[name].state).toBe('error');
  });
});
