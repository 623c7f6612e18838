import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Engine, EngineError } from '../../src/engine/index.js';
import {
  fetchSources,
  SourceFetcher,
  type SourceFetcherOptions,
  sourceNames,
  sourcesSchema,
} from '../../src/sources/index.js';
import { type MemoryEngine, memoryEngine, never } from './memory-engine.js';
import { watchTimers } from './open-timers.js';

const fetchers: SourceFetcher[] = [];
function fetcherOf(engine: Engine | null, options: SourceFetcherOptions = {}): SourceFetcher {
  // As long as a busy machine needs; tests of a limit give their own.
  const fetcher = new SourceFetcher(engine, { deadlineMs: 20_000, ...options });
  fetchers.push(fetcher);
  return fetcher;
}

// Ages are of the monotonic clock: only that one is moved by hand.
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(async () => {
  vi.useRealTimers();
  for (const fetcher of fetchers.splice(0)) await fetcher.close();
});
const pass = (ms: number) => vi.advanceTimersByTime(ms);
/** Lets what is under way go on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));
const failing = async () => {
  throw new Error('broken');
};

/** Metrics that are answered when the test says so. */
function slowMetrics() {
  const waiting: ((body: Uint8Array) => void)[] = [];
  return {
    metrics: () => new Promise<Uint8Array>((resolve) => waiting.push(resolve)),
    answer: () => waiting.shift()!(Buffer.from('up 1\n')),
  };
}

