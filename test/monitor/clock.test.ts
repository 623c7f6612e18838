/** The monitor on a clock of its own: minutes pass in no time. */
import { expect, test } from 'vitest';
import type { Clock } from '../../src/abort/index.js';
import type { Engine } from '../../src/engine/index.js';
import { EngineMonitor } from '../../src/monitor/index.js';

/** Time stands still until `pass`; then calls come in the order of their times. */
class ManualClock implements Clock {
  #now = 0;
  #calls: { at: number; call: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  get waiting(): number {
    return this.#calls.length;
  }

  after(ms: number, call: () => void): () => void {
    const one = { at: this.#now + ms, call };
    this.#calls.push(one);
    return () => {
      this.#calls = this.#calls.filter((other) => other !== one);
    };
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await new Promise((turn) => setImmediate(turn));
      const next = this.#calls.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#calls = this.#calls.filter((other) => other !== next);
      next.call();
    }
    this.#now = end;
  }
}

test('an engine is observed once an interval of the clock, and hung after so much of its time', async () => {
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
    ['hung', 605],
  ]);
  expect(clock.waiting).toBe(0);
});

test('an answer is late by the clock, not by the world', async () => {
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

test('what is no clock is refused', () => {
  const engine = { metrics() {} } as unknown as Engine;
  expect(() => new EngineMonitor(engine, { clock: 7 as never })).toThrow(/a Clock \{ now, after \} for clock/);
});
