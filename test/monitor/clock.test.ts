/** The monitor on a clock of its own: minutes pass in no time. */
import { expect, test } from 'vitest';
import type { Engine } from '../../src/engine/index.js';
import { EngineMonitor } from '../../src/monitor/index.js';
import { ManualClock } from '../manual-clock.js';

test('the monitor observes an engine once an interval of the given clock, and calls it hung after hungAfterMs of that clock without progress', async () => {
  const clock = new ManualClock();
  let tokens = 0;
  let scrapes = 0;
  const metrics = async () => {
    scrapes++;
    return Buffer.from(`vllm:num_requests_running 1\nvllm:generation_tokens_total ${tokens}\n`);
  };
  const engine = { label: 'x', metrics, health: async () => {} } as unknown as Engine;
  const monitor = new EngineMonitor(engine, { clock, intervalMs: 1000, hungAfterMs: 3500 });
  const states: [string, number][] = [];
  monitor.on('state', ({ name, sinceSeconds }) => states.push([name, sinceSeconds]));
  for (let second = 0; second < 600; second++, tokens += 10) await clock.pass(1000);
  expect(scrapes).toBe(601);
  expect(monitor.rates?.generationTokensPerSecond).toBe(10);
  tokens = 1e6;
  await clock.pass(10_000);
  await monitor.close();
  expect(states).toEqual([
    ['busy', 0],
    ['hung', 604.5],
  ]);
  expect(clock.waiting).toBe(0);
});

test('the time limit of an answer is measured by the given clock', async () => {
  const clock = new ManualClock();
  const silent = (options?: { signal?: AbortSignal }) =>
    new Promise<never>((_, reject) => options?.signal?.addEventListener('abort', () => reject(options.signal!.reason)));
  const engine = { label: 'x', metrics: silent, health: silent } as unknown as Engine;
  const monitor = new EngineMonitor(engine, { clock, timeoutMs: 800, hungAfterMs: 3500 });
  await clock.pass(799);
  expect(monitor.observed).toBe(false);
  await clock.pass(10);
  await clock.pass(0);
  expect(monitor.observed).toBe(true);
  await clock.pass(6000);
  expect(monitor.state.name).toBe('hung');
  await monitor.close();
});

test('an engine of which nothing comes back is asked less often, after a tenth of its silence and at most ten intervals, until it answers', async () => {
  const clock = new ManualClock();
  const asked: number[] = [];
  let answers = false;
  const ask = async (options?: { signal?: AbortSignal }) => {
    if (answers) return Buffer.from('vllm:num_requests_running 0\n');
    return new Promise<never>((_, reject) =>
      options?.signal?.addEventListener('abort', () => reject(options.signal!.reason)),
    );
  };
  const metrics = (options?: { signal?: AbortSignal }) => {
    asked.push(clock.now());
    return ask(options);
  };
  const engine = { label: 'x', metrics, health: ask } as unknown as Engine;
  const monitor = new EngineMonitor(engine, { clock, intervalMs: 1000, timeoutMs: 800, hungAfterMs: 3500 });
  for (let second = 0; second < 400; second++) await clock.pass(1000);
  const gaps = asked.slice(1).map((at, i) => ({ at: asked[i]!, gap: at - asked[i]! }));
  const between = (from: number, to: number) => gaps.filter(({ at }) => at >= from && at < to).map(({ gap }) => gap);
  expect(Math.max(...between(0, 9000))).toBeLessThanOrEqual(1000);
  for (const { at, gap } of gaps.filter(({ at }) => at >= 12_000)) {
    expect(gap / Math.min(10_000, (at + 800) / 10)).toBeCloseTo(1, 1);
  }
  expect(Math.max(...between(0, 400_000))).toBe(10_000);
  answers = true;
  await clock.pass(10_000);
  expect(monitor.state.name).toBe('ready');
  asked.length = 0;
  for (let second = 0; second < 10; second++) await clock.pass(1000);
  expect(asked.length).toBeGreaterThanOrEqual(9);
  await monitor.close();
});

test('a value that is not a clock is refused', () => {
  const engine = { metrics() {} } as unknown as Engine;
  expect(() => new EngineMonitor(engine, { clock: 7 as never })).toThrow(/a Clock \{ now, after \} for clock/);
});
