/** The moving average without a bias to its first value, over irregular times. */
import { expect, test } from 'vitest';
import { MovingAverage } from '../../../src/monitor/anomalies/moving-average.js';

test('the average is the sum of what came, each weighted by e^(-age/tau) and its own length', () => {
  const average = new MovingAverage(10);
  const pieces = [
    { value: 4, seconds: 1 },
    { value: -2, seconds: 7 },
    { value: 9, seconds: 0.5 },
  ];
  for (const { value, seconds } of pieces) average.add(value, seconds);
  const ages = [7.5, 0.5, 0];
  const weights = pieces.map(({ seconds }, i) => Math.exp(-ages[i]! / 10) * (1 - Math.exp(-seconds / 10)));
  const sum = pieces.reduce((total, { value }, i) => total + weights[i]! * value, 0);
  expect(average.value).toBeCloseTo(sum / weights.reduce((a, b) => a + b), 12);
});

test('a constant is its own average from the first value on, and reset forgets', () => {
  const average = new MovingAverage(60);
  expect(average.value).toBeNull();
  expect(average.add(3, 1)).toBeCloseTo(3, 12);
  expect(average.add(3, 100)).toBeCloseTo(3, 12);
  average.reset();
  expect(average.value).toBeNull();
});
