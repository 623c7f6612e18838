/** How the answers to one look at an engine are read. */
import { expect, test } from 'vitest';
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
