// The fetch against engines that are half there, over real sockets.
import { afterEach, describe, expect, test } from 'vitest';
import { AphroditeEngine } from '../../src/engine/index.js';
import { SourceFetcher, type SourceFetcherOptions, sourceNames, sourcesSchema } from '../../src/sources/index.js';
import {
  type Answer,
  closedPort,
  cut,
  goodEngine,
  json,
  metricsBody,
  serveEngine,
  silent,
  text,
} from './engine-server.js';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Where no limit is tested: as long as a busy machine needs. */
const patient = { deadlineMs: 20_000 };

async function fetchFrom(answers: Record<string, Answer>, options: SourceFetcherOptions = {}) {
  const server = await serveEngine(answers);
  open.push(server.close);
  return fetchAt(server.url, options);
}

async function fetchAt(url: string, options: SourceFetcherOptions = {}) {
  // So patient that only the sources' own limits can end a question.
  const engine = new AphroditeEngine(url, { timeoutMs: 60_000 });
  const fetcher = new SourceFetcher(engine, options);
  open.push(
    () => engine.close(),
    () => fetcher.close(),
  );
  const { sources } = await fetcher.fetch();
  expect(sourcesSchema.parse(sources)).toEqual(sources);
  return sources;
}

test('a healthy engine answers every source', async () => {
  const sources = await fetchFrom(goodEngine, patient);
  expect(sources.performance).toMatchObject({ state: 'ok', running: 24, total_requests: 163 });
  expect(sources.tokenizer).toMatchObject({ state: 'ok', round_trip_ok: true, engine_type: 'aphrodite' });
  expect(sources.model_config).toMatchObject({ state: 'partial', model_name: 'm', engine_version: '0.10.0' });
});

test('an engine with only models and health, and a tokenizer that hangs, gives each failure its code', async () => {
  const { '/v1/models': models, '/health': health } = goodEngine;
  const sources = await fetchFrom({ '/v1/models': models!, '/health': health!, '/tokenize': silent });
  expect(sources.model_config).toMatchObject({ state: 'partial', model_name: 'm', max_model_len: 8192 });
  expect(sources.tokenizer).toMatchObject({
    error_code: 'ERR_DTESN_SOURCE_TIMEOUT',
    error: 'tokenizer source did not answer within 150 ms (POST /tokenize)',
  });
  expect(sources.performance).toMatchObject({ error_code: 'ERR_DTESN_ENGINE_HTTP', http_status: 404 });
  expect(sources.resources.state).toBe('partial');
});

test('when nothing listens every source of the engine is REFUSED and null', async () => {
  const sources = await fetchAt(`http://127.0.0.1:${await closedPort()}`, patient);
  for (const name of ['model_config', 'tokenizer', 'performance'] as const) {
    expect(sources[name]).toMatchObject({ state: 'error', error_code: 'ERR_DTESN_ENGINE_REFUSED' });
  }
  expect(sources.performance).toMatchObject({ engine_ready: null, total_requests: null });
});

test('without the key model_config is a credential problem, and the open endpoints answer', async () => {
  const sources = await fetchFrom({ ...goodEngine, '/v1/models': json({ error: 'Unauthorized' }, 401) }, patient);
  expect(sources.model_config).toMatchObject({
    error_code: 'ERR_DTESN_ENGINE_CREDENTIAL',
    http_status: 401,
    error: expect.stringMatching(/credential/),
  });
  expect(sources.tokenizer).toMatchObject({ state: 'ok', engine_type: 'aphrodite' });
  expect(sources.performance.state).toBe('ok');
});

test.each<[string, Answer, string]>([
  ['cut in mid-line', text(metricsBody.slice(0, metricsBody.indexOf('5712') + 2)), 'ERR_DTESN_METRICS'],
  ['cut by the connection', cut(metricsBody), 'ERR_DTESN_ENGINE_RESET'],
  ['a page of HTML', text('<!DOCTYPE html>\n<html></html>\n', 200, 'text/html'), 'ERR_DTESN_METRICS'],
  ['empty', text(''), 'ERR_DTESN_METRICS'],
  ['scaling', json({ error: 'The model is currently scaling.' }, 503), 'ERR_DTESN_ENGINE_HTTP'],
])('metrics that are %s fail the source and give no number', async (_, metrics, code) => {
  const sources = await fetchFrom({ ...goodEngine, '/metrics': metrics }, patient);
  expect(sources.performance).toMatchObject({
    state: 'error',
    error_code: code,
    running: null,
    generation_tokens_total: null,
  });
  expect(sources.tokenizer.state).toBe('ok');
});

test('a source that failed early leaves no open request', async () => {
  const refused = json({ error: 'Unauthorized' }, 401);
  const server = await serveEngine({ ...goodEngine, '/v1/models': refused, '/version': silent });
  open.push(server.close);
  expect((await fetchAt(server.url)).model_config.error_code).toBe('ERR_DTESN_ENGINE_CREDENTIAL');
  const asking = () => server.asked.filter(({ open }) => open()).map(({ request }) => request);
  await expect.poll(asking).toEqual([]);
});

