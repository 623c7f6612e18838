/** Anomalies and frozen metrics of a monitor on a clock of its own: events, getters, answers and the probe. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/index.js';
import { type Anomaly, EngineMonitor, type EngineMonitorOptions } from '../../src/monitor/index.js';
import { ManualClock } from '../manual-clock.js';

const closing: EngineMonitor[] = [];

afterEach(async () => {
  for (const monitor of closing.splice(0)) await monitor.close();
});

/** An engine whose figures a test sets, and the monitor that watches it, a scrape a second. */
function watch(options: EngineMonitorOptions = {}) {
  const clock = new ManualClock();
  const face = { running: 0, tokens: 0, finished: 0, kv: 0, start: 1000, moving: true, ranks: 1, still: -1 };
  const counts = [0, 0];
  const metrics = async () => {
    const rank = (i: number) => {
      if (face.moving && i !== face.still) counts[i]! += face.running > 0 ? 10 : 0;
      return [
        `vllm:num_requests_running{engine="${i}"} ${face.running}`,
        `vllm:num_requests_waiting{engine="${i}"} 0`,
        `vllm:kv_cache_usage_perc{engine="${i}"} ${face.kv}`,
        `vllm:generation_tokens_total{engine="${i}"} ${counts[i]}`,
      ];
    };
    const ranks = Array.from({ length: face.ranks }, (_, i) => rank(i)).flat();
    return Buffer.from([`process_start_time_seconds ${face.start}`, ...ranks, ''].join('\n'));
  };
  const engine = { label: 'x', metrics, health: async () => {} } as unknown as Engine;
  const monitor = new EngineMonitor(engine, { clock, ...options });
  closing.push(monitor);
  const events: [string, Anomaly][] = [];
  monitor.on('anomaly', (anomaly) => events.push(['began', anomaly]));
  monitor.on('anomalyEnded', (anomaly) => events.push(['ended', anomaly]));
  return { clock, face, monitor, events };
}

const leak: Anomaly = {
  kind: 'leak',
  rule: 'idle-kv',
  evidence: ['nothing runs or waits, but 10.0 % of the KV memory is held'],
  since: expect.any(Number) as unknown as number,
};

describe('anomalies of a monitor', () => {
  test('an anomaly is an event when it begins and another when it ends, and is readable in between', async () => {
    const { clock, face, monitor, events } = watch();
    await clock.pass(5000);
    expect(monitor.anomalies).toEqual([]);
    face.kv = 0.1;
    await clock.pass(5000);
    expect(events).toEqual([['began', leak]]);
    expect(monitor.anomalies).toEqual([leak]);
    face.kv = 0;
    await clock.pass(58_000);
    expect(monitor.anomalies).toHaveLength(1);
    await clock.pass(5000);
    expect(events).toEqual([
      ['began', leak],
      ['ended', leak],
    ]);
    expect(monitor.anomalies).toEqual([]);
    expect(monitor.anomalyCounts).toMatchObject({
      alarms: 1,
      byKind: { slow: 0, leak: 1, storm: 0, 'partial-hang': 0 },
    });
    expect(monitor.anomalyCounts.alarmsPerDay).toBeCloseTo(86_400 / monitor.anomalyCounts.watchedSeconds, 9);
  });

  test('a restart ends those present', async () => {
    const { clock, face, monitor, events } = watch();
    await clock.pass(5000);
    face.kv = 0.1;
    await clock.pass(5000);
    Object.assign(face, { start: 2000, kv: 0 });
    await clock.pass(1000);
    expect(monitor.state.name).toBe('restarting');
    expect(events.map(([event]) => event)).toEqual(['began', 'ended']);
    expect(monitor.anomalies).toEqual([]);
  });

  test('a rank that stands still is a hang of the engine and a partial hang', async () => {
    const { clock, face, monitor, events } = watch();
    Object.assign(face, { running: 2, ranks: 2 });
    await clock.pass(10_000);
    face.still = 1;
    await clock.pass(6000);
    expect(monitor.state.name).toBe('hung');
    expect(events).toMatchObject([
      ['began', { kind: 'partial-hang', rule: 'heartbeat', evidence: [/wait on engine 1, but/] }],
    ]);
  });

  test('a fault of a learned rule is found once its window is over', async () => {
    const load = { size: 2, next: () => [1, 0], reset: () => {} };
    const { clock, face, monitor, events } = watch({ learnSeconds: 100, loadFeatures: load });
    Object.assign(face, { running: 2, kv: 0.2 });
    await clock.pass(200_000);
    expect(monitor.learned).toBeGreaterThan(0);
    expect(monitor.learned).toBeLessThan(1);
    await clock.pass(100_000);
    expect(monitor.learned).toBe(1);
    expect(events).toEqual([]);
    face.kv = 0.5;
    await clock.pass(10_000);
    expect(events).toMatchObject([
      [
        'began',
        { kind: 'leak', rule: 'chart', evidence: [/^30.0 % of the KV memory is held that the load does not explain/] },
      ],
    ]);
  });
});

