import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { engineMetrics, parsePrometheus } from '../../src/engine/index.js';
import { EmbeddedEngine } from '../../src/simulator/index.js';
import { countersOf } from './metrics-reader.js';

let engine: EmbeddedEngine;
beforeAll(async () => {
  engine = await EmbeddedEngine.start({ seed: 5 });
});
afterAll(() => engine.close());
afterEach(() => void vi.restoreAllMocks());

const post = (path: string, body: unknown, type = 'application/json') =>
  fetch(engine.url + path, {
    method: 'POST',
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

test('a start whose signal is aborted rejects with its reason', async () => {
  const reason = new Error('enough');
  await expect(EmbeddedEngine.start({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const abort = new AbortController();
  const starting = EmbeddedEngine.start({ signal: abort.signal });
  abort.abort(reason);
  await expect(starting).rejects.toBe(reason);
  await expect(EmbeddedEngine.start({ signal: 1 } as never)).rejects.toThrow(/an AbortSignal for signal/);
});

describe('an embedded engine', () => {
  test('an embedded engine is labelled as a simulation', async () => {
    expect(engine.simulated).toBe(true);
    expect(engine.label).toBe(`embedded simulation on ${engine.url}`);
    expect(engine.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const [card] = await engine.models();
    expect(card).toMatchObject({ id: 'dtesn/simulated-byte-8k', maxModelLen: 8192, parent: null });
    expect(await engine.version()).toContain('simulation');
  });

  test('an embedded engine is healthy, and detokenize returns the tokenized text', async () => {
    await engine.health();
    const { tokens, count, maxModelLen } = await engine.tokenize('Grüße 🌲');
    expect([tokens[0], count, maxModelLen]).toEqual([256, tokens.length, 8192]);
    expect(await engine.detokenize(tokens)).toBe('Grüße 🌲');
  });

  test('an embedded engine starts with a history, and its counters never fall', async () => {
    const first = engineMetrics(parsePrometheus(await engine.metrics()));
    expect(first.requestsTotal).toBeGreaterThan(0);
    expect(first.unknown).toEqual([]);
    const counters = async () => countersOf(Buffer.from(await engine.metrics()).toString());
    const before = await counters();
    expect(before.size).toBeGreaterThan(100);
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 10_000);
    const after = await counters();
    clock.mockRestore();
    expect([...before].filter(([series, value]) => !(after.get(series)! >= value))).toEqual([]);
    expect([...before].some(([series, value]) => after.get(series)! > value)).toBe(true);
    const second = engineMetrics(parsePrometheus(await engine.metrics()));
    expect(second.processStartSeconds).toBe(first.processStartSeconds);
  });

  test('an embedded engine returns the config of its model without a file', async () => {
    const { config } = await engine.modelFiles();
    expect(config).toMatchObject({ vocab_size: 320, hidden_size: 4096, torch_dtype: 'bfloat16' });
  });

  test('/load of an embedded engine counts its requests', async () => {
    const load = async () =>
      ((await (await fetch(`${engine.url}/load`)).json()) as { server_load: number }).server_load;
    const stopped = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    const { running, waiting } = engineMetrics(parsePrometheus(await engine.metrics()));
    expect(running).toBeGreaterThan(0);
    expect(await load()).toBe(running! + waiting!);
    stopped.mockRestore();
  });
});

describe('errors have the bodies of an Aphrodite server', () => {
  test('an unknown route is answered with 404 and a detail, a wrong method with 405', async () => {
    const missing = await fetch(`${engine.url}/constructor`);
    expect([missing.status, await missing.json()]).toEqual([404, { detail: 'Not Found' }]);
    const wrong = await fetch(`${engine.url}/tokenize`);
    expect([wrong.status, await wrong.json()]).toEqual([405, { detail: 'Method Not Allowed' }]);
  });

  test.each([
    ['not JSON', '/tokenize', '{"prompt":', 400, 'BadRequestError'],
    ['no prompt', '/v1/tokenize', {}, 400, 'BadRequestError'],
    ['an id that no token has', '/detokenize', { tokens: [258] }, 400, 'BadRequestError'],
    ['an id that is no number', '/v1/detokenize', { tokens: ['a'] }, 400, 'BadRequestError'],
    ['another model', '/tokenize', { model: 'other', prompt: 'x' }, 404, 'NotFoundError'],
    ['a body of 2 MiB', '/tokenize', { prompt: 'x'.repeat(2 << 20) }, 413, 'Request Entity Too Large'],
  ])('a request with %s is answered with its status and error type', async (_, path, body, status, type) => {
    const response = await post(path, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { type, code: status, param: null } });
  });

  test.each([
    ['/detokenize', (wrong: unknown[]) => ({ tokens: wrong })],
    ['/v1/completions', (wrong: unknown[]) => ({ prompt: wrong })],
    ['/v1/completions', (wrong: unknown[]) => ({ prompt: ['x', ...wrong] })],
    [
      '/v1/completions',
      (wrong: unknown[]) => ({ prompt: 'x', logit_bias: Object.fromEntries(wrong.slice(0, 90_000).entries()) }),
    ],
    [
      '/v1/completions',
      (wrong: unknown[]) => ({
        prompt: 'x',
        logit_bias: Object.fromEntries(wrong.slice(0, 90_000).map((_, i) => [i + 320, 1])),
      }),
    ],
  ] as [string, (wrong: unknown[]) => object][])(
    'hundreds of thousands of wrong elements for %s are one issue',
    async (path, body) => {
      const response = await post(path, body(Array(340_000).fill([])));
      expect(response.status).toBe(400);
      expect((await response.text()).length).toBeLessThan(300);
    },
  );

  test('a body of another content type is refused with the message of the engine', async () => {
    const response = await post('/tokenize', '{"prompt":"x"}', 'text/plain');
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("Only 'application/json' is allowed");
  });

  test('token strings are returned when the request asks for them', async () => {
    const response = await post('/tokenize', { prompt: 'a\n', return_token_strs: true });
    expect(await response.json()).toEqual({
      count: 3,
      max_model_len: 8192,
      tokens: [256, 97, 10],
      token_strs: ['<s>', 'a', '<0x0A>'],
    });
  });
});

test('options that are wrong are refused by name', async () => {
  await expect(EmbeddedEngine.start({ load: 0 })).rejects.toThrow(/number in \(0, 2\].* for load/);
  await expect(EmbeddedEngine.start({ seed: Number.NaN })).rejects.toThrow(/for seed/);
  await expect(EmbeddedEngine.start({ laod: 1 } as never)).rejects.toThrow(/did you mean load/);
  await expect(EmbeddedEngine.start({ model: { kvBlocks: 4 } })).rejects.toThrow(/for kvBlocks/);
  await expect(EmbeddedEngine.start({ model: { maxModelLen: 1 } })).rejects.toThrow(/for model.maxModelLen/);
});

test('a port in use is an error with a code', async () => {
  const port = Number(new URL(engine.url).port);
  await expect(EmbeddedEngine.start({ port })).rejects.toMatchObject({ code: 'ERR_DTESN_SIMULATOR_PORT' });
});

test('an embedded engine follows the monotonic clock, and catches up at most two minutes after a pause', async () => {
  const steps = async () => engineMetrics(parsePrometheus(await engine.metrics())).iterationCount!;
  const now = performance.now.bind(performance);
  const before = await steps();
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 30_000);
  const soon = await steps();
  clock.mockImplementation(() => now() + 3_630_000);
  const afterAnHour = await steps();
  clock.mockRestore();
  expect(soon).toBeGreaterThan(before);
  expect(afterAnHour).toBeGreaterThan(soon);
  // A step with a decode in it takes 29.8 ms and more, one without 10.1 ms and more.
  expect(afterAnHour - soon).toBeLessThan((120 + 1) / 0.0101);
});

test('close() stops the server', async () => {
  const other = await EmbeddedEngine.start();
  const idle = fetch(`${other.url}/health`).then((response) => response.arrayBuffer());
  await idle;
  await other.close();
  await expect(fetch(`${other.url}/health`)).rejects.toThrow();
});
