/** Figures of an engine over time. */
import { expect, test } from 'vitest';
import {
  deriveRates,
  engineMetrics,
  parsePrometheus,
  TelemetryRing,
  telemetryColumns,
} from '../../../src/engine/index.js';

const text = (running: number, tokens: number) =>
  Buffer.from(
    `vllm:num_requests_running ${running}\nvllm:generation_tokens_total ${tokens}\nvllm:kv_cache_usage_perc 0.25\n`,
  );

test('a sample holds the figures and rates of an observation, and null for what is not known', () => {
  const [before, after] = [parsePrometheus(text(2, 100)), parsePrometheus(text(3, 160))];
  const ring = new TelemetryRing({ capacity: 4 });
  ring.add(10, engineMetrics(before), null);
  ring.add(
    12,
    engineMetrics(after),
    deriveRates({ metrics: before, timeSeconds: 10 }, { metrics: after, timeSeconds: 12 }),
  );
  ring.add(13, null, null);
  const series = ring.since();
  expect(series.time).toEqual([10, 12, 13]);
  expect(series.running).toEqual([2, 3, null]);
  expect(series.kvUsage).toEqual([0.25, 0.25, null]);
  expect(series.generationTokensPerSecond).toEqual([null, 30, null]);
  expect(series.waiting).toEqual([null, null, null]);
  for (const name of telemetryColumns) expect(series[name]).toHaveLength(3);
  expect(JSON.parse(JSON.stringify(series))).toEqual(series);
});

test('only the last samples are kept, and since() gives those later than a time', () => {
  const ring = new TelemetryRing({ capacity: 5 });
  for (let time = 1; time <= 12; time++) ring.add(time, engineMetrics(parsePrometheus(text(time, 0))), null);
  expect(ring.since().running).toEqual([8, 9, 10, 11, 12]);
  expect(ring.since(10).time).toEqual([11, 12]);
  expect(ring.since(12).time).toEqual([]);
  expect(ring.since(-5).time).toHaveLength(5);
  expect([ring.size, ring.oldestSeconds]).toEqual([5, 8]);
});

test('a restart is marked with its time and leaves with the samples about it', () => {
  const ring = new TelemetryRing({ capacity: 3 });
  ring.add(1, null, null);
  ring.markRestart(2);
  ring.add(2, null, null);
  ring.add(3, null, null);
  ring.markRestart(3.5);
  expect(ring.since().restarts).toEqual([2, 3.5]);
  expect(ring.since(2).restarts).toEqual([3.5]);
  ring.add(4, null, null);
  expect(ring.since().restarts).toEqual([2, 3.5]);
  ring.add(5, null, null);
  expect(ring.since().restarts).toEqual([3.5]);
});

test('a time that steps back is refused', () => {
  const ring = new TelemetryRing();
  ring.add(5, null, null);
  expect(() => ring.add(4.9, null, null)).toThrow(/a time of at least 5/);
  expect(() => ring.add(Number.NaN, null, null)).toThrow(RangeError);
});

test('a gap is marked between two samples that are further apart than gapSeconds', () => {
  const ring = new TelemetryRing({ gapSeconds: 5 });
  for (const time of [1, 2, 7, 13, 14]) ring.add(time, null, null);
  expect(ring.since().gaps).toEqual([[7, 13]]);
  expect(ring.since(13).gaps).toEqual([]);
  expect(() => new TelemetryRing({ gapSeconds: 0 })).toThrow(RangeError);
});

test('a rate times the interval is the difference of the counter', () => {
  const [before, after] = [parsePrometheus(text(2, 100)), parsePrometheus(text(3, 160))];
  const ring = new TelemetryRing();
  const rates = deriveRates({ metrics: before, timeSeconds: 10 }, { metrics: after, timeSeconds: 14 });
  ring.add(14, engineMetrics(after), rates);
  const { generationTokensPerSecond, intervalSeconds } = ring.since();
  expect(generationTokensPerSecond[0]! * intervalSeconds[0]!).toBe(60);
});

test('samples lie on shared memory, times first, then the columns in their order', () => {
  const ring = new TelemetryRing({ capacity: 4 });
  for (let time = 1; time <= 5; time++) ring.add(time, engineMetrics(parsePrometheus(text(10 * time, 0))), null);
  const seen = new Float64Array(ring.buffer);
  expect(seen).toHaveLength(4 * (telemetryColumns.length + 1));
  expect([...seen.slice(0, 8)]).toEqual([5, 2, 3, 4, 50, 20, 30, 40]);
});

test('a snapshot restores samples, unknown figures and restarts, also into a smaller ring', () => {
  const ring = new TelemetryRing({ capacity: 5 });
  for (let time = 1; time <= 7; time++) ring.add(time, engineMetrics(parsePrometheus(text(time, 0))), null);
  ring.markRestart(6.5);
  const bytes = ring.snapshot();
  const same = new TelemetryRing({ capacity: 5 });
  same.add(1000, null, null);
  same.restore(bytes);
  expect(same.since()).toEqual(ring.since());
  const small = new TelemetryRing({ capacity: 2 });
  small.restore(bytes);
  expect(small.since()).toMatchObject({ time: [6, 7], running: [6, 7], restarts: [6.5] });
  same.add(8, null, null);
  expect(same.since().time).toEqual([4, 5, 6, 7, 8]);
});

test('bytes that are cut or changed are refused and have no effect', () => {
  const ring = new TelemetryRing({ capacity: 5 });
  for (let time = 1; time <= 3; time++) ring.add(time, engineMetrics(parsePrometheus(text(time, 0))), null);
  const before = ring.since();
  const bytes = ring.snapshot();
  const swapped = Uint8Array.from(bytes);
  const times = bytes.length - 8 * 3 * (telemetryColumns.length + 1);
  swapped.set(bytes.subarray(times, times + 8), times + 16);
  const version = Uint8Array.from(bytes).fill(9, 8, 9);
  for (const wrong of [
    bytes.subarray(0, 50),
    bytes.subarray(0, bytes.length - 1),
    swapped,
    version,
    new Uint8Array(),
  ]) {
    expect(() => ring.restore(wrong)).toThrow('the bytes of a snapshot of a TelemetryRing');
  }
  expect(ring.since()).toEqual(before);
});
