import { getHeapSpaceStatistics } from 'node:v8';
import { expect, test } from 'vitest';
import { lastingController } from '../../src/abort/index.js';

test('aborts its signal with the reason for all of its listeners', () => {
  const controller = lastingController();
  const seen: unknown[] = [];
  for (const name of ['one', 'two']) controller.signal.addEventListener('abort', () => seen.push(name));
  const reason = new Error('left');
  controller.abort(reason);
  expect(seen).toEqual(['one', 'two']);
  expect(controller.signal.reason).toBe(reason);
});

// 300 KB of a signal without the listener that stays.
test('calls whose listeners come and go leave no old objects', () => {
  const { signal } = lastingController();
  const calls = () => {
    for (let i = 0; i < 2000; i++) {
      const listener = () => {};
      signal.addEventListener('abort', listener, { once: true });
      signal.removeEventListener('abort', listener);
    }
    for (let i = 0; i < 5000; i++) new Array(1000).fill(i); // young objects, so that V8 collects those of before
  };
  const oldBytes = () => getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')!.space_used_size;
  calls();
  const growth = Array.from({ length: 5 }, () => {
    const before = oldBytes();
    calls();
    return oldBytes() - before;
  });
  expect(growth.sort((a, b) => a - b)[2]).toBeLessThan(100_000);
});
