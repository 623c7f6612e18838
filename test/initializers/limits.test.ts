/** Options and sizes at which weights would not be finite numbers, or no matrix. */
import { expect, test, vi } from 'vitest';
import {
  chebyshevInput,
  cycle,
  informedInput,
  logisticInput,
  smallWorld,
  uniform,
  weightedInput,
} from '../../src/initializers/index.js';

test.each<[string, () => unknown]>([
  ['uniform', () => uniform({ low: -1e308, high: 1e308 })(20, 20)],
  ['uniform with a radius', () => uniform({ low: -1e308, high: 1e308, spectralRadius: 1 })(20, 20)],
  ['sparse uniform', () => uniform({ low: -1e308, high: 1e308, degree: 2 })(20, 20)],
  ['cycle', () => cycle({ weight: 1e308, feedback: 1e308 })(2, 2)],
  ['smallWorld', () => smallWorld({ spectralRadius: 1.7e308 })(20, 20)],
  ['chebyshevInput', () => chebyshevInput({ order: 1e308 })(20, 2)],
  ['weightedInput', () => weightedInput({ scale: 1e308 })(20, 2)],
  ['informedInput', () => informedInput({ modelInputs: 1, scale: 1e308 })(20, 2)],
])('%s: weights that are not finite are an error', (_, make) => {
  const message = expect.stringMatching('options of which all weights are finite numbers');
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT', message }));
});

test('the logistic map starts in [0, 1]', () => {
  expect(() => logisticInput({ divisor: 0.7 })).toThrow('a number, 1 or more for divisor');
  for (const divisor of [1, 1.5, 5.9]) {
    for (const w of logisticInput({ divisor, amplitude: 1, r: 4 })(200, 7).data) {
      expect(w).toBeGreaterThanOrEqual(0);
      expect(w).toBeLessThanOrEqual(1);
    }
  }
});

test('sizes of sparse weights are whole numbers that fit in memory', () => {
  expect(() => uniform({ degree: 2 })(2.5, 5)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' }));
  expect(() => uniform({ degree: 2 })(5, 2.5)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' }));
  const memory = vi.spyOn(process, 'availableMemory').mockReturnValue(1000);
  try {
    expect(() => uniform({ degree: 2 })(50, 5)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_MEMORY' }));
  } finally {
    memory.mockRestore();
  }
});
