/** The capacity of a replica, measured on simulated engines. */
import { expect, test } from 'vitest';
import { type EngineMetrics, engineMetrics, parsePrometheus } from '../../../src/engine/index.js';
import { ReplicaCapacity } from '../../../src/outlook/scaling/index.js';
import { BurstyArrivals } from '../../../src/simulator/arrivals.js';
import { EngineCore } from '../../../src/simulator/engine-core.js';
import { RandomStream } from '../../../src/simulator/random-stream.js';

const parameters = { maxModelLen: 8192, maxNumSeqs: 64, maxBatchedTokens: 2048, kvBlocks: 5120, blockSize: 16 };
const unknown: EngineMetrics = engineMetrics(parsePrometheus(Buffer.from('up 1\n')));

function figuresOf(core: EngineCore, known: Partial<EngineMetrics> = {}): EngineMetrics {
  const { finished, histograms, generatedTokens, promptTokens } = core.statistics;
  return {
    ...unknown,
    running: core.running,
    waiting: core.waiting,
    kvUsageMean: core.kvUsage,
    kvTokensCapacity: parameters.kvBlocks * parameters.blockSize,
    requestsTotal: Object.values(finished).reduce((a, b) => a + b, 0),
    generationTokens: generatedTokens,
    promptTokens,
    iterationCount: histograms.iteration_tokens_total.count,
    ...known,
  };
}

/** Scrapes each second of an engine that serves `rate` requests a second; every request waits with a rate above what it serves. */
function run(rate: number, seconds: number, observe: (core: EngineCore, time: number) => void): EngineCore {
  const core = new EngineCore(parameters, 0);
  const arrivals = new BurstyArrivals(new RandomStream(5), rate, parameters.maxModelLen, parameters.blockSize);
  let next = arrivals.next();
  for (let time = 1; time <= seconds; time++) {
    for (; next.time <= time; next = arrivals.next()) {
      core.advanceTo(next.time);
      core.submit({ ...next, patience: Number.POSITIVE_INFINITY });
    }
    core.advanceTo(time);
    observe(core, time);
  }
  return core;
}

/** Requests a second that a flood of the same requests is served with. */
function floodThroughput(): number {
  const core = run(20, 600, () => {});
  return Object.values(core.statistics.finished).reduce((a, b) => a + b, 0) / 600;
}

test.each([0.2, 0.5, 0.8])(
  'at load %s the capacity of an engine comes out within 15 % of what a flood is served with',
  (load) => {
    const flood = floodThroughput();
    const capacity = new ReplicaCapacity({ slots: 64 });
    expect(capacity.requestsPerSecond).toBeNull();
    run(load * flood, 1800, (core, time) => capacity.observe(figuresOf(core), time));
    expect(capacity.requestsPerSecond! / flood).toBeGreaterThan(0.85);
    expect(capacity.requestsPerSecond! / flood).toBeLessThan(1.15);
  },
);

test('an engine that is twice as slow has half the capacity, once it was observed for ten minutes', () => {
  const capacity = new ReplicaCapacity({ slots: 64 });
  let before = 0;
  run(0.8, 3600, (core, time) => {
    if (time === 1200) {
      before = capacity.requestsPerSecond!;
      core.slowdown = () => 2;
    }
    capacity.observe(figuresOf(core), time);
  });
  expect(capacity.requestsPerSecond! / before).toBeGreaterThan(0.4);
  expect(capacity.requestsPerSecond! / before).toBeLessThan(0.65);
});

test('without a count of steps it is measured while requests wait, and null until then', () => {
  const idle = new ReplicaCapacity();
  run(0.5, 300, (core, time) => idle.observe(figuresOf(core, { iterationCount: null }), time));
  expect(idle.requestsPerSecond).toBeNull();
  const full = new ReplicaCapacity();
  const flood = floodThroughput();
  run(8, 600, (core, time) => full.observe(figuresOf(core, { iterationCount: null }), time));
  expect(full.requestsPerSecond! / flood).toBeGreaterThan(0.85);
  expect(full.requestsPerSecond! / flood).toBeLessThan(1.15);
});

test('a restart, said or seen by counters that stepped back, measures again', () => {
  for (const said of [true, false]) {
    const capacity = new ReplicaCapacity();
    let last: EngineCore | null = null;
    run(2, 120, (core, time) => {
      capacity.observe(figuresOf(core), time);
      last = core;
    });
    expect(capacity.requestsPerSecond).not.toBeNull();
    const figures = said ? figuresOf(last!) : figuresOf(new EngineCore(parameters, 0));
    capacity.observe(figures, 121, { restarted: said });
    expect(capacity.requestsPerSecond).toBeNull();
  }
});

test('after a restart the counters of the old process take no part in the mix', () => {
  const [capacity, fresh] = [new ReplicaCapacity(), new ReplicaCapacity()];
  run(2, 600, (core, time) => capacity.observe(figuresOf(core), time));
  run(2, 120, (core, time) => {
    capacity.observe(figuresOf(core), 1000 + time);
    fresh.observe(figuresOf(core), time);
  });
  expect(capacity.requestsPerSecond).toBe(fresh.requestsPerSecond);
  expect(fresh.requestsPerSecond).toBeGreaterThan(0);
});

test('an engine that exposes no counters of tokens has no capacity', () => {
  const capacity = new ReplicaCapacity();
  for (let time = 0; time < 100; time++) capacity.observe(unknown, time);
  expect(capacity.requestsPerSecond).toBeNull();
});
