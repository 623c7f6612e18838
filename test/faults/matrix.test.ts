/**
 * Every fault that a bridge in production must survive, one test each: the fetch ends in time, the source that was hit
 * has the right state and code and no number, the others answer, and nothing is left open or unhandled.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { AphroditeEngine } from '../../src/engine/index.js';
import { SourceFetcher, type Sources, sourceNames, sourcesSchema } from '../../src/sources/index.js';
import { closedPort, metricsBody, modelCard } from './engine-server.js';
import {
  cutChunked,
  cutLength,
  drip,
  type Fault,
  FaultServer,
  flood,
  gzip,
  halfHeaders,
  hangUp,
  headersThenStall,
  json,
  lengthTooLong,
  lengthTooShort,
  notHttp,
  reset,
  silence,
  status,
} from './fault-server.js';
import { hungListener } from './hung-listener.js';

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', note));
afterAll(() => void process.off('unhandledRejection', note));

/** What holds the process: sockets, servers and timers of both ends. */
const held = () =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => /Timeout|TCP|Pipe|TLS|Zlib/i.test(kind))
    .sort();
let before: string[] = [];
const open: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  before = held();
});
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
  await expect.poll(held).toEqual(before);
  expect(unhandled).toEqual([]);
});

/** A source that never answers is waited for this long; the others may take what a busy machine takes. */
const limitMs = 150;
const deadlineMs = 5000;

function fetcherAt(url: string, silent: (typeof sourceNames)[number][]) {
  // So patient that only the sources' own limits can end a question.
  const engine = new AphroditeEngine(url, { timeoutMs: 60_000 });
  const timeouts = Object.fromEntries(sourceNames.map((name) => [name, silent.includes(name) ? limitMs : deadlineMs]));
  const fetcher = new SourceFetcher(engine, { deadlineMs, timeoutsMs: timeouts });
  open.push(
    () => engine.close(),
    () => fetcher.close(),
  );
  return { engine, fetcher };
}

async function serve(faults: Record<string, Fault>, silent: (typeof sourceNames)[number][]) {
  const server = await FaultServer.start(faults);
  open.push(() => server.close());
  return { server, ...fetcherAt(server.url, silent) };
}

const healthy = { model_config: 'partial', tokenizer: 'ok', performance: 'ok' } as const;
const engineSources = ['model_config', 'tokenizer', 'performance'] as const;

function expectOthers(sources: Sources, hit: string): void {
  expect(sourcesSchema.parse(sources)).toEqual(sources);
  for (const name of engineSources) if (name !== hit) expect(sources[name].state, name).toBe(healthy[name]);
  expect(sources.resources.error).toBeUndefined();
}

const timeout = 'ERR_DTESN_SOURCE_TIMEOUT';
const brokenOff = 'ERR_DTESN_ENGINE_RESET';
const http = 'ERR_DTESN_ENGINE_HTTP';
const wrongBody = 'ERR_DTESN_ENGINE_BODY';
const credential = 'ERR_DTESN_ENGINE_CREDENTIAL';
const noMetrics = 'ERR_DTESN_METRICS';
const html = '<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n';
const inTenYears = new Date(Date.now() + 3.2e11).toUTCString();

