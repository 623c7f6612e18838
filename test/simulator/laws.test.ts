/** Laws of the simulation under every fault, and of its /metrics against its own state and the engine's names. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  EngineSimulator,
  type EngineSimulatorOptions,
  type FaultKind,
  type FaultOptions,
  faultKinds,
} from '../../src/simulator/index.js';
import fc from '../property/fast-check.js';
import { cases } from '../quick.js';
import { countersOf, sampleOf, typesOf } from './metrics-reader.js';

const golden = fileURLToPath(new URL('../../../shared/golden/engine-metrics.txt', import.meta.url));
const NEW_PROCESS: readonly FaultKind[] = ['dead', 'crash', 'restart'];

/** KV blocks are conserved, and no more requests run than there are places. */
function expectConservation({ simulation }: EngineSimulator): void {
  for (const core of simulation.engines) {
    const { kvBlocks, maxNumSeqs } = core.parameters;
    expect(core.heldBlocks + core.freeBlocks + core.seizedBlocks + core.leakedBlocks).toBe(kvBlocks);
    expect(Math.min(core.freeBlocks, core.seizedBlocks, core.leakedBlocks)).toBeGreaterThanOrEqual(0);
    expect(core.running).toBeLessThanOrEqual(maxNumSeqs);
  }
}

/** The gauges of every engine say what the simulation holds. */
function expectGauges(text: string, { simulation }: EngineSimulator): void {
  simulation.engines.forEach((core, rank) => {
    const of = (name: string, labels = {}) => sampleOf(text, `aphrodite:${name}`, { engine: String(rank), ...labels });
    expect(of('num_requests_running')).toBe(core.running);
    expect(of('num_requests_waiting')).toBe(core.waiting);
    const [capacity, deferred] = ['capacity', 'deferred'].map((reason) =>
      of('num_requests_waiting_by_reason', { reason }),
    );
    expect(capacity! + deferred!).toBe(core.waiting);
    expect(of('kv_cache_usage_perc')).toBe(1 - core.freeBlocks / core.parameters.kvBlocks);
  });
}

/** Series that were there before and have fallen since. */
function fallen(before: Map<string, number>, after: Map<string, number>): string[] {
  return [...before].filter(([series, value]) => !(after.get(series)! >= value)).map(([series]) => series);
}

const fault = fc
  .record({
    kind: fc.constantFrom(...faultKinds),
    atSeconds: fc.integer({ min: 0, max: 60 }),
    durationSeconds: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
  })
  .map(
    ({ durationSeconds, ...rest }): FaultOptions =>
      durationSeconds === undefined ? rest : { ...rest, durationSeconds },
  );

const setting = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 40 }),
  load: fc.double({ min: 0.1, max: 2, noNaN: true }),
  engines: fc.integer({ min: 1, max: 3 }),
  maxNumSeqs: fc.integer({ min: 1, max: 64 }),
  kvBlocks: fc.integer({ min: 64, max: 1000 }),
  faults: fc.array(fault, { maxLength: 4 }),
});

test('under any faults blocks are conserved, running requests are bounded, and counters fall only with a new process', async () => {
  await fc.assert(
    fc.asyncProperty(setting, async ({ seed, load, engines, maxNumSeqs, kvBlocks, faults }) => {
      const model = { maxModelLen: 1024, maxNumSeqs, kvBlocks };
      const simulator = await EngineSimulator.start({ speed: 0, startSeconds: 0, seed, load, engines, model, faults });
      let started = simulator.simulation.startedAt;
      let before = countersOf(simulator.metrics);
      for (let time = 3; time <= 90; time += 3) {
        await simulator.advanceTo(time);
        expectConservation(simulator);
        const { startedAt } = simulator.simulation;
        const after = countersOf(simulator.metrics);
        if (startedAt === started) expect(fallen(before, after)).toEqual([]);
        if (!faults.some(({ kind }) => NEW_PROCESS.includes(kind))) expect(startedAt).toBe(0);
        [started, before] = [startedAt, after];
      }
      await simulator.close();
    }),
    { numRuns: cases(40) },
  );
});