test('a fetch holds the five sources of the published format', async () => {
  const providers = {
    processingState: () => ({
      ...{ membraneCacheSize: 1, esnCacheSize: 1, bseriesCacheSize: 1 },
      ...{ batchManagerActive: true, concurrencyManagerActive: true },
    }),
    resources: () => ({ availableMembranes: ['skin'], echoKernAvailable: true }),
  };
  const { sources, timestamp } = await fetcherOf(memoryEngine(), { providers }).fetch();
  expect(sourcesSchema.parse(sources)).toEqual(sources);
  expect(sourceNames.map((name) => sources[name].state)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
  expect(sourceNames.map((name) => sources[name].source_type)).toEqual([...sourceNames]);
  expect(Math.abs(timestamp - Date.now() / 1000)).toBeLessThan(60);
});

test('any set of sources may fail, and the other sources still answer', async () => {
  const broken: Record<string, Partial<Engine>> = {
    model_config: { models: failing },
    tokenizer: { tokenize: failing },
    performance: { metrics: failing },
  };
  for (const [name, answers] of Object.entries(broken)) {
    const { sources } = await fetcherOf(memoryEngine(answers)).fetch();
    expect(sourceNames.filter((other) => sources[other].state === 'error')).toEqual([name]);
  }
  const { sources } = await fetcherOf(memoryEngine({ models: failing, tokenize: failing, metrics: failing })).fetch();
  expect(sourcesSchema.parse(sources)).toEqual(sources);
  expect(sources.resources.state).toBe('partial');
});

test('without an engine its three sources fail with ERR_DTESN_NO_ENGINE', async () => {
  const { sources } = await fetcherOf(null).fetch();
  const codes = sourceNames.map((name) => sources[name].error_code);
  const none = 'ERR_DTESN_NO_ENGINE';
  expect(codes).toEqual([none, none, none, undefined, undefined]);
});

test('fetchSources requests every source once and caches nothing', async () => {
  const engine = memoryEngine();
  const { sources } = await fetchSources(engine, { deadlineMs: 60_000 });
  await fetchSources(engine);
  expect(sources.performance).toMatchObject({ state: 'ok', running: 24 });
  expect(engine.asked).toMatchObject({ metrics: 2, tokenize: 2 });
  await expect(fetchSources(engine, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  await expect(fetchSources(engine, { deadline: 1 } as never)).rejects.toThrow(/did you mean deadlineMs/);
});

describe('cached answers', () => {
  test('a fresh answer is served with its age and without a request', async () => {
    const engine = memoryEngine();
    const fetcher = fetcherOf(engine);
    await fetcher.fetch();
    const before = { ...engine.asked };
    pass(400);
    const { sources } = await fetcher.fetch();
    expect(engine.asked).toEqual(before);
    expect(sources.performance).toMatchObject({ state: 'ok', age_ms: 400, running: 24 });
  });

  test('a step of the wall clock changes no age and makes no answer stale', async () => {
    const engine = memoryEngine();
    const fetcher = fetcherOf(engine);
    await fetcher.fetch();
    const day = 86_400_000;
    for (const step of [-day, day]) {
      const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + step);
      expect((await fetcher.fetch()).sources.performance).toMatchObject({ state: 'ok', age_ms: 0 });
      clock.mockRestore();
    }
    expect(engine.asked['metrics']).toBe(1);
  });

  test('an answer past its fresh time is served as stale and refetched in the background', async () => {
    const engine = memoryEngine();
    const fetcher = fetcherOf(engine);
    await fetcher.fetch();
    pass(600);
    const { sources } = await fetcher.fetch();
    expect(sources.performance).toMatchObject({ state: 'stale', age_ms: 600, running: 24 });
    expect(sources.performance.stale_reason).toMatch(/older than 500 ms/);
    expect(sources.performance.error).toBeUndefined();
    expect(sources.model_config.state).toBe('ok');
    expect(engine.asked).toMatchObject({ metrics: 2, tokenize: 1 });
    await turn();
    expect((await fetcher.fetch()).sources.performance).toMatchObject({ state: 'ok', age_ms: 0 });
    expect(engine.asked['metrics']).toBe(2);
  });

  test('while the engine fails, the stale answer says why, until its maximum staleness', async () => {
    let up = true;
    const { metrics } = memoryEngine();
    const fetcher = fetcherOf(memoryEngine({ metrics: () => (up ? metrics() : failing()) }));
    await fetcher.fetch();
    up = false;
    pass(600);
    await fetcher.fetch();
    await turn();
    expect((await fetcher.fetch()).sources.performance).toMatchObject({
      state: 'stale',
      stale_reason: 'broken',
      running: 24,
    });
    pass(9_300);
    expect((await fetcher.fetch()).sources.performance).toMatchObject({ state: 'stale', age_ms: 9_900 });
    await turn(); // the question in the background fails
    pass(600);
    expect((await fetcher.fetch()).sources.performance).toMatchObject({
      state: 'error',
      error: 'broken',
      running: null,
    });
  });

  test('a failure is remembered for retryMs, then the source is requested again', async () => {
    const engine = memoryEngine({ tokenize: failing });
    const fetcher = fetcherOf(engine);
    await fetcher.fetch();
    pass(900);
    expect((await fetcher.fetch()).sources.tokenizer).toMatchObject({ state: 'error', age_ms: 900 });
    expect(engine.asked['tokenize']).toBe(1);
    pass(200);
    await fetcher.fetch();
    expect(engine.asked['tokenize']).toBe(2);
  });

  test('force refetches every source, and serves the old answer as stale where that fails', async () => {
    let up = true;
    const { metrics } = memoryEngine();
    const engine = memoryEngine({ metrics: () => (up ? metrics() : failing()) });
    const fetcher = fetcherOf(engine);
    await fetcher.fetch();
    await fetcher.fetch({ force: true });
    expect(engine.asked).toMatchObject({ metrics: 2, tokenize: 2, version: 2 });
    up = false;
    const { performance } = (await fetcher.fetch({ force: true })).sources;
    expect(performance).toMatchObject({ state: 'stale', stale_reason: 'broken', running: 24 });
  });

  test('invalidate forgets every answer, including one that is still under way', async () => {
    const { metrics, answer } = slowMetrics();
    const engine = memoryEngine({ metrics });
    const fetcher = fetcherOf(engine);
    const first = fetcher.fetch();
    await turn();
    expect(engine.asked['metrics']).toBe(1);
    fetcher.invalidate();
    answer();
    expect((await first).sources.performance.state).toBe('partial');
    const second = fetcher.fetch();
    await turn();
    expect(engine.asked['metrics']).toBe(2);
    answer();
    await second;
  });

  test('the model of a restarted engine is requested again', async () => {
    let start = '1.7953796409e+09';
    const { metrics } = memoryEngine();
    const restarting = async () => Buffer.from((await metrics()).toString().replace('1.7953796409e+09', start));
    const engine: MemoryEngine = memoryEngine({ metrics: restarting });
    const fetcher = fetcherOf(engine);
    await fetcher.fetch();
    start = '1.7953799999e+09';
    pass(20_000);
    await fetcher.fetch();
    expect(engine.asked['version']).toBe(1);
    await fetcher.fetch();
    expect(engine.asked).toMatchObject({ version: 2, tokenize: 2 });
  });
});

describe('refetches after a restart', () => {
  const asking = async (change: (body: string) => string) => {
    let changed = false;
    const { metrics } = memoryEngine();
    const engine = memoryEngine({
      metrics: async () => {
        const body = (await metrics()).toString();
        return Buffer.from(changed ? change(body) : body);
      },
    });
    const fetcher = fetcherOf(engine);
    await fetcher.fetch();
    changed = true;
    pass(20_000);
    await fetcher.fetch();
    await fetcher.fetch();
    return engine.asked['tokenize'];
  };

  test.each<[string, (body: string) => string]>([
    ['another start time', (body) => body.replace('1.7953796409e+09', '1.7953799999e+09')],
    ['a counter that went back', (body) => body.replace('5712.0', '12.0')],
    ['another KV capacity', (body) => body.replace('num_gpu_blocks="1000"', 'num_gpu_blocks="900"')],
  ])('%s makes the engine tell its model and tokenizer again', async (_, change) => {
    expect(await asking(change)).toBe(2);
  });

  test('growing counters and moving gauges are not a restart', async () => {
    expect(await asking((body) => body.replace('5712.0', '6000.0').replace(' 19.0', ' 3.0'))).toBe(1);
  });

  test('a process without a start time is not a restart', async () => {
    expect(await asking((body) => body.replace(/^process_start.*$/m, ''))).toBe(1);
  });

  test('health that failed and recovered is a restart', async () => {
    let up = false;
    const sick = new EngineError('ERR_DTESN_ENGINE_HTTP', 'answered 503', { status: 503 });
    const engine = memoryEngine({ health: async () => (up ? undefined : Promise.reject(sick)) });
    const fetcher = fetcherOf(engine);
    expect((await fetcher.fetch()).sources.performance.engine_ready).toBe(false);
    up = true;
    pass(20_000);
    await fetcher.fetch();
    await fetcher.fetch();
    expect(engine.asked['tokenize']).toBe(2);
  });

  test('another version of the engine makes the fetcher request the tokenizer again', async () => {
    let version = '1';
    const engine = memoryEngine({ version: async () => version });
    const fetcher = fetcherOf(engine);
    await fetcher.fetch();
    version = '2';
    pass(6 * 60_000); // past the fresh time of the model, not of the tokenizer
    await fetcher.fetch();
    await turn();
    await fetcher.fetch();
    await turn();
    expect(engine.asked).toMatchObject({ version: 2, tokenize: 2 });
  });

  test('an engine that was unavailable in between has restarted', async () => {
    let up = true;
    const { metrics } = memoryEngine();
    const refused = new EngineError('ERR_DTESN_ENGINE_REFUSED', 'nothing listens');
    const engine = memoryEngine({ metrics: async () => (up ? metrics() : Promise.reject(refused)) });
    const fetcher = fetcherOf(engine);
    await fetcher.fetch();
    up = false;
    pass(20_000);
    expect((await fetcher.fetch()).sources.performance.error_code).toBe('ERR_DTESN_ENGINE_REFUSED');
    up = true;
    pass(20_000);
    await fetcher.fetch();
    await fetcher.fetch();
    expect(engine.asked['tokenize']).toBe(2);
  });
});

test('concurrent fetches share one request', async () => {
  const engine = memoryEngine();
  const fetcher = fetcherOf(engine);
  const sets = await Promise.all(Array.from({ length: 100 }, () => fetcher.fetch()));
  expect(engine.asked).toMatchObject({ metrics: 1, tokenize: 1, version: 1, health: 1 });
  expect(new Set(sets.map(({ sources }) => sources.tokenizer.fetch_timestamp)).size).toBe(1);
});

test('each source has its own limit, at most the deadline', async () => {
  const engine = memoryEngine({ tokenize: never, metrics: never });
  const { sources } = await fetcherOf(engine, {
    deadlineMs: 40,
    timeoutsMs: { tokenizer: 20, performance: 9000 },
  }).fetch();
  expect(sources.tokenizer.error).toMatch(/within 20 ms \(POST \/tokenize\)/);
  expect(sources.performance.error).toMatch(/within 40 ms \(GET \/metrics\)/);
});

test('a source of an engine on this host has 150 ms, one of another host the whole deadline', async () => {
  const limitOf = async (label: string) => {
    const { sources } = await fetcherOf(memoryEngine({ label, models: never }), { deadlineMs: 250 }).fetch();
    return sources.model_config.error;
  };
  expect(await limitOf('embedded simulation on http://127.0.0.1:4711')).toMatch(/within 150 ms/);
  expect(await limitOf('http://localhost')).toMatch(/within 150 ms/);
  expect(await limitOf('http://localhost.example:80')).toMatch(/within 250 ms/);
});

describe('the end', () => {
  test('the abort of one caller rejects that caller only', async () => {
    const { metrics, answer } = slowMetrics();
    const engine = memoryEngine({ metrics });
    const fetcher = fetcherOf(engine);
    const abort = new AbortController();
    const aborted = fetcher.fetch({ signal: abort.signal });
    const other = fetcher.fetch();
    await turn();
    expect(engine.asked['metrics']).toBe(1);
    abort.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    answer();
    expect((await other).sources.performance.state).toBe('partial');
    await expect(fetcher.fetch({ signal: abort.signal })).rejects.toThrow('enough');
  });

  test('close() ends pending requests and leaves no timer', async () => {
    const timers = watchTimers();
    const fetcher = new SourceFetcher(memoryEngine({ tokenize: never }), {
      deadlineMs: 60_000,
      timeoutsMs: { tokenizer: 60_000 },
    });
    const waiting = fetcher.fetch();
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'ERR_DTESN_CLOSED' });
    expect(timers.open).toBeGreaterThan(0);
    await fetcher.close();
    await outcome;
    expect(timers.open).toBe(0);
    timers.end();
    await expect(fetcher.fetch()).rejects.toMatchObject({ code: 'ERR_DTESN_CLOSED' });
  });
});

test.each([
  [{ deadlineMs: 0 }, /milliseconds in \(0, 600000\] for deadlineMs/],
  [{ deadlineMs: Number.NaN }, /deadlineMs/],
  [{ timeoutsMs: { tokenizers: 1 } }, /timeoutsMs/],
  [{ timeoutsMs: { tokenizer: -1 } }, /timeoutsMs\.tokenizer/],
  [{ providers: { resources: 1 } }, /providers\.resources/],
  [{ deadline: 1 }, /did you mean deadlineMs/],
])('the options %j are refused', (options, message) => {
  expect(() => new SourceFetcher(null, options as SourceFetcherOptions)).toThrow(message);
});

test('a value that is not an engine is refused', () => {
  expect(() => new SourceFetcher('http://host' as unknown as Engine)).toThrow(/an Engine or null for engine/);
});
