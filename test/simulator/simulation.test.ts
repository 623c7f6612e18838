import { describe, expect, test } from 'vitest';
import { EngineSimulation, type SimulationParameters } from '../../src/simulator/index.js';
import fc from '../property/fast-check.js';
import { cases } from '../quick.js';

const usual: SimulationParameters = {
  seed: 1,
  load: 0.7,
  maxModelLen: 8192,
  maxNumSeqs: 64,
  maxBatchedTokens: 2048,
  kvBlocks: 5120,
  blockSize: 16,
};

/** Every number the simulation only ever counts up. */
function counters(simulation: EngineSimulation): number[] {
  const { statistics } = simulation.engines[0]!;
  return [
    ...Object.values(statistics.finished),
    statistics.prefixQueries,
    statistics.prefixHits,
    statistics.preemptions,
    statistics.promptTokens,
    statistics.cachedPromptTokens,
    statistics.generatedTokens,
    ...Object.values(statistics.histograms).flatMap(({ counts, count, sum }) => [...counts, count, sum]),
  ];
}

const parameters = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 40 }),
  load: fc.double({ min: 0.1, max: 2, noNaN: true }),
  maxModelLen: fc.constantFrom(64, 512, 8192),
  maxNumSeqs: fc.integer({ min: 1, max: 100 }),
  maxBatchedTokens: fc.constantFrom(1, 100, 2048),
  kvBlocks: fc.integer({ min: 512, max: 3000 }),
  blockSize: fc.constant(16),
});

describe('the law of conservation', () => {
  test('KV blocks are conserved, and running requests and counters keep their bounds, at every moment', () => {
    fc.assert(
      fc.property(parameters, fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { maxLength: 40 }), (p, gaps) => {
        const simulation = new EngineSimulation(p);
        let time = 0;
        let before = counters(simulation);
        for (const gap of gaps) {
          time += gap;
          simulation.advanceTo(time);
          expect(simulation.heldBlocks + simulation.freeBlocks).toBe(p.kvBlocks);
          expect(simulation.freeBlocks).toBeGreaterThanOrEqual(0);
          expect(simulation.running).toBeLessThanOrEqual(p.maxNumSeqs);
          const after = counters(simulation);
          expect(after.findIndex((value, i) => value < before[i]!)).toBe(-1);
          before = after;
        }
      }),
      { numRuns: cases(60) },
    );
  });

  test('the tokens counted by steps equal prompt plus generated tokens', () => {
    const simulation = new EngineSimulation({ ...usual, load: 1.3 });
    simulation.advanceTo(300);
    const { promptTokens, generatedTokens, preemptions, histograms } = simulation.engines[0]!.statistics;
    expect(preemptions).toBeGreaterThan(0);
    expect(histograms.iteration_tokens_total.sum).toBe(promptTokens + generatedTokens);
  });
});

// Little (1961): the mean number in a system is the rate of arrivals times the mean time in it, whatever the discipline.
test.each([0.4, 0.8, 1.2])("Little's law holds within 10 % at load %d", (load) => {
  const simulation = new EngineSimulation({ ...usual, load });
  const latency = simulation.engines[0]!.statistics.histograms.e2e_request_latency_seconds;
  const seconds = 3000;
  let inside = 0;
  let samples = 0;
  for (let time = 0.25; time <= seconds; time += 0.25) {
    simulation.advanceTo(time);
    inside += simulation.running + simulation.waiting;
    samples++;
  }
  const mean = inside / samples;
  expect(mean).toBeGreaterThan(3);
  expect(Math.abs(mean - latency.sum / seconds) / mean).toBeLessThan(0.1);
});

test('many small advances and one long advance give the same state', () => {
  const once = new EngineSimulation(usual);
  const often = new EngineSimulation(usual);
  once.advanceTo(120);
  for (let time = 0; time <= 120; time += 0.13) often.advanceTo(time);
  often.advanceTo(120);
  expect(counters(often)).toEqual(counters(once));
  expect([often.running, often.waiting, often.freeBlocks]).toEqual([once.running, once.waiting, once.freeBlocks]);
});

test('equal seeds give equal histories, different seeds different ones', () => {
  const [a, b, c] = [7, 7, 8].map((seed) => {
    const simulation = new EngineSimulation({ ...usual, seed });
    simulation.advanceTo(60);
    return counters(simulation);
  });
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
});

test('time never runs backwards', () => {
  const simulation = new EngineSimulation(usual);
  simulation.advanceTo(50);
  const then = counters(simulation);
  simulation.advanceTo(20);
  expect(simulation.time).toBe(50);
  expect(counters(simulation)).toEqual(then);
});

// Azure LLM inference trace 2023, conversations: median prompt 1020 tokens, median answer 129; var/mean of counts above 1.
test('arrivals are bursty, with the lengths of the trace', () => {
  const simulation = new EngineSimulation({ ...usual, load: 0.5 });
  const { histograms, finished } = simulation.engines[0]!.statistics;
  const perTenSeconds: number[] = [];
  const arrived = () =>
    Object.values(finished).reduce((sum, n) => sum + n, 0) + simulation.running + simulation.waiting;
  let before = 0;
  for (let time = 10; time <= 5000; time += 10) {
    simulation.advanceTo(time);
    perTenSeconds.push(arrived() - before);
    before = arrived();
  }
  const mean = perTenSeconds.reduce((sum, n) => sum + n, 0) / perTenSeconds.length;
  const variance = perTenSeconds.reduce((sum, n) => sum + (n - mean) ** 2, 0) / perTenSeconds.length;
  expect(variance / mean).toBeGreaterThan(1.5);
  const { counts, bounds, count } = histograms.request_prompt_tokens;
  const upTo = (limit: number) => bounds.reduce((sum, bound, i) => sum + (bound <= limit ? counts[i]! : 0), 0) / count;
  expect(upTo(1000)).toBeGreaterThan(0.4);
  expect(upTo(1000)).toBeLessThan(0.55);
});

test('an engine under light load has no queue, one under twice its capacity has one and loses clients', () => {
  const idle = new EngineSimulation({ ...usual, load: 0.05 });
  const flooded = new EngineSimulation({ ...usual, load: 2 });
  idle.advanceTo(600);
  flooded.advanceTo(600);
  expect(idle.engines[0]!.statistics.histograms.request_queue_time_seconds.sum).toBeLessThan(
    idle.engines[0]!.statistics.histograms.request_decode_time_seconds.sum / 10,
  );
  expect(flooded.waiting).toBeGreaterThan(0);
  expect(flooded.engines[0]!.statistics.finished.abort).toBeGreaterThan(100);
});

test('KV memory too small for one request of maximum length is refused by name', () => {
  expect(() => new EngineSimulation({ ...usual, kvBlocks: 511 })).toThrow(/at least 512 .* for kvBlocks/);
});
