// Sources that a host declares, beside the five.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import {
  type AdditionalSourceOptions,
  additionalSourceSchema,
  SourceFetcher,
  type SourceFetcherOptions,
  sourcesSchema,
} from '../../src/sources/index.js';
import { memoryEngine, never } from './memory-engine.js';

const fetchers: SourceFetcher[] = [];
function fetcherOf(sources: readonly AdditionalSourceOptions[], options: SourceFetcherOptions = {}): SourceFetcher {
  const fetcher = new SourceFetcher(memoryEngine(), { deadlineMs: 20_000, ...options, sources });
  fetchers.push(fetcher);
  return fetcher;
}
afterEach(async () => {
  vi.useRealTimers();
  for (const fetcher of fetchers.splice(0)) await fetcher.close();
});

async function answerOf(fetch: AdditionalSourceOptions['fetch'], rest: Partial<AdditionalSourceOptions> = {}) {
  const { additional } = await fetcherOf([{ name: 'queue', fetch, ...rest }]).fetch();
  const source = additional['queue']!;
  expect(additionalSourceSchema.parse(source)).toEqual(source);
  return source;
}

test('a fetch holds the declared sources in their order, and the published schema accepts them beside the five', async () => {
  const { sources, additional } = await fetcherOf([
    { name: 'queue', fetch: () => ({ waiting: 3 }) },
    { name: 'gpus', fetch: async () => ({ count: 2, note: null }) },
  ]).fetch();
  expect(Object.keys(additional)).toEqual(['queue', 'gpus']);
  expect(additional['gpus']).toMatchObject({
    ...{ data: { count: 2, note: null }, source_type: 'gpus', state: 'ok', unknown: ['note'] },
    ...{ weight: 1, constraints: {}, hints: {}, cache: 'miss' },
  });
  const merged = { ...sources, ...additional };
  expect(sourcesSchema.parse(merged)).toEqual(merged);
  expect(sourcesSchema.safeParse({ ...merged, queue: { state: 'ok' } }).success).toBe(false);
});

test('the declared keys of the data become constraints and hints', async () => {
  const data = { max_concurrent: 4, room: null, calm: true, other: 'x' };
  const declared = { constraints: ['max_concurrent', 'room', 'absent'], hints: ['calm'], weight: 0.5 };
  expect(await answerOf(() => data, declared)).toMatchObject({
    ...{ constraints: { max_concurrent: 4, room: null }, hints: { calm: true }, weight: 0.5 },
  });
});

test.each<[string, unknown, Partial<AdditionalSourceOptions>]>([
  ['a negative constraint', { room: -1 }, { constraints: ['room'] }],
  ['a constraint that is text', { room: '3' }, { constraints: ['room'] }],
  ['a hint that is a number', { calm: 1 }, { hints: ['calm'] }],
  ['nothing', undefined, {}],
  ['an array', [1], {}],
  ['a BigInt', { deep: [{ big: 1n }] }, {}],
  ['a function', { run: () => 1 }, {}],
  ['an infinite number', { load: Number.POSITIVE_INFINITY }, {}],
  ['a date', { at: new Date(0) }, {}],
  ['a hole', { list: [1, undefined] }, {}],
  ['more than 1 MiB', { text: 'x'.repeat(1024 * 1024) }, {}],
  ['more than 1 MiB of small values', { list: new Array(200_000).fill(1) }, {}],
  ['what its schema refuses', { n: 'x' }, { schema: z.object({ n: z.number() }) }],
  ['what a schema of another library refuses', {}, { schema: { safeParse: () => ({ success: false }) } }],
])('%s is an error that names the source', async (_, data, rest) => {
  const source = await answerOf(() => data, rest);
  expect(source).toMatchObject({ state: 'error', data: null, error_code: 'ERR_DTESN_SOURCE_INVALID' });
  expect(source.error).toMatch(/^queue source: /);
});

test('data that contains itself is an error', async () => {
  const data: Record<string, unknown> = {};
  data['self'] = data;
  expect(await answerOf(() => data)).toMatchObject({ state: 'error', error_code: 'ERR_DTESN_SOURCE_INVALID' });
});

test.each<[string, AdditionalSourceOptions['fetch'], string]>([
  [
    'synchronously',
    () => {
      throw new Error('no disk');
    },
    'queue source: no disk',
  ],
  ['later', async () => Promise.reject(new Error('no disk')), 'queue source: no disk'],
  ['with null', async () => Promise.reject(null), 'queue source: null'],
  [
    'with what has no text',
    () => {
      throw Object.create(null);
    },
    'queue source: an error whose message cannot be read',
  ],
  [
    'with a message that is no text',
    () => {
      throw { message: 5, code: 7 };
    },
    'queue source: [object Object]',
  ],
])('a source that throws %s is an error with its name', async (_, fetch, error) => {
  expect(await answerOf(fetch)).toMatchObject({ state: 'error', error, error_code: 'ERR_DTESN_SOURCE', data: null });
});

test('a source that never answers takes no longer than its limit, and its signal aborts', async () => {
  let seen: AbortSignal | undefined;
  const source = await answerOf(
    (signal) => {
      seen = signal;
      return never();
    },
    { timeoutMs: 20 },
  );
  expect(source).toMatchObject({ state: 'error', error_code: 'ERR_DTESN_SOURCE_TIMEOUT' });
  expect(source.error).toMatch(/^queue source did not answer within 20 ms/);
  expect(seen?.aborted).toBe(true);
});