describe('frozen metrics', () => {
  test('an engine that answers while its counters stand still is frozen, and can be reported by each answer', async () => {
    const { clock, face, monitor } = watch();
    face.running = 2;
    await clock.pass(5000);
    expect(monitor.state.name).toBe('busy');
    face.moving = false;
    await clock.pass(2500);
    monitor.answered();
    await clock.pass(3000);
    expect(monitor.state).toMatchObject({ name: 'frozen', evidence: [/but the caller had 1 answers meanwhile/] });
    face.moving = true;
    await clock.pass(1000);
    expect(monitor.state.name).toBe('busy');
  });
});

describe('the probe', () => {
  test('an engine without traffic that hangs is found by a probe that is not answered', async () => {
    let probes = 0;
    const probe = () => {
      probes++;
      return new Promise(() => {});
    };
    const { clock, monitor } = watch({ probe, probeIntervalMs: 10_000 });
    await clock.pass(9000);
    expect(probes).toBe(0);
    await clock.pass(8000);
    expect(probes).toBe(1);
    expect(monitor.state).toMatchObject({ name: 'hung', evidence: [/^1 requests are in flight and none runs/] });
    await clock.pass(60_000);
    expect(probes).toBe(1);
  });

  test('an answered probe that moves no counter shows frozen metrics, and one that fails shows nothing', async () => {
    const { clock, monitor } = watch({ probe: async () => {}, probeIntervalMs: 10_000 });
    await clock.pass(14_000);
    expect(monitor.state.name).toBe('frozen');
    const failing = watch({ probe: () => Promise.reject(new Error('401')), probeIntervalMs: 10_000 });
    await failing.clock.pass(60_000);
    expect(failing.monitor.state.name).toBe('ready');
  });

  test('a probe is sent only while no counter moves, and is aborted when the watch ends', async () => {
    let probes = 0;
    let aborted = false;
    const probe = ({ signal }: { signal: AbortSignal }) => {
      probes++;
      return new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          aborted = true;
          resolve(null);
        }),
      );
    };
    const { clock, face, monitor } = watch({ probe, probeIntervalMs: 5000 });
    face.running = 1;
    await clock.pass(60_000);
    expect(probes).toBe(0);
    face.running = 0;
    await clock.pass(10_000);
    expect(probes).toBe(1);
    await monitor.close();
    expect(aborted).toBe(true);
  });
});

test.each<[EngineMonitorOptions, RegExp]>([
  [{ learnSeconds: 1 }, /seconds in \[60, 2592000\] for learnSeconds/],
  [{ probe: 1 as never }, /a function \(\{ signal \}\) for probe/],
  [{ loadFeatures: {} as never }, /an object \{ size, next, reset \} for loadFeatures/],
])('%j is refused', (options, message) => {
  expect(() => new EngineMonitor({ metrics() {} } as never, options)).toThrow(message);
});
