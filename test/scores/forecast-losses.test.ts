/** Scores of forecasts, against values worked out by hand. */
import { expect, test } from 'vitest';
import { planningLoss, quantileLoss } from '../../src/scores/index.js';

test('the quantile loss weighs what lies above by α and what lies below by 1 - α', () => {
  expect(quantileLoss([14], [10], 0.9)).toBeCloseTo(3.6, 12);
  expect(quantileLoss([6], [10], 0.9)).toBeCloseTo(0.4, 12);
  expect(quantileLoss([14, 6], [10, 10], 0.5)).toBeCloseTo(2, 12);
});

test('the quantile loss is least at the quantile of the outcomes', () => {
  const outcomes = Array.from({ length: 101 }, (_, i) => i);
  const losses = outcomes.map((q) => quantileLoss(outcomes, Array(101).fill(q), 0.8));
  expect(losses.indexOf(Math.min(...losses))).toBe(80);
});

test('the planning loss is that of the formula, with lengths of 0 where no request came', () => {
  const window = (requests: number, promptTokens: number, generationTokens: number) => ({
    requests: [requests],
    promptTokens: [promptTokens],
    generationTokens: [generationTokens],
  });
  const log = Math.log1p;
  const expected =
    0.4 * (log(1000) - log(600)) + 0.4 * (log(100) - log(90)) + 0.1 * (log(200) - log(100)) + 0.1 * (log(20) - log(15));
  expect(planningLoss(window(5, 1000, 100), window(6, 600, 90))).toBeCloseTo(expected, 12);
  expect(planningLoss(window(0, 0, 0), window(0, 0, 0))).toBe(0);
  expect(planningLoss(window(-1, -5, -5), window(0, 0, 0))).toBe(0);
  expect(planningLoss(window(0, 0, 0), window(1, 3, 0))).toBeCloseTo(0.5 * log(3), 12);
});

test('series of other lengths, empty ones and another quantile are refused', () => {
  expect(() => quantileLoss([1], [1, 2], 0.5)).toThrow(RangeError);
  expect(() => quantileLoss([], [], 0.5)).toThrow(RangeError);
  expect(() => quantileLoss([1], [1], 1)).toThrow('a number in (0, 1)');
  const two = { requests: [1, 2], promptTokens: [1, 2], generationTokens: [1] };
  expect(() => planningLoss(two, two)).toThrow(/generationTokens of 2 windows/);
  const none = { requests: [], promptTokens: [], generationTokens: [] };
  expect(() => planningLoss(none, none)).toThrow('one window or more');
});
