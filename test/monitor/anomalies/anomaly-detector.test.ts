/** All rules together: laws that hold for any figures, and faults of the simulated engine. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EngineFigures, EngineMetrics } from '../../../src/engine/index.js';
import {
  type Anomaly,
  AnomalyDetector,
  type HealthObservation,
  type HealthRates,
} from '../../../src/monitor/anomalies/index.js';
import { engineStates } from '../../../src/monitor/index.js';
import { EngineSimulation, type SimulatedEngine } from '../../../src/simulator/index.js';
import { figures, rates } from './samples.js';

const options = { learnSeconds: 400, hungAfter: 3.5 };
const seen = { figures, rates, seconds: 1, inFlight: 0, state: 'busy' } as const;

describe('for any figures', () => {
  const figure = fc.oneof(
    fc.double(),
    fc.constantFrom(null, 0, 1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 1e300),
  );
  const of = <T extends object>(shape: T) =>
    fc.record(Object.fromEntries(Object.keys(shape).map((name) => [name, figure]))) as unknown as fc.Arbitrary<T>;
  const anyRates = of(rates).chain((some) =>
    figure.map((mean) => ({ ...some, interTokenSeconds: { mean } }) as HealthRates),
  );
  const { engines, engineType, kvBlocks, requestsByReason, waitingByReason, sleeping, unknown, ...numbers } = figures;
  const anyFigures = fc.tuple(of(numbers), fc.array(of(numbers), { maxLength: 3 })).map(([all, ranks]) => ({
    ...figures,
    ...all,
    engines: ranks.map((one, i) => ({ ...figures, ...one, engine: `${i}` })),
  }));
  const observation = fc.record({
    figures: anyFigures as fc.Arbitrary<EngineMetrics>,
    rates: fc.option(anyRates),
    seconds: fc.constantFrom(0, 0.5, 1, 61, 1e9),
    inFlight: fc.nat(5),
    state: fc.constantFrom(...engineStates),
  });

  test('the detector never throws, and what it counts are finite numbers', () => {
    fc.assert(
      fc.property(fc.array(observation, { minLength: 1, maxLength: 30 }), (observations) => {
        const detector = new AnomalyDetector({ ...options, learnSeconds: 10 });
        let time = 0;
        const restarts = observations.length / 2;
        observations.forEach((one, i) => {
          time += one.seconds;
          detector.observe({ ...one, time });
          if (i === restarts) detector.restarted();
        });
        expect(Number.isFinite(detector.counts.watchedSeconds)).toBe(true);
        expect(detector.learned).toBeGreaterThanOrEqual(0);
        expect(detector.learned).toBeLessThanOrEqual(1);
        for (const { since } of detector.present) expect(since).toBeLessThanOrEqual(time);
      }),
      { numRuns: 200 },
    );
  });
});

test('constant figures raise no alarm, whatever they are', () => {
  const level = fc.double({ min: 0, max: 1e4, noNaN: true });
  const constant = fc.record({
    running: fc.nat(100),
    kvUsageMean: fc.double({ min: 0, max: 1, noNaN: true }),
    itl: level,
    rate: level,
  });
  fc.assert(
    fc.property(constant, ({ running, kvUsageMean, itl, rate }) => {
      const detector = new AnomalyDetector(options);
      const flat: HealthRates = {
        arrivalsPerSecond: rate,
        finishesPerSecond: rate,
        promptTokensPerSecond: rate,
        generationTokensPerSecond: rate,
        preemptionsPerSecond: rate,
        interTokenSeconds: { mean: itl },
      };
      for (let time = 0; time < 900; time++) {
        detector.observe({ ...seen, figures: { ...figures, running, kvUsageMean }, rates: flat, time });
      }
      expect(detector.learned).toBe(1);
      expect(detector.counts.alarms).toBe(0);
    }),
    { numRuns: 20 },
  );
});

test('a restart ends every anomaly, and an engine that hangs is judged by its ranks only', () => {
  const detector = new AnomalyDetector(options);
  const idle = (kvUsageMean: number) => ({ ...figures, running: 0, kvUsageMean });
  const idleScrape = (time: number, kv: number, state: HealthObservation['state'] = 'ready') =>
    detector.observe({ ...seen, time, figures: idle(kv), state });
  idleScrape(0, 0);
  for (let time = 1; time < 9; time++) idleScrape(time, 0.2, 'hung');
  expect(detector.present).toEqual([]);
  for (let time = 9; time < 12; time++) idleScrape(time, 0.2);
  expect(detector.present).toMatchObject([{ kind: 'leak', rule: 'idle-kv' }]);
  expect(detector.restarted()).toMatchObject([{ kind: 'leak' }]);
  expect(detector.present).toEqual([]);
});

describe('faults of the simulated engine, after an hour of its traffic', () => {
  const model = { maxModelLen: 8192, maxNumSeqs: 64, maxBatchedTokens: 2048, kvBlocks: 5120, blockSize: 16 };

  /** Scrapes of a simulation, a second apart; what began. */
  function watch(detector: AnomalyDetector, simulation: EngineSimulation, from: number, until: number): Anomaly[] {
    const begun: Anomaly[] = [];
    let before = counted(simulation.engines[0]!);
    for (let time = from + 1; time <= until; time++) {
      simulation.advanceTo(time);
      const now = counted(simulation.engines[0]!);
      const state = simulation.running > 0 ? 'busy' : 'ready';
      const observation = {
        time,
        figures: now.figures,
        rates: ratesOf(before, now),
        seconds: 1,
        inFlight: 0,
        state,
      } as const;
      begun.push(...detector.observe(observation).begun);
      before = now;
    }
    return begun;
  }

  const learned = () => {
    const detector = new AnomalyDetector({ learnSeconds: 3600, hungAfter: 3.5 });
    const simulation = new EngineSimulation({ ...model, seed: 3, load: 0.4 });
    watch(detector, simulation, 0, 3900);
    const core = simulation.engines[0]!;
    return { core, watched: (until: number) => watch(detector, simulation, simulation.time, until) };
  };

  test('steps that take 1.5 times as long are slow within a minute', () => {
    const { core, watched } = learned();
    core.slowdown = () => 1.5;
    expect(watched(3960)).toMatchObject([
      { kind: 'slow', rule: 'chart', evidence: [/^tokens take \d+ % longer than the load/] },
    ]);
  });

  test('blocks that are not given back are a leak within two minutes', () => {
    const { core, watched } = learned();
    core.leakShare = 0.2;
    expect(watched(4020).map(({ kind }) => kind)).toContain('leak');
  });

  test('an outside tenant of the memory makes a storm within 20 s', () => {
    const { core, watched } = learned();
    core.stormy = true;
    const begun = watched(3920);
    expect(begun.find(({ kind }) => kind === 'storm')).toMatchObject({
      rule: 'threshold',
      evidence: [/preemptions a second/],
    });
  });
});

