import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { limitClock, systemClock, waitingClock, withTimeLimit } from '../../src/abort/index.js';
import { ManualClock } from '../manual-clock.js';
import { block } from './blocked-loop.js';

test('time in which the event loop is blocked does not pass', async () => {
  await sleep(1);
  const start = waitingClock.now();
  block(200);
  await sleep(1);
  expect(waitingClock.now() - start).toBeLessThan(100);
});

test('time in which the event loop waits does', async () => {
  const start = waitingClock.now();
  await sleep(100);
  expect(waitingClock.now() - start).toBeGreaterThan(50);
});

test('a limit that waits out a blocked loop still ends what never answers', async () => {
  const start = performance.now();
  const never = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const limited = withTimeLimit(50, () => new Error('late'), undefined, never, waitingClock);
  limited.catch(() => {});
  block(200);
  await expect(limited).rejects.toThrow('late');
  expect(performance.now() - start).toBeGreaterThan(240);
});

test('what is cancelled is not called, also after a first check', async () => {
  let called = false;
  const cancel = waitingClock.after(20, () => {
    called = true;
  });
  await sleep(1);
  block(60);
  await sleep(5);
  cancel();
  await sleep(60);
  expect(called).toBe(false);
});

test('only an engine in this process, and only without a clock of the caller, is limited by it', () => {
  const manual = new ManualClock();
  expect(limitClock({ inProcess: true }, systemClock)).toBe(waitingClock);
  expect(limitClock({ inProcess: true }, manual)).toBe(manual);
  expect(limitClock({}, systemClock)).toBe(systemClock);
});
