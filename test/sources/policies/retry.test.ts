import { expect, test } from 'vitest';
import { EngineError } from '../../../src/engine/index.js';
import { retryDelay } from '../../../src/sources/policies/retry.js';
import { RetryBudget } from '../../../src/sources/policies/retry-budget.js';

const http = (status: number, retryAfterMs: number | null = null, words = '') =>
  new EngineError('ERR_DTESN_ENGINE_HTTP', `GET /x answered ${status}${words}`, { status, retryAfterMs });

test('the first retry waits 25 to 100 ms, the second 25 to 400 ms, and there is no third', () => {
  const at = (retry: number, random: number) => retryDelay(http(500), retry, () => random);
  expect([at(1, 0), at(1, 1), at(2, 0), at(2, 1)]).toEqual([25, 100, 25, 400]);
  expect(at(3, 0)).toBeNull();
});

test.each([400, 401, 403, 404, 405, 413, 501, 302])('status %i is not retried', (status) => {
  expect(retryDelay(http(status), 1)).toBeNull();
});

test.each([408, 429, 500, 502, 503, 504])('status %i is retried', (status) => {
  expect(retryDelay(http(status), 1)).toBeGreaterThanOrEqual(25);
});

test.each(['REFUSED', 'UNREACHABLE', 'TIMEOUT', 'CREDENTIAL', 'BODY', 'UNSUPPORTED', 'BREAKER'] as const)(
  'an error with code %s is not retried',
  (name) => {
    expect(retryDelay(new EngineError(`ERR_DTESN_ENGINE_${name}`, ''), 1)).toBeNull();
  },
);

test('a broken connection is retried, an engine that is scaling is not', () => {
  expect(retryDelay(new EngineError('ERR_DTESN_ENGINE_RESET', ''), 1)).not.toBeNull();
  expect(retryDelay(http(503, null, ': The model is currently scaling. Please try again later.'), 1)).toBeNull();
  expect(retryDelay(new Error('of our own'), 1)).toBeNull();
});

test('Retry-After is waited for when it is longer than the drawn wait', () => {
  expect(retryDelay(http(503, 7000), 1, () => 0)).toBe(7000);
  expect(retryDelay(http(503, 0), 1, () => 0)).toBe(25);
});

test('the budget holds ten retries, then earns one for each ten requests', () => {
  const budget = new RetryBudget();
  const spendAll = () => {
    let spent = 0;
    while (budget.spend()) spent += 1;
    return spent;
  };
  expect(spendAll()).toBe(10);
  for (let i = 0; i < 105; i++) budget.earn();
  expect(spendAll()).toBe(10);
  for (let i = 0; i < 35; i++) budget.earn();
  expect(spendAll()).toBe(3);
});