interface Counted {
  figures: EngineMetrics;
  latency: { sum: number; count: number };
}

function counted(engine: SimulatedEngine): Counted {
  const { statistics, running, waiting, kvUsage } = engine;
  const finished = Object.values(statistics.finished).reduce((sum, count) => sum + count, 0);
  const { sum, count } = statistics.histograms.inter_token_latency_seconds;
  const change: Partial<EngineFigures> = {
    running,
    waiting,
    kvUsageMean: kvUsage,
    requestsTotal: finished,
    promptTokens: statistics.promptTokens,
    generationTokens: statistics.generatedTokens,
    preemptions: statistics.preemptions,
  };
  return { figures: { ...figures, ...change }, latency: { sum, count } };
}

function ratesOf(before: Counted, now: Counted): HealthRates {
  const delta = (name: 'requestsTotal' | 'promptTokens' | 'generationTokens' | 'preemptions' | 'running' | 'waiting') =>
    now.figures[name]! - before.figures[name]!;
  const tokens = now.latency.count - before.latency.count;
  return {
    arrivalsPerSecond: Math.max(0, delta('requestsTotal') + delta('running') + delta('waiting')),
    finishesPerSecond: delta('requestsTotal'),
    promptTokensPerSecond: delta('promptTokens'),
    generationTokensPerSecond: delta('generationTokens'),
    preemptionsPerSecond: delta('preemptions'),
    interTokenSeconds: { mean: tokens > 0 ? (now.latency.sum - before.latency.sum) / tokens : null },
  };
}
