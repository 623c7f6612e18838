// How long each source serves, as the options say, and what every answer tells of it.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SourceFetcher, type SourceFetcherOptions } from '../../src/sources/index.js';
import { memoryEngine } from './memory-engine.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

test('every answer holds fresh_until and cache', async () => {
  const fetcher = new SourceFetcher(memoryEngine(), { deadlineMs: 20_000 });
  const first = (await fetcher.fetch()).sources;
  expect(first.performance.cache).toBe('miss');
  expect(first.performance.fresh_until - first.performance.fetch_timestamp).toBeCloseTo(0.5, 3);
  expect(first.model_config.fresh_until - first.model_config.fetch_timestamp).toBeCloseTo(300, 3);
  const second = (await fetcher.fetch()).sources;
  expect([second.performance.cache, second.processing_state.cache]).toEqual(['hit', 'miss']);
  vi.advanceTimersByTime(600);
  expect((await fetcher.fetch()).sources.performance.cache).toBe('stale');
  await fetcher.close();
});

test('the freshness options of a source replace its defaults', async () => {
  const engine = memoryEngine();
  const fetcher = new SourceFetcher(engine, {
    deadlineMs: 20_000,
    freshness: { performance: { freshMs: 5000, maxStaleMs: 6000 }, processing_state: { freshMs: 1000 } },
  });
  await fetcher.fetch();
  vi.advanceTimersByTime(900);
  const { performance, processing_state } = (await fetcher.fetch()).sources;
  expect([performance.cache, processing_state.cache]).toEqual(['hit', 'hit']);
  vi.advanceTimersByTime(5200);
  expect((await fetcher.fetch()).sources.performance.cache).toBe('miss');
  expect(engine.asked['metrics']).toBe(2);
  await fetcher.close();
});

test('a fresh time above the default maximum staleness raises the maximum staleness to it', async () => {
  const fetcher = new SourceFetcher(memoryEngine(), {
    deadlineMs: 20_000,
    freshness: { resources: { freshMs: 50_000 } },
  });
  await fetcher.fetch();
  vi.advanceTimersByTime(49_000);
  expect((await fetcher.fetch()).sources.resources.cache).toBe('hit');
  await fetcher.close();
});

test.each<[unknown, RegExp]>([
  [{ performance: { maxStaleMs: 60_001 } }, /\[0, 60000\] for maxStaleMs/],
  [{ performance: { freshMs: 10_001 } }, /\[0, 10000\] for freshMs/],
  [
    { performance: { freshMs: 5000, maxStaleMs: 10 } },
    /at least freshMs, 5000, for freshness\.performance\.maxStaleMs/,
  ],
  [{ performance: { freshFor: 1 } }, /Unknown option freshFor of freshness\.performance/],
  [{ performances: {} }, /Unknown option performances of freshness; did you mean performance\?/],
  [{ tokenizer: 7 }, /an object for the options of freshness\.tokenizer/],
  [{ model_config: { retryMs: -1 } }, /retryMs/],
])('the freshness %j is refused', (freshness, message) => {
  expect(() => new SourceFetcher(null, { freshness } as SourceFetcherOptions)).toThrow(message);
});
