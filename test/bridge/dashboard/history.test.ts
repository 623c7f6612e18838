/** What the charts of the dashboard get of the figures over time. */
import { expect, test } from 'vitest';

interface Points {
  time: number[];
  running: (number | null)[];
  kvUsage: (number | null)[];
  generationTokensPerSecond: (number | null)[];
  timeToFirstTokenP99Seconds: (number | null)[];
}

interface History {
  addItem(time: number, item: object): void;
  replace(past: { time: number[]; restarts: number[]; [name: string]: (number | null)[] }): void;
  windowSeconds(chosen: number, now: number): number;
  since(from: number, stepSeconds: number): Points;
}

const file = new URL('../../../src/bridge/dashboard/page/history.js', import.meta.url);
const { EngineHistory } = (await import(file.href)) as { EngineHistory: new () => History };

const item = (kvUsageMax: number | null, rate: number | null = null, p99: number | null = null) => ({
  figures: { running: 4, waiting: 0, kvUsageMax },
  rates: { generationTokensPerSecond: rate, timeToFirstTokenSeconds: { p50: 0.1, p99 } },
});

test('a point has the largest load and p99 of its seconds, and the mean of a rate', () => {
  const history = new EngineHistory();
  const samples = [item(0.2, 100, 1), item(0.9, 200, 7), item(0.3, null, null), item(0.4, 300, 2)];
  for (const [i, sample] of samples.entries()) history.addItem(1000 + i, sample);
  history.addItem(1005, item(null));
  const points = history.since(990, 5);
  expect(points.time).toEqual([1003, 1005]);
  expect(points.kvUsage).toEqual([0.9, null]);
  expect(points.generationTokensPerSecond).toEqual([200, null]);
  expect(points.timeToFirstTokenP99Seconds).toEqual([7, null]);
});

test('ten minutes of samples are at most 121 points, and those that ended do not change as time goes on', () => {
  const history = new EngineHistory();
  const wave = (at: number) => item(Math.abs(Math.sin(at)), 100 + at);
  for (let at = 0; at <= 700; at++) history.addItem(at + 0.3, wave(at));
  const before = structuredClone(history.since(100.3, 5));
  expect(before.time).toHaveLength(121);
  for (let at = 701; at <= 703; at++) history.addItem(at + 0.3, wave(at));
  const after = history.since(103.3, 5);
  expect(after.time).toHaveLength(121);
  expect(after.kvUsage.slice(0, -1)).toEqual(before.kvUsage.slice(0, -1));
  expect(after.time.at(-1)).toBe(703.3);
});

test('the lines break where no sample came for more than three seconds and than a point', () => {
  const history = new EngineHistory();
  for (const at of [10, 11, 13, 17, 30]) history.addItem(at, item(0.5));
  expect(history.since(0, 1).kvUsage).toEqual([0.5, 0.5, 0.5, null, 0.5, null, 0.5]);
  expect(history.since(0, 5).kvUsage).toEqual([0.5, 0.5, null, 0.5]);
  expect(history.since(0, 5).time).toEqual([13, 17, 17.001, 30]);
});

test('the past of an engine and its next sample are one line', () => {
  const history = new EngineHistory();
  history.replace({ time: [1, 2, 3], restarts: [], running: [1, null, 3] });
  history.addItem(4, item(0.5));
  expect(history.since(0, 1).running).toEqual([1, null, 3, 4]);
  expect(history.since(0, 2).running).toEqual([1, 3, 4]);
});

test('the window is the chosen one, or a smaller one while that holds all samples', () => {
  const history = new EngineHistory();
  expect(history.windowSeconds(600, 50)).toBe(120);
  history.addItem(1000, item(0.5));
  const windows = [1119, 1121, 1601, 9000].map((now) =>
    [120, 600, 3600].map((chosen) => history.windowSeconds(chosen, now)),
  );
  expect(windows).toEqual([
    [120, 120, 120],
    [120, 600, 600],
    [120, 600, 3600],
    [120, 600, 3600],
  ]);
});

test('first tokens that were reported are points of what was predicted and what came', () => {
  const history = new EngineHistory();
  const firstTokens = { count: 2, predictedSeconds: 0.4, observedSeconds: 0.5 };
  history.addItem(10, { ...item(0.5), firstTokens });
  history.addItem(11, { ...item(0.5), firstTokens: null });
  const points = history.since(0, 1) as unknown as Record<string, (number | null)[]>;
  expect([points['predictedTtftSeconds'], points['observedTtftSeconds']]).toEqual([
    [0.4, null],
    [0.5, null],
  ]);
});