describe('metrics that', () => {
  test.each<[string, Fault, string, number?]>([
    ['are silent after the connection', silence, timeout],
    ['end in their headers', halfHeaders, timeout],
    ['stall after their headers', headersThenStall, timeout],
    ['drip', drip, timeout],
    ['declare more bytes than come', lengthTooLong, timeout],
    ['declare fewer bytes than come', lengthTooShort, wrongBody],
    ['are cut before their length', cutLength, brokenOff],
    ['are cut between chunks', cutChunked, brokenOff],
    ['are reset', reset, brokenOff],
    ['are a connection that closes', hangUp, brokenOff],
    ['are not HTTP', notHttp, wrongBody],
    ['are a page of HTML', status(200, html, { 'content-type': 'text/html' }), noMetrics],
    ['are empty', status(200), noMetrics],
    [
      'are cut in mid-line by their writer',
      status(200, metricsBody.slice(0, metricsBody.indexOf('5712') + 2)),
      noMetrics,
    ],
    ['are JSON', json({}), noMetrics],
    ['are a gzip bomb', gzip(Buffer.alloc(64 * 1024 * 1024)), wrongBody],
    ['declare 50 MB', (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n'), wrongBody],
    ['are unauthorized', json({ error: 'Unauthorized' }, 401), credential, 401],
    ['are forbidden', json({ error: 'Forbidden' }, 403), credential, 403],
    ['are absent', json({ detail: 'Not Found' }, 404), http, 404],
    ['are answered with 429', json({ error: 'overloaded' }, 429), http, 429],
    ['are answered with 503', status(503), http, 503],
    ['ask with Retry-After for 7 seconds', status(503, '', { 'retry-after': 7 }), http, 503],
    ['ask with Retry-After for a date', status(429, '', { 'retry-after': inTenYears }), http, 429],
    ['are answered with 500', json({ error: { message: 'EngineCore encountered an issue' } }, 500), http, 500],
  ])('metrics that %s fail only the performance source, in time', async (_, fault, code, httpStatus) => {
    const { server, fetcher } = await serve({ '/metrics': fault }, code === timeout ? ['performance'] : []);
    const { sources, elapsed_ms } = await fetcher.fetch();
    expect(elapsed_ms).toBeLessThan(deadlineMs);
    expect(sources.performance).toMatchObject({
      state: 'error',
      error_code: code,
      running: null,
      total_requests: null,
    });
    expect(sources.performance.http_status).toBe(httpStatus);
    expectOthers(sources, 'performance');
    expect(server.connections).toBeLessThanOrEqual(6);
    // Three tries, each sent once more when it met a connection that was closed while idle, and one for the kind.
    expect(server.count('/metrics')).toBeLessThanOrEqual(7);
  });

  test('compressed metrics are read', async () => {
    const { fetcher } = await serve({ '/metrics': gzip(metricsBody) }, []);
    expect((await fetcher.fetch()).sources.performance).toMatchObject({ state: 'ok', running: 24 });
  });

  test('metrics of 50 MB are cut off after 8 MiB', async () => {
    const fifty = flood(50e6);
    const { fetcher } = await serve({ '/metrics': fifty }, []);
    const { sources } = await fetcher.fetch();
    expect(sources.performance).toMatchObject({ state: 'error', error_code: wrongBody });
    expectOthers(sources, 'performance');
    expect(fifty.sent).toBeLessThan(40e6);
  });

  const series = (count: number) =>
    metricsBody + Array.from({ length: count }, (_, i) => `http_requests_total{handler="/${i}"} ${i}\n`).join('');

  test('metrics with 100,000 foreign series still give the figures of the engine', async () => {
    const { fetcher } = await serve({ '/metrics': status(200, series(100_000)) }, []);
    expect((await fetcher.fetch()).sources.performance).toMatchObject({ running: 24, generation_tokens_total: 5712 });
  });

  test('metrics with a million series are refused by their size', async () => {
    const { fetcher } = await serve({ '/metrics': status(200, series(1_000_000)) }, []);
    expect((await fetcher.fetch()).sources.performance).toMatchObject({ state: 'error', error_code: wrongBody });
  });

  test('a figure that is NaN in the metrics is unknown', async () => {
    const body = metricsBody.replace('} 19.0', '} NaN');
    const { fetcher } = await serve({ '/metrics': status(200, body) }, []);
    const { performance } = (await fetcher.fetch()).sources;
    expect(performance).toMatchObject({ state: 'partial', running: null, concurrent_requests: null, waiting: 2 });
    expect(performance.unknown).toEqual(expect.arrayContaining(['running', 'concurrent_requests']));
  });
});

describe('a model list that', () => {
  const card = (fields: string) => status(200, `{"data":[{"id":"m",${fields}}]}`);

  test.each<[string, Fault, string, number?]>([
    ['is a page of HTML', status(200, html, { 'content-type': 'text/html' }), wrongBody],
    ['is {}', json({}), wrongBody],
    ['holds NaN', card('"max_model_len":NaN'), wrongBody],
    ['holds a huge integer', card('"max_model_len":123456789012345678901234567890'), wrongBody],
    ['holds 1e999', card('"max_model_len":1e999'), wrongBody],
    ['is cut', status(200, '{"data":[{"id":"m"'), wrongBody],
    ['is unauthorized', json({ error: 'Unauthorized' }, 401), credential, 401],
    ['is larger than 1 MiB', status(200, ' '.repeat(2 ** 20 + 1)), wrongBody],
  ])(
    'a model list that %s fails only model_config; the kind comes from the metrics',
    async (_, fault, code, httpStatus) => {
      const { fetcher } = await serve({ '/v1/models': fault }, []);
      const { sources } = await fetcher.fetch();
      expect(sources.model_config).toMatchObject({
        state: 'error',
        error_code: code,
        model_name: null,
        max_model_len: null,
      });
      expect(sources.model_config.http_status).toBe(httpStatus);
      expect(sources.tokenizer.engine_type).toBe('aphrodite');
      expectOthers(sources, 'model_config');
    },
  );

  test('a model list with a repeated key gives its last value', async () => {
    const { fetcher } = await serve({ '/v1/models': card('"max_model_len":1,"max_model_len":8192') }, []);
    expect((await fetcher.fetch()).sources.model_config).toMatchObject({ state: 'partial', max_model_len: 8192 });
  });

  test('a model list that hangs fails only model_config', async () => {
    const { fetcher } = await serve({ '/v1/models': silence }, ['model_config']);
    const { sources } = await fetcher.fetch();
    expect(sources.model_config).toMatchObject({ state: 'error', error_code: timeout });
    expect(sources.tokenizer.engine_type).toBe('aphrodite');
    expectOthers(sources, 'model_config');
  });
});

describe('a tokenizer that', () => {
  test.each<[string, Fault, string]>([
    ['hangs', silence, timeout],
    ['resets', reset, brokenOff],
    ['is absent', json({ detail: 'Not Found' }, 404), http],
    ['answers fractions', json({ tokens: [1.5], count: 1 }), wrongBody],
  ])('a tokenizer that %s fails only the tokenizer source', async (_, fault, code) => {
    const { fetcher } = await serve({ '/tokenize': fault }, code === timeout ? ['tokenizer'] : []);
    const { sources } = await fetcher.fetch();
    expect(sources.tokenizer).toMatchObject({ state: 'error', error_code: code, tokenizer_available: null });
    expectOthers(sources, 'tokenizer');
  });
});

describe('an engine that', () => {
  const all = [...engineSources];
  const expectAll = (sources: Sources, code: string) => {
    for (const name of all) expect(sources[name], name).toMatchObject({ state: 'error', error_code: code });
    expect(sources.resources.error).toBeUndefined();
  };

  test('an engine that does not listen is REFUSED', async () => {
    const { sources } = await fetcherAt(`http://127.0.0.1:${await closedPort()}`, all).fetcher.fetch();
    expectAll(sources, 'ERR_DTESN_ENGINE_REFUSED');
  });

  test('an engine that does not accept a connection times out', async () => {
    const hung = await hungListener();
    open.push(hung.close);
    const { sources, elapsed_ms } = await fetcherAt(hung.url, all).fetcher.fetch();
    expectAll(sources, timeout);
    expect(elapsed_ms).toBeLessThan(deadlineMs);
  });

  test('an engine that is scaling answers 503 on every path and is not reported as dead', async () => {
    const scaling = json({ error: 'The model is currently scaling. Please try again later.' }, 503);
    const { server, engine, fetcher } = await serve({}, []);
    await engine.kind();
    const before = server.count('/metrics'); // 1 where the models took more than 100 ms to tell the kind
    server.faults.set('*', scaling);
    for (let i = 0; i < 8; i++) expectAll((await fetcher.fetch({ force: true })).sources, http);
    expect(server.count('/metrics') - before).toBe(8); // neither asked twice, nor spared
    server.faults.clear();
    expect((await fetcher.fetch({ force: true })).sources.performance.state).toBe('ok');
  });

  test('an engine that answers only /metrics is scraped', async () => {
    const dumb = { '/v1/models': silence, '/version': silence, '/tokenize': silence };
    const { server, fetcher } = await serve(dumb, []);
    const waiting = fetcher.fetch().catch((error) => error);
    // Long before the questions that hang give their sockets back.
    await expect.poll(() => [server.count('/metrics'), server.count('/health')]).toEqual([1, 1]);
    await fetcher.close();
    expect(await waiting).toMatchObject({ code: 'ERR_DTESN_CLOSED' });
  });

  test('an engine with a dead core is not ready', async () => {
    const { fetcher } = await serve({ '/health': status(503) }, []);
    expect((await fetcher.fetch()).sources.performance).toMatchObject({ state: 'ok', engine_ready: false });
  });

  test('an engine whose counters were reset is known to have restarted at once, and its model is requested again', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { server, fetcher } = await serve({}, []);
    expect((await fetcher.fetch()).sources.performance.generation_tokens_total).toBe(5712);
    const young = metricsBody
      .replace(/(_total\{[^}]*\}) [\d.]+$/gm, '$1 1.0')
      .replace('1.7953796409e+09', '1.7953799e+09');
    server.faults.set('/metrics', status(200, young));
    server.faults.set('/v1/models', json({ data: [{ ...modelCard, id: 'other', max_model_len: 4096 }] }));
    vi.advanceTimersByTime(20_000);
    const { performance } = (await fetcher.fetch()).sources;
    expect(performance).toMatchObject({ state: 'ok', generation_tokens_total: 1 });
    expect((await fetcher.fetch()).sources.model_config).toMatchObject({ model_name: 'other', max_model_len: 4096 });
    vi.useRealTimers();
  });

  test('an engine that loses a rank is counted without it', async () => {
    const { server, fetcher } = await serve({}, []);
    expect((await fetcher.fetch()).sources.performance).toMatchObject({ running: 24, kv_tokens_capacity: 24_000 });
    const alone = metricsBody.replace(/^.*engine="1".*\n/gm, '');
    server.faults.set('/metrics', status(200, alone));
    const { performance } = (await fetcher.fetch({ force: true })).sources;
    expect(performance).toMatchObject({ state: 'ok', running: 19, kv_tokens_capacity: 16_000, total_requests: 155 });
  });

  test('an engine that recovers is served by the same fetcher', async () => {
    const { server, fetcher } = await serve({ '/metrics': reset, '/tokenize': cutLength }, []);
    const sick = (await fetcher.fetch()).sources;
    expect([sick.performance.state, sick.tokenizer.state]).toEqual(['error', 'error']);
    server.faults.clear();
    const { sources } = await fetcher.fetch({ force: true });
    expectOthers(sources, 'none');
  });

  test('closing the fetcher leaves no request open at the engine', async () => {
    const { server, fetcher } = await serve({ '*': silence, '/metrics': silence, '/tokenize': drip }, []);
    const waiting = fetcher.fetch().catch((error) => error);
    await expect.poll(() => server.count('/metrics')).toBe(1);
    await fetcher.close();
    expect(await waiting).toMatchObject({ code: 'ERR_DTESN_CLOSED' });
    await expect.poll(() => server.connections).toBe(0);
  });
});

