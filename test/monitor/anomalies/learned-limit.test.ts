/** Limits that are learned in operation. */
import { expect, test } from 'vitest';
import { LearnedLimit } from '../../../src/monitor/anomalies/learned-limit.js';

const watchFor = (limit: LearnedLimit, value: number, seconds: number) => {
  for (let i = 0; i < seconds; i++) limit.watch(value, 1);
};

test('the limit is a margin above the greatest value of normal traffic, and at least its floor', () => {
  const limit = new LearnedLimit({ margin: 1.2, floor: 0.5 });
  expect(limit.value).toBe(0.5);
  for (const value of [1, 10, 3]) limit.learn(value);
  expect(limit.value).toBe(12);
  expect(limit.watch(12, 1)).toBe(false);
  expect(limit.watch(12.1, 1)).toBe(true);
});

test('a block without an alarm lifts the limit after the next block without one', () => {
  const limit = new LearnedLimit({ margin: 1.2 });
  limit.learn(10);
  watchFor(limit, 11, 600);
  expect(limit.value).toBe(12);
  watchFor(limit, 1, 599);
  expect(limit.value).toBe(12);
  watchFor(limit, 1, 1);
  expect(limit.value).toBeCloseTo(13.2, 12);
});

test('neither a block with an alarm nor the one before it lifts the limit', () => {
  const limit = new LearnedLimit({ margin: 1.2 });
  limit.learn(10);
  watchFor(limit, 11, 600);
  watchFor(limit, 13, 600);
  watchFor(limit, 1, 1200);
  expect(limit.value).toBe(12);
});

test('values that grow slowly do not lift the limit before they pass it', () => {
  const limit = new LearnedLimit({ margin: 1.2 });
  limit.learn(10);
  let value = 8;
  let seconds = 0;
  while (!limit.watch(value, 1) && seconds < 3000) {
    value += 0.01;
    seconds++;
  }
  expect(seconds).toBeLessThan(500);
});