test('many small advances and one long advance give the same state under faults', async () => {
  const faults: FaultOptions[] = [
    { kind: 'hang', atSeconds: 10, durationSeconds: 5 },
    { kind: 'preemption-storm', atSeconds: 20, durationSeconds: 10 },
    { kind: 'drift', atSeconds: 25, durationSeconds: 30 },
    { kind: 'restart', atSeconds: 70, durationSeconds: 3 },
  ];
  const options = { speed: 0, startSeconds: 0, seed: 5, engines: 2, faults };
  const [once, often] = [await EngineSimulator.start(options), await EngineSimulator.start(options)];
  await once.advanceTo(69);
  for (let time = 0; time <= 69; time += 0.17) await often.advanceTo(time);
  await often.advanceTo(69);
  expect(often.metrics).toBe(once.metrics);
  await once.advanceTo(100);
  for (let time = 69; time <= 100; time += 0.17) await often.advanceTo(time);
  await often.advanceTo(100);
  expect(often.metrics).toBe(once.metrics);
  for (const simulator of [once, often]) await simulator.close();
});

describe('ten minutes of virtual time, scraped over HTTP every second', { tags: ['slow'] }, () => {
  const forms: [string, EngineSimulatorOptions][] = [
    ['one engine, single-process form', { load: 0.9, seed: 11 }],
    ['two engines, multi-process form', { load: 0.9, seed: 12, engines: 2 }],
  ];

  test.each(forms)(
    'in the %s form running, waiting and KV usage equal the simulation, and counters rise',
    async (_, options) => {
      const simulator = await EngineSimulator.start({ speed: 0, ...options });
      let before = new Map<string, number>();
      const seen = { running: 0, waiting: 0, usage: 0 };
      for (let time = 1; time <= 600; time++) {
        await simulator.advanceTo(time);
        const text = await (await fetch(`${simulator.url}/metrics`)).text();
        expectGauges(text, simulator);
        expectConservation(simulator);
        const after = countersOf(text);
        expect(fallen(before, after)).toEqual([]);
        before = after;
        seen.running = Math.max(seen.running, simulator.simulation.running);
        seen.waiting = Math.max(seen.waiting, simulator.simulation.waiting);
        seen.usage = Math.max(seen.usage, simulator.simulation.engines[0]!.kvUsage);
      }
      await simulator.close();
      // The law was tested on an engine that was full at times, and queued.
      expect(seen.running).toBeGreaterThan(32);
      expect(seen.waiting).toBeGreaterThan(0);
      expect(seen.usage).toBeGreaterThan(0.8);
    },
  );
});

describe.skipIf(!existsSync(golden))('beside the body of an Aphrodite engine (skipped: no data)', () => {
  const real = existsSync(golden) ? typesOf(readFileSync(golden, 'utf8')) : new Map<string, string>();

  test('the single-process form has all metrics of the real body, with their types and order', async () => {
    const simulator = await EngineSimulator.start({ speed: 0 });
    expect([...typesOf(simulator.metrics)]).toEqual([...real]);
    await simulator.close();
  });

  test('the multi-process form has all metrics of the real body but python_*, process_* and _created', async () => {
    const simulator = await EngineSimulator.start({ speed: 0, metrics: 'multi-process' });
    const wanted = [...real].filter(([name]) => !/^(python|process)_|_created$/.test(name));
    expect([...typesOf(simulator.metrics)].sort()).toEqual(wanted.sort());
    await simulator.close();
  });

  test('iteration_tokens_total is a histogram', async () => {
    const simulator = await EngineSimulator.start({ speed: 0 });
    expect(typesOf(simulator.metrics).get('aphrodite:iteration_tokens_total')).toBe('histogram');
    await simulator.close();
  });
});
