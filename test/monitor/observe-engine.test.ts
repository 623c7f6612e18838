/** How the answers to one look at an engine are read. */
import { describe, expect, test } from 'vitest';
import { type Engine, EngineError, isScaling } from '../../src/engine/index.js';
import { observeEngine } from '../../src/monitor/index.js';

const body = Buffer.from('aphrodite:num_requests_running{engine="0"} 1\n');

const looked = (error: EngineError) => {
  const engine = { health: () => Promise.reject(error), metrics: async () => body } as unknown as Engine;
  return observeEngine(engine, new AbortController().signal);
};

test.each<[string, string]>([
  ['scaling', 'GET /health answered 503: The model is currently scaling. Please try again later.'],
  ['unhealthy', 'GET /health answered 503: no healthy upstream of the autoscaling group'],
  ['unhealthy', 'GET /health answered 503'],
])('a 503 is %s by the rule of isScaling: %s', async (answer, message) => {
  const error = new EngineError('ERR_DTESN_ENGINE_HTTP', message, { status: 503 });
  expect((await looked(error)).health).toBe(answer);
  expect(isScaling(error)).toBe(answer === 'scaling');
});

describe('of an engine that works', () => {
  const counting = async () => {
    let [tokens, asked] = [100, 0];
    const engine = {
      health: async () => {
        asked++;
        throw new EngineError('ERR_DTESN_ENGINE_HTTP', 'GET /health answered 503', { status: 503 });
      },
      metrics: async () => Buffer.from(`aphrodite:generation_tokens_total{engine="0"} ${tokens}\n`),
    } as unknown as Engine;
    const { figures } = await observeEngine(engine, signal);
    const look = async (more: number) => {
      tokens += more;
      return observeEngine(engine, signal, { working: figures });
    };
    return { look, asked: () => asked - 1 };
  };
  const { signal } = new AbortController();

  test('/health is not asked while it goes on counting', async () => {
    const { look, asked } = await counting();
    expect(await look(10)).toMatchObject({ health: 'ok', metrics: 'ok', figures: { generationTokens: 110 } });
    expect(asked()).toBe(0);
  });

  test('/health is asked in the same look when it counts nothing more', async () => {
    const { look, asked } = await counting();
    expect(await look(0)).toMatchObject({ health: 'unhealthy', metrics: 'ok' });
    expect(asked()).toBe(1);
  });
});