test('the limit of an additional source is at most the deadline', async () => {
  const fetcher = fetcherOf([{ name: 'queue', fetch: never, timeoutMs: 60_000 }], { deadlineMs: 30 });
  expect((await fetcher.fetch()).additional['queue']!.error).toMatch(/within 30 ms/);
});

test('the data is a frozen copy; later writes of the host have no effect', async () => {
  const held = { list: [1], deep: { n: 1 } };
  const source = await answerOf(() => held);
  held.list.push(2);
  held.deep.n = 2;
  expect(source.data).toEqual({ list: [1], deep: { n: 1 } });
  expect(() => Object.assign(source.data!['deep'] as object, { n: 3 })).toThrow(TypeError);
});

test('the output of the schema is what is kept', async () => {
  const schema = z.object({ n: z.coerce.number(), more: z.string().optional() });
  expect((await answerOf(() => ({ n: '7', more: undefined, dropped: 1 }), { schema })).data).toEqual({ n: 7 });
});

test('fetch receives the engine behind its guard', async () => {
  const engine = memoryEngine();
  const fetcher = new SourceFetcher(engine, {
    deadlineMs: 20_000,
    sources: [{ name: 'lengths', fetch: async (signal, asked) => ({ version: await asked!.version({ signal }) }) }],
  });
  fetchers.push(fetcher);
  expect((await fetcher.fetch()).additional['lengths']!.data).toEqual({ version: '0.10.0' });
});

describe('cached answers', () => {
  test('an additional source is requested once at a time, served fresh, then stale during the refetch, and its failures are remembered', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    let asked = 0;
    let up = true;
    const fetch = async () => {
      asked += 1;
      if (!up) throw new Error('gone');
      return { asked };
    };
    const fetcher = fetcherOf([{ name: 'queue', fetch, freshMs: 100, maxStaleMs: 1000, retryMs: 50 }]);
    const read = async () => (await fetcher.fetch()).additional['queue']!;
    await Promise.all(Array.from({ length: 50 }, () => fetcher.fetch()));
    expect(await read()).toMatchObject({ state: 'ok', cache: 'hit', data: { asked: 1 } });
    up = false;
    vi.advanceTimersByTime(200);
    expect(await read()).toMatchObject({ state: 'stale', cache: 'stale', data: { asked: 1 }, age_ms: 200 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(await read()).toMatchObject({ state: 'stale', stale_reason: 'queue source: gone' });
    expect(asked).toBe(2);
    vi.advanceTimersByTime(900);
    expect(await read()).toMatchObject({ state: 'error', cache: 'miss', data: null });
    expect(await read()).toMatchObject({ state: 'error', cache: 'hit' });
    expect(asked).toBe(3);
  });

  test('invalidate forgets one additional source by its name', async () => {
    const asked = { queue: 0, gpus: 0 };
    const counted = (name: keyof typeof asked) => ({ name, fetch: () => ({ n: ++asked[name] }), freshMs: 60_000 });
    const fetcher = fetcherOf([counted('queue'), counted('gpus')]);
    await fetcher.fetch();
    fetcher.invalidate('queue');
    await fetcher.fetch();
    expect(asked).toEqual({ queue: 2, gpus: 1 });
    expect(() => fetcher.invalidate('queues')).toThrow(
      /one of model_config, tokenizer, performance, processing_state, resources, queue, gpus for name but received the string "queues"/,
    );
  });
});

test.each<[unknown, RegExp]>([
  [{ name: 'tokenizer', fetch: never }, /no other source has for sources\[0\]\.name .*"tokenizer"/],
  [{ name: '', fetch: never }, /sources\[0\]\.name/],
  [{ name: 7, fetch: never }, /sources\[0\]\.name but received 7/],
  [{ fetch: never }, /sources\[0\]\.name but received undefined/],
  [{ name: '__proto__', fetch: never }, /"__proto__"/],
  [{ name: 'constructor', fetch: never }, /"constructor"/],
  [{ name: 'Queue', fetch: never }, /"Queue"/],
  [{ name: 'queue', fetch: 1 }, /a function for fetch/],
  [{ name: 'queue' }, /a function for fetch/],
  [{ name: 'queue', fetch: never, freshms: 1 }, /Unknown option freshms of source queue; did you mean freshMs/],
  [{ name: 'queue', fetch: never, weight: 2 }, /a number in \[0, 1\] for weight/],
  [
    { name: 'queue', fetch: never, freshMs: 100, maxStaleMs: 50 },
    /at least freshMs, 100, for source queue\.maxStaleMs/,
  ],
  [{ name: 'queue', fetch: never, schema: {} }, /a schema with safeParse for schema/],
  [
    { name: 'queue', fetch: never, constraints: ['a'], hints: ['a'] },
    /keys that are not also constraints for hints of source queue/,
  ],
  [null, /an object for sources\[0\] but received null/],
])('the declaration %j is refused', (source, message) => {
  expect(() => new SourceFetcher(null, { sources: [source as AdditionalSourceOptions] })).toThrow(message);
});

test('a name that is declared twice is refused', () => {
  const source = { name: 'queue', fetch: never };
  expect(() => new SourceFetcher(null, { sources: [source, source] })).toThrow(/sources\[1\]\.name/);
});
