import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { steadyPoll } from '../../../src/sources/policies/steady-poll.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const begins = async (took: number[]) => {
  const end = new AbortController();
  const start = performance.now();
  const at: number[] = [];
  const turn = async () => {
    at.push(performance.now() - start);
    if (at.length === took.length) return end.abort();
    await new Promise((resolve) => setTimeout(resolve, took[at.length - 1]));
  };
  const polling = steadyPoll(turn, 100, end.signal);
  await vi.advanceTimersByTimeAsync(10_000);
  await polling;
  return at;
};

test('turns begin at multiples of the interval, independent of how long each takes', async () => {
  expect(await begins([0, 99, 1, 50, 0])).toEqual([0, 100, 200, 300, 400]);
});

test('a turn that takes longer skips the points it missed', async () => {
  expect(await begins([250, 0, 101, 0])).toEqual([0, 300, 400, 600]);
});

test('an error in a turn rejects the poll', async () => {
  const broken = async () => Promise.reject(new Error('broken'));
  await expect(steadyPoll(broken, 100, new AbortController().signal)).rejects.toThrow('broken');
});