describe('many callers', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  test('a thousand concurrent callers cost one request for each source in each fresh interval', async () => {
    const { server, engine, fetcher } = await serve({}, []);
    await engine.kind(); // asked once in the life of an engine
    const thousand = () => Promise.all(Array.from({ length: 1000 }, () => fetcher.fetch()));
    const counts = () =>
      ['/metrics', '/health', '/version', '/tokenize', '/detokenize'].map((path) => server.count(path));
    await thousand();
    await thousand();
    expect(counts()).toEqual([1, 1, 1, 1, 1]);
    expect(server.count('/v1/models')).toBe(2); // for the kind, and for the model
    vi.advanceTimersByTime(600); // past the fresh time of the performance
    const sets = await thousand();
    expect(new Set(sets.map(({ sources }) => sources.performance.state))).toEqual(new Set(['stale']));
    await expect.poll(() => server.count('/metrics')).toBe(2);
    await thousand();
    expect(counts()).toEqual([2, 2, 1, 1, 1]);
  });

  test('a source that hangs does not delay the others, and after five failures no caller waits for it', async () => {
    const { server, engine, fetcher } = await serve({ '/metrics': silence }, ['performance']);
    await engine.kind();
    const before = server.count('/metrics'); // 1 where the models took more than 100 ms to tell the kind
    for (let i = 0; i < 5; i++) {
      const { sources } = await fetcher.fetch();
      expect(sources.performance.error_code).toBe(timeout);
      expectOthers(sources, 'performance');
      vi.advanceTimersByTime(500); // until its failure is no longer remembered
    }
    const { sources } = await fetcher.fetch();
    expect(sources.performance).toMatchObject({ error_code: 'ERR_DTESN_ENGINE_BREAKER' });
    expect(server.count('/metrics') - before).toBe(5);
  });
});
