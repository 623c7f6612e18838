import { expect, test } from 'vitest';
import { LatencyHistogram } from '../../src/sources/index.js';

/** Numbers in (0, 1) by a fixed generator (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296 + 1e-12;
  };
}

test('quantiles are within 4.5 % of the samples of their ranks, from a microsecond to a minute', () => {
  const random = randomNumbers(7);
  const histogram = new LatencyHistogram();
  const samples = Array.from({ length: 20_000 }, () => 10 ** (random() * 7.5 - 2.8));
  for (const sample of samples) histogram.add(sample);
  samples.sort((a, b) => a - b);
  const shot = histogram.snapshot();
  for (const [name, share] of [
    ['p50', 0.5],
    ['p90', 0.9],
    ['p99', 0.99],
  ] as const) {
    const exact = samples[Math.ceil(share * samples.length) - 1]!;
    expect(Math.abs(shot[name]! / exact - 1)).toBeLessThan(2 ** (1 / 16) - 1 + 1e-9);
  }
  expect(shot).toMatchObject({ count: 20_000, max: samples.at(-1) });
  expect(shot.sum).toBeCloseTo(
    samples.reduce((a, b) => a + b),
    3,
  );
});

test('each bucket counts the samples up to its bound exactly', () => {
  const histogram = new LatencyHistogram();
  for (const ms of [0, 0.5, 1, 1.0001, 2, 3, 1000, 1e9]) histogram.add(ms);
  const { buckets, count, max } = histogram.snapshot();
  const at = (le: number) => buckets.find((bucket) => bucket.le === le)!.count;
  expect([at(0.5), at(1), at(2), at(4), at(512), at(1024), at(65_536)]).toEqual([2, 3, 5, 6, 6, 7, 7]);
  expect([count, max]).toEqual([8, 1e9]);
});

test('an empty histogram has no quantiles, and NaN and negative times are not counted', () => {
  const histogram = new LatencyHistogram();
  for (const ms of [Number.NaN, -1]) histogram.add(ms);
  expect(histogram.snapshot()).toMatchObject({ count: 0, sum: 0, p50: null, p90: null, p99: null, max: null });
  histogram.add(3);
  expect(histogram.snapshot()).toMatchObject({ count: 1, max: 3 });
  expect(histogram.snapshot().p50).toBeLessThanOrEqual(3);
});
