import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EngineError } from '../../../src/engine/index.js';
import { EngineGuard } from '../../../src/sources/policies/guarded-engine.js';
import { memoryEngine } from '../memory-engine.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());
const pass = (ms: number) => vi.advanceTimersByTime(ms);

const httpError = (status: number, retryAfterMs: number | null = null, words = '') =>
  new EngineError('ERR_DTESN_ENGINE_HTTP', `answered ${status}${words}`, { status, retryAfterMs });
const rejecting = (error: unknown) => async () => {
  throw error;
};
const long = 60_000;

describe('retries', () => {
  test('a request that failed temporarily is retried, and the answer is returned', async () => {
    let turn = 0;
    const metrics = async () => {
      turn += 1;
      if (turn < 3) throw new EngineError('ERR_DTESN_ENGINE_RESET', 'broken');
      return Buffer.from('up 1\n');
    };
    expect(Buffer.from(await new EngineGuard(memoryEngine({ metrics })).within(long).metrics()).toString()).toBe(
      'up 1\n',
    );
    expect(turn).toBe(3);
  });

  test('a request is not retried when the retry could not end in time, and its error is kept', async () => {
    const engine = memoryEngine({ metrics: rejecting(httpError(500)), tokenize: rejecting(httpError(503, 7000)) });
    await expect(new EngineGuard(engine).within(20).metrics()).rejects.toMatchObject({ status: 500 });
    await expect(new EngineGuard(engine).within(5000).tokenize('a')).rejects.toMatchObject({ status: 503 });
    expect(engine.asked).toEqual({ metrics: 1, tokenize: 1 });
  });

  test('an abort ends the wait for a retry', async () => {
    const engine = memoryEngine({ metrics: rejecting(httpError(503, 30_000)) });
    const abort = new AbortController();
    const asked = new EngineGuard(engine).within(long).metrics({ signal: abort.signal });
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    expect(engine.asked['metrics']).toBe(1);
  });

  test('a failing engine gets ten retries in all, not one for each request', async () => {
    const engine = memoryEngine({ detokenize: rejecting(new EngineError('ERR_DTESN_ENGINE_RESET', '')) });
    const guards = Array.from({ length: 20 }, () => new EngineGuard(engine)); // so that no breaker opens
    await Promise.allSettled(guards.map((guard) => guard.within(long).detokenize([1])));
    expect(engine.asked['detokenize']).toBe(60);
    const guard = new EngineGuard(engine);
    const before = engine.asked['detokenize']!;
    for (let i = 0; i < 30; i++) {
      pass(long); // over the rest of the breaker
      await guard
        .within(long)
        .detokenize([1])
        .catch(() => {});
    }
    expect(engine.asked['detokenize']! - before).toBeLessThanOrEqual(30 + 10 + 3);
  });
});

describe('the breaker', () => {
  const code = 'ERR_DTESN_ENGINE_BREAKER';

  test('a class of endpoints that failed five times gets no request and an error with the reason; other classes are requested', async () => {
    const engine = memoryEngine({ tokenize: rejecting(new EngineError('ERR_DTESN_ENGINE_BODY', 'HTML')) });
    const guarded = new EngineGuard(engine).within(long);
    for (let i = 0; i < 5; i++) await expect(guarded.tokenize('a')).rejects.toThrow('HTML');
    await expect(guarded.tokenize('a')).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/is not asked for its tokenizer for \d+ ms because it failed: HTML$/),
      cause: { code: 'ERR_DTESN_ENGINE_BODY' },
    });
    await expect(guarded.detokenize([1])).rejects.toMatchObject({ code }); // of the same class
    expect(engine.asked).toEqual({ tokenize: 5 });
    await guarded.metrics();
    await guarded.models();
  });

  test('a probe requests /health first and then its own endpoint once', async () => {
    let up = false;
    const { metrics } = memoryEngine();
    const engine = memoryEngine({
      metrics: () => (up ? metrics() : rejecting(new EngineError('ERR_DTESN_ENGINE_BODY', ''))()),
      health: async () => {
        if (!up) throw httpError(503);
      },
    });
    const guarded = new EngineGuard(engine).within(600_000);
    for (let i = 0; i < 5; i++) await guarded.metrics().catch(() => {});
    pass(1000);
    await expect(guarded.metrics()).rejects.toMatchObject({ status: 503 });
    expect(engine.asked).toEqual({ metrics: 5, health: 1 });
    up = true;
    pass(2000);
    await guarded.metrics();
    expect(engine.asked).toEqual({ metrics: 6, health: 2 });
    await guarded.metrics();
    expect(engine.asked).toEqual({ metrics: 7, health: 2 });
  });

  test.each<[string, Error]>([
    ['401', new EngineError('ERR_DTESN_ENGINE_CREDENTIAL', '', { status: 401 })],
    ['404', httpError(404)],
    ['501', httpError(501)],
    ['scaling', httpError(503, null, ': The model is currently scaling.')],
    ['what the kind has not', new EngineError('ERR_DTESN_ENGINE_UNSUPPORTED', '')],
    ['a closed client', Object.assign(new Error(), { code: 'ERR_DTESN_CLOSED' })],
  ])('%s does not trip it', async (_, error) => {
    const guarded = new EngineGuard(memoryEngine({ metrics: rejecting(error) })).within(long);
    for (let i = 0; i < 12; i++) await expect(guarded.metrics()).rejects.toBe(error);
  });

  test('a status of /health does not open the breaker', async () => {
    const engine = memoryEngine({ health: rejecting(httpError(503)) });
    const guarded = new EngineGuard(engine).within(long);
    for (let i = 0; i < 12; i++) await expect(guarded.health()).rejects.toMatchObject({ status: 503 });
    expect(engine.asked['health']).toBe(12);
  });

  test('Retry-After stops all requests of that class for its time', async () => {
    const engine = memoryEngine({ metrics: rejecting(httpError(429, 3000)) });
    const guard = new EngineGuard(engine);
    await expect(guard.within(100).metrics()).rejects.toMatchObject({ status: 429 });
    await expect(guard.within(100).metrics()).rejects.toMatchObject({ code, status: 429 });
    pass(3000);
    await expect(guard.within(100).metrics()).rejects.toMatchObject({ code: 'ERR_DTESN_ENGINE_HTTP' });
    expect(engine.asked['metrics']).toBe(2);
  });

  test('the time limit of a source counts as a failure, the abort of a caller does not', async () => {
    const engine = memoryEngine({ metrics: () => new Promise<never>(() => {}) });
    const guarded = new EngineGuard(engine).within(long);
    const ask = (reason: Error) => guarded.metrics({ signal: AbortSignal.abort(reason) }).catch((error) => error);
    for (let i = 0; i < 12; i++) await ask(new Error('the caller left'));
    const late = Object.assign(new Error('late'), { code: 'ERR_DTESN_SOURCE_TIMEOUT' });
    for (let i = 0; i < 5; i++) expect(await ask(late)).toBe(late);
    expect(await ask(late)).toMatchObject({ code });
  });
});
