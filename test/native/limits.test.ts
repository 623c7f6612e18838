import { describe, expect, test } from 'vitest';
import { native } from '../../src/native/index.js';

describe('native.limits()', () => {
  const limits = native.limits();

  test('names the instruction set it measured', () => {
    expect(limits.isa).toBe(native.isa);
  });

  test('gives a rate for both dtypes and for four growing working sets', () => {
    for (const rate of [limits.gflops.f32, limits.gflops.f64, ...limits.reads.map((r) => r.gigabytesPerSecond)]) {
      expect(rate).toBeGreaterThan(0);
      expect(rate).toBeLessThan(1e5);
    }
    expect(limits.reads.map(({ bytes }) => bytes)).toEqual([24 * 2 ** 10, 2 ** 20, 2 ** 24, 2 ** 28]);
  });

  test('is measured once: the same frozen object comes back', () => {
    expect(native.limits()).toBe(limits);
    for (const part of [limits, limits.gflops, limits.reads, ...limits.reads]) expect(Object.isFrozen(part)).toBe(true);
  });

  test.each([1, 511, 4096, 100_000])('bandwidthAt measures a working set of %i bytes', (bytes) => {
    const rate = limits.bandwidthAt(bytes);
    expect(Number.isFinite(rate)).toBe(true);
    expect(rate).toBeGreaterThan(0);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32 + 1])(
    'bandwidthAt refuses %d bytes',
    (bytes) => {
      const attempt = () => limits.bandwidthAt(bytes);
      expect(attempt).toThrow(RangeError);
      expect(attempt).toThrow(/a whole number of bytes from 1 to 4294967296 for bytes but received/);
      expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' }));
    },
  );
});
