/** What a stream of fetches says that one alone does not: learned thresholds, hysteresis, and figures that cannot follow. */
import { describe, expect, test } from 'vitest';
import { aggregateMultiSourceData, SourceHistory } from '../../src/aggregation/index.js';
import { AphroditeEngine } from '../../src/engine/index.js';
import { EngineSimulator } from '../../src/simulator/index.js';
import { fetchPerformanceDataSource, type PerformanceSource, type Sources } from '../../src/sources/index.js';
import { goodSources } from './sources-fixture.js';

/** Fetches a second apart. */
function stream() {
  const history = new SourceHistory();
  let time = 0;
  const see = (performance: Partial<PerformanceSource>, load = 0.1) => {
    time++;
    const sources: Sources = goodSources({ performance: { fetch_timestamp: time, age_ms: 0, ...performance } });
    sources.resources.current_processing_load = { cpu_pressure: load };
    return history.observe(sources, time);
  };
  const highs = (values: Partial<PerformanceSource>[]) => values.map((one) => see(one).load.high);
  return { see, highs, history };
}

describe('load', () => {
  test('a queue is high load at first, and not after the baseline has learned a short queue', () => {
    const { see } = stream();
    expect(see({ waiting: 2, running: 20 }).load.high).toBe(true);
    for (let i = 0; i < 300; i++) see({ waiting: i % 4, running: 20 });
    expect(see({ waiting: 0, running: 20 }).load.high).toBe(false);
    expect(see({ waiting: 3, running: 20 }).load.high).toBe(false);
    expect(see({ waiting: 9, running: 20 }).load).toEqual({
      high: true,
      reasons: ["9 requests wait in the engine's queue"],
    });
  });

  test('a queue longer than the running requests is high load, whatever the baseline', () => {
    const { see } = stream();
    for (let i = 0; i < 300; i++) see({ waiting: 50, running: 10 });
    expect(see({ waiting: 50, running: 10 }).load.high).toBe(true);
  });

  test('KV usage counts as high until it is 0.1 below the threshold', () => {
    const at = (usage: number) => ({ waiting: 0, kv_cache_usage_max: usage });
    expect(stream().highs([0.85, 0.92, 0.85, 0.81, 0.79, 0.85].map(at))).toEqual([
      ...[false, true, true, true, false, false],
    ]);
  });

  test('the load of the CPUs ends when tasks wait less than a quarter of the time', () => {
    const { see } = stream();
    const idle = { waiting: 0, kv_cache_usage_max: 0.1 };
    expect([0.49, 0.5, 0.3, 0.24, 0.3].map((load) => see(idle, load).load.high)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('figures that cannot follow those before them lower the plausibility of performance', () => {
  test('a counter that falls while the process lives lowers plausibility', () => {
    const { see, history } = stream();
    see({ generation_tokens_total: 100 });
    expect(see({ generation_tokens_total: 90 }).checks).toContain('generation_tokens_total fell from 100 to 90');
    const sources = goodSources({ performance: { fetch_timestamp: 2, generation_tokens_total: 90 } });
    const { performance } = aggregateMultiSourceData(sources, history).quality_detail.sources;
    expect(performance.implausible).toEqual(['generation_tokens_total fell from 100 to 90']);
    expect(performance.plausibility).toBeLessThan(1);
  });

  test('a counter that falls after a restart does not lower plausibility', () => {
    const { see } = stream();
    see({ generation_tokens_total: 100, process_start_time: 1 });
    expect(see({ generation_tokens_total: 0, process_start_time: 2 }).checks).toEqual([]);
  });

  test('a counter that falls without a known start time does not lower plausibility', () => {
    const { see } = stream();
    see({ generation_tokens_total: 100, process_start_time: null });
    expect(see({ generation_tokens_total: 0, process_start_time: null }).checks).toEqual([]);
  });

  test.each<[string, number | null, number | null]>([
    ['appears', null, 1],
    ['disappears', 1, null],
  ])('a start time that %s is no restart: counters are still compared', (_, before, now) => {
    const { see } = stream();
    see({ process_start_time: before });
    expect(see({ process_start_time: now }).checks).toEqual([true, true, true, true, true]);
  });

  test('a cached answer is not judged twice', () => {
    const { history } = stream();
    const first = history.observe(goodSources(), 1);
    expect(history.observe(goodSources(), 2)).toBe(first);
  });

  test('gauges that stand still while requests finish lower plausibility (Little’s law)', () => {
    const { see } = stream();
    // Two requests finish a second after 10 s each: 20 run, whatever the gauge says.
    const at = (t: number, running: number) =>
      see({ running, waiting: 0, total_requests: 2 * t, inference_seconds_total: 20 * t }).checks.at(-1);
    at(1, 20);
    for (let t = 2; t <= 80; t++) expect(at(t, 20)).toBe(true);
    let last: true | string | undefined;
    for (let t = 81; t <= 200; t++) last = at(t, 0);
    expect(last).toBe("0.0 requests run on average, but the finished ones imply 20.0 (Little's law)");
  });
});

test('waiting that is not the sum of its reasons lowers plausibility', () => {
  const sources = goodSources({ performance: { waiting: 5, waiting_by_reason: { capacity: 1, deferred: 1 } } });
  const { implausible } = aggregateMultiSourceData(sources).quality_detail.sources.performance;
  expect(implausible).toContain('waiting and the sum of its reasons differ: 5 and 2');
});

test('a simulated engine is plausible at every second of ten minutes', {
  timeout: 60_000,
  tags: ['slow'],
}, async () => {
  const simulator = await EngineSimulator.start({ speed: 0, load: 0.8, seed: 3 });
  const engine = new AphroditeEngine(simulator.url, { timeoutMs: 20_000 });
  const history = new SourceHistory();
  const wrong: string[] = [];
  let laws = 0;
  for (let time = 1; time <= 600; time++) {
    await simulator.advanceTo(time);
    const performance = {
      ...(await fetchPerformanceDataSource(engine, { timeoutMs: 20_000 })),
      fetch_timestamp: time,
      age_ms: 0,
    };
    const { checks } = history.observe(goodSources({ performance }), time);
    wrong.push(...checks.filter((check) => check !== true).map((check) => `${time} s: ${check}`));
    if (checks.length === 6) laws++;
  }
  await engine.close();
  await simulator.close();
  expect(wrong).toEqual([]);
  expect(laws).toBeGreaterThan(400);
});