test('when every endpoint is silent, every source of the engine times out and no request stays open', async () => {
  const paths = ['/v1/models', '/version', '/health', '/metrics', '/tokenize', '/detokenize'];
  const server = await serveEngine(Object.fromEntries(paths.map((path) => [path, silent])));
  open.push(server.close);
  const sources = await fetchAt(server.url);
  const codes = sourceNames.map((name) => sources[name].error_code);
  const timeout = 'ERR_DTESN_SOURCE_TIMEOUT';
  expect(codes).toEqual([timeout, timeout, timeout, undefined, undefined]);
  await expect.poll(() => server.connections()).toBe(0);
});

describe('two addresses of an engine', () => {
  /** A server whose answers die and come back as the test says. */
  async function mortalServer(running: number) {
    const life = { answer: 'well' as 'well' | 'silent' | 'broken' };
    const mortal =
      (answer: Answer): Answer =>
      (response, body, request) => {
        if (life.answer === 'well') answer(response, body, request);
        if (life.answer === 'broken') response.destroy();
      };
    const metrics = text(metricsBody.replace('} 19.0', `} ${running}.0`));
    const answers = Object.entries({ ...goodEngine, '/metrics': metrics });
    const server = await serveEngine(Object.fromEntries(answers.map(([path, answer]) => [path, mortal(answer)])));
    open.push(server.close);
    return { ...server, life };
  }

  async function pair(deadlineMs: number) {
    const [first, second] = [await mortalServer(10), await mortalServer(20)];
    const engines = [first, second].map(({ url }) => new AphroditeEngine(url, { timeoutMs: 60_000 }));
    const alternatives = [{ name: 'second', engine: engines[1]! }];
    const fetcher = new SourceFetcher(engines[0]!, { deadlineMs, alternatives });
    open.push(...engines.map((engine) => () => engine.close()), () => fetcher.close());
    return { first, second, fetcher };
  }

  test.each(['silent', 'broken'] as const)(
    'an address that is %s during a run is replaced in the same fetch, and requested again when it recovered',
    { timeout: 60_000, tags: ['slow'] },
    async (death) => {
      const deadlineMs = 1000;
      const { first, fetcher } = await pair(deadlineMs);
      const look = async () => {
        const { sources, elapsed_ms } = await fetcher.fetch({ force: true });
        const { state, provider, running } = sources.performance;
        // Whole from one of them: 10 + 5 or 20 + 5 running.
        expect([state, running]).toEqual(['ok', provider === 'engine' ? 15 : 25]);
        expect(sources.tokenizer.state).toBe('ok');
        expect(sourcesSchema.parse(sources)).toEqual(sources);
        return { provider, elapsed_ms };
      };
      expect((await look()).provider).toBe('engine');
      first.life.answer = death;
      for (let k = 0; k < 3; k++) {
        const { provider, elapsed_ms } = await look();
        expect(provider).toBe('second');
        expect(elapsed_ms).toBeLessThan(2 * deadlineMs);
      }
      first.life.answer = 'well';
      const scrapes = () => first.asked.filter(({ request }) => request === 'GET /metrics').length;
      const before = scrapes();
      await expect.poll(() => look().then(scrapes), { timeout: 30_000, interval: 250 }).toBeGreaterThan(before);
      expect(fetcher.metrics()['performance']!.providers).toMatchObject({
        engine: { failures: expect.any(Number) },
        second: { failures: 0 },
      });
    },
  );

  test('when both addresses fail, the error is that of the first, with a problem for the second', async () => {
    const { first, second, fetcher } = await pair(400);
    first.life.answer = 'silent';
    second.life.answer = 'broken';
    const { performance } = (await fetcher.fetch()).sources;
    expect(performance).toMatchObject({ state: 'error', provider: 'engine', error_code: 'ERR_DTESN_SOURCE_TIMEOUT' });
    expect(performance.problems?.join()).toMatch(/second: .*broke the connection/);
  });
});

test('an additional source that hangs takes no longer than its limit, and the five answer', async () => {
  const server = await serveEngine(goodEngine);
  open.push(server.close);
  const engine = new AphroditeEngine(server.url, { timeoutMs: 60_000 });
  const hung = { name: 'queue', fetch: () => new Promise(() => {}), timeoutMs: 40 };
  const fetcher = new SourceFetcher(engine, { deadlineMs: 20_000, sources: [hung] });
  open.push(
    () => engine.close(),
    () => fetcher.close(),
  );
  const { sources, additional, elapsed_ms } = await fetcher.fetch();
  expect(additional['queue']).toMatchObject({ state: 'error', error_code: 'ERR_DTESN_SOURCE_TIMEOUT' });
  expect(elapsed_ms).toBeLessThan(10_000); // nowhere near the deadline
  expect(sources.performance.state).toBe('ok');
});

test('the signal of an additional source ends its HTTP request', async () => {
  const server = await serveEngine({ ...goodEngine, '/queue': silent });
  open.push(server.close);
  const fetchQueue = async (signal: AbortSignal) => (await fetch(`${server.url}/queue`, { signal })).json();
  const fetcher = new SourceFetcher(null, { sources: [{ name: 'queue', fetch: fetchQueue, timeoutMs: 50 }] });
  open.push(() => fetcher.close());
  expect((await fetcher.fetch()).additional['queue']!.error).toMatch(/within 50 ms/);
  await expect.poll(() => server.asked.filter((asked) => asked.open()).length).toBe(0);
});
