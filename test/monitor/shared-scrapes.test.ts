/** A monitor and a fetcher of one engine: together they ask as often as one of them. */
import { afterEach, expect, test, vi } from 'vitest';
import { AphroditeEngine, type Engine } from '../../src/engine/index.js';
import { EngineMonitor } from '../../src/monitor/index.js';
import { EngineSimulator } from '../../src/simulator/index.js';
import { SourceFetcher, type SourceSet } from '../../src/sources/index.js';
import { ManualClock } from '../manual-clock.js';

// The host answers at once: of what a fetch waits for, only the requests take real time.
vi.mock('../../src/host/index.js', async (load) => ({
  ...(await load<typeof import('../../src/host/index.js')>()),
  pressure: () => ({ cpu: null, memory: null, io: null }),
  runQueuePerCpu: () => null,
}));

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A live simulated server whose requests are counted, and a clock that waits for those under way. */
async function serve() {
  const simulator = await EngineSimulator.start({ load: 0.4, warmUp: 30, seed: 1, speed: 0 });
  const asked: Record<string, number> = {};
  let under = 0;
  const clock = new ManualClock(async () => {
    do await new Promise((turn) => setTimeout(turn, 1));
    while (under > 0);
    // A body is parsed in slices, each of them a turn.
    for (let turns = 0; turns < 20; turns++) await new Promise((turn) => setImmediate(turn));
  });
  const client = new AphroditeEngine(simulator.url, { clock });
  const counted = <Given extends unknown[], T>(name: string, ask: (...given: Given) => Promise<T>) => {
    return async (...given: Given): Promise<T> => {
      asked[name] = (asked[name] ?? 0) + 1;
      under++;
      try {
        return await ask.apply(client, given);
      } finally {
        under--;
      }
    };
  };
  const engine: Engine = {
    label: client.label,
    simulated: false,
    kind: counted('kind', client.kind),
    models: counted('models', client.models),
    version: counted('version', client.version),
    health: counted('health', client.health),
    metrics: counted('metrics', client.metrics),
    tokenize: counted('tokenize', client.tokenize),
    detokenize: counted('detokenize', client.detokenize),
    modelFiles: async () => null,
    close: () => client.close(),
  };
  closing.push(
    () => simulator.close(),
    () => engine.close(),
  );
  return { engine, clock, asked };
}

test.each([0, 100, 300, 490, 510, 700, 990])(
  'a fetcher %d ms behind a monitor, each once a second, make one GET /metrics a second of a live server',
  async (behindMs) => {
    const { engine, clock, asked } = await serve();
    const monitor = new EngineMonitor(engine, { clock });
    closing.push(() => monitor.close());
    let observations = 0;
    let rated = 0;
    monitor.on('observation', () => {
      observations++;
      if (monitor.rates !== null && monitor.rates.seconds > 0) rated++;
    });
    await clock.pass(behindMs);
    const fetcher = new SourceFetcher(engine, { clock });
    closing.push(() => fetcher.close());
    const sets: SourceSet[] = [];
    fetcher.subscribe((set) => sets.push(set), { intervalMs: 1000 });
    await clock.pass(10_000);
    expect(observations).toBeGreaterThanOrEqual(10);
    expect(sets.length).toBeGreaterThanOrEqual(10);
    expect(asked['metrics']).toBeGreaterThanOrEqual(10);
    expect(asked['metrics']).toBeLessThanOrEqual(12);
    expect(asked['health']).toBeLessThanOrEqual(12);
    expect(rated).toBe(observations - 1);
    for (const { sources } of sets) {
      expect(sources.performance.state).toBe('ok');
      expect(sources.performance.age_ms).toBeLessThan(500);
    }
  },
);

test('a fetch that is forced asks the engine, whatever the monitor saw', async () => {
  const { engine, clock, asked } = await serve();
  const monitor = new EngineMonitor(engine, { clock });
  const fetcher = new SourceFetcher(engine, { clock });
  closing.push(
    () => fetcher.close(),
    () => monitor.close(),
  );
  await clock.pass(10);
  expect(asked['metrics']).toBe(1);
  const { performance } = (await fetcher.fetch()).sources;
  expect(asked['metrics']).toBe(1);
  expect(performance.age_ms).toBe(10);
  expect(performance.fresh_until - performance.fetch_timestamp).toBeCloseTo(0.5, 6);
  expect((await fetcher.fetch({ force: true })).sources.performance.age_ms).toBe(0);
  expect(asked['metrics']).toBe(2);
  fetcher.invalidate('performance');
  await fetcher.fetch();
  expect(asked['metrics']).toBe(3);
});

test('an engine that stands still is seen within 5 s, also when its scrapes are shared', async () => {
  for (const behindMs of [0, 250, 499, 501, 750]) {
    const clock = new ManualClock();
    let [tokens, stands] = [0, false];
    const metrics = async () => {
      if (!stands) tokens += 10;
      return Buffer.from(`vllm:num_requests_running 1\nvllm:generation_tokens_total ${tokens}\n`);
    };
    const engine = { label: 'x', models: async () => [], metrics, health: async () => {} } as never;
    const monitor = new EngineMonitor(engine, { clock });
    await clock.pass(behindMs);
    const fetcher = new SourceFetcher(engine, { clock });
    fetcher.subscribe(() => {}, { intervalMs: 1000 });
    await clock.pass(10_000);
    expect(monitor.state.name).toBe('busy');
    stands = true;
    let waitedMs = 0;
    for (; monitor.state.name !== 'hung' && waitedMs < 20_000; waitedMs += 50) await clock.pass(50);
    expect(waitedMs).toBeLessThanOrEqual(5000);
    await monitor.close();
    await fetcher.close();
  }
});
