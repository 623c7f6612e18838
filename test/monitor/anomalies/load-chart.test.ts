/** The load-conditioned chart on a made engine whose time between tokens and KV usage follow from its load. */
import { describe, expect, test } from 'vitest';
import type { HealthSample } from '../../../src/monitor/anomalies/index.js';
import { LoadChart } from '../../../src/monitor/anomalies/load-chart.js';
import { sample, uniforms } from './samples.js';

const LEARN = 2000;

/** One second: the load wanders, and health follows it with some noise. */
function engine(seed = 1) {
  const next = uniforms(seed);
  let running = 10;
  return ({ slow = 1, leak = 0, running: given = null as number | null } = {}): HealthSample => {
    running = given ?? Math.min(20, Math.max(1, running + Math.round(2 * next() - 1)));
    const promptTokensPerSecond = 2000 * next();
    const interTokenSeconds = slow * (0.03 + 0.001 * running + 0.00001 * promptTokensPerSecond) * (1 + 0.05 * next());
    return {
      ...sample,
      running,
      promptTokensPerSecond,
      interTokenSeconds,
      kvUsage: 0.02 * running + 0.02 * next() + leak,
    };
  };
}

/** Watches until a chart alarms; seconds, or null. */
function alarm(chart: LoadChart, from: number, seconds: number, next: () => HealthSample, kind: 'slow' | 'leak') {
  for (let time = from; time < from + seconds; time++) {
    chart.observe(next(), { time, seconds: 1, calm: true });
    const reading = chart.reading(kind);
    if (reading !== null && reading.value > reading.limit) return { seconds: time - from + 1, reading };
  }
  return null;
}

function learnedChart() {
  const chart = new LoadChart(LEARN);
  const next = engine();
  alarm(chart, 0, LEARN + 181, next, 'slow');
  return { chart, next };
}

test('until its window is over the chart says nothing, and learned grows to 1', () => {
  const chart = new LoadChart(LEARN);
  const next = engine();
  expect(alarm(chart, 0, LEARN, () => next({ slow: 3 }), 'slow')).toBeNull();
  expect(chart.reading('leak')).toBeNull();
  expect(chart.learned).toBeGreaterThan(0.85);
  expect(chart.learned).toBeLessThan(1);
  alarm(chart, LEARN, 200, next, 'slow');
  expect(chart.learned).toBe(1);
});

test('normal traffic raises no alarm, an engine that becomes 1.3 times slower does within a minute', () => {
  const { chart, next } = learnedChart();
  expect(alarm(chart, 5000, 3000, next, 'slow')).toBeNull();
  expect(alarm(chart, 8000, 60, () => next({ slow: 1.3 }), 'slow')?.reading).toMatchObject({
    sinceSeconds: expect.toSatisfy((since: number) => since >= 7980 && since < 8060),
    residual: expect.toSatisfy((residual: number) => residual > 0.15 && residual < 0.35),
  });
});

test('KV memory that the load does not explain is a leak, the same memory of a greater load is not', () => {
  const { chart, next } = learnedChart();
  expect(alarm(chart, 5000, 120, () => next({ running: 20 }), 'leak')).toBeNull();
  let leak = 0;
  const leaking = () => {
    leak += 0.002;
    return next({ leak });
  };
  const found = alarm(chart, 6000, 300, leaking, 'leak');
  expect(found?.seconds).toBeLessThan(100);
});

test('a load greater than any that was learned is not judged', () => {
  const { chart, next } = learnedChart();
  const overloaded = () => next({ running: 60, slow: 3 });
  expect(alarm(chart, 5000, 20, overloaded, 'slow')).not.toBeNull();
  const other = learnedChart();
  alarm(other.chart, 5000, 60, () => other.next({ running: 60 }), 'slow');
  const before = other.chart.reading('slow')!.value;
  alarm(other.chart, 5060, 300, () => other.next({ running: 60, slow: 3 }), 'slow');
  expect(other.chart.knowsLoad).toBe(false);
  expect(other.chart.reading('slow')!.value).toBe(before);
});

describe('what the chart forgets', () => {
  test('after a reset or a gap the averages fill before anything is judged', () => {
    for (const pause of ['reset', 'gap']) {
      const { chart, next } = learnedChart();
      if (pause === 'reset') chart.reset();
      else chart.observe(next(), { time: 9000, seconds: 3600, calm: true });
      expect(alarm(chart, 9001, 170, () => next({ slow: 2 }), 'slow')).toBeNull();
      expect(alarm(chart, 9171, 60, () => next({ slow: 2 }), 'slow')).not.toBeNull();
    }
  });

  test('a change that lasts longer than a window becomes normal, unless an anomaly is present', () => {
    const { chart, next } = learnedChart();
    for (let time = 5000; time < 5000 + 2.2 * LEARN; time++) {
      chart.observe(next({ slow: 1.3 }), { time, seconds: 1, calm: true });
    }
    expect(alarm(chart, 12_000, 1000, () => next({ slow: 1.3 }), 'slow')).toBeNull();
    const held = learnedChart();
    for (let time = 5000; time < 5000 + 2.2 * LEARN; time++) {
      held.chart.observe(held.next({ slow: 1.3 }), { time, seconds: 1, calm: false });
    }
    const { value, limit } = held.chart.reading('slow')!;
    expect(value).toBeGreaterThan(limit);
  });
});

test('figures that are unknown silence the target that needs them only', () => {
  const { chart, next } = learnedChart();
  const before = chart.reading('slow')!.value;
  const silent = () => ({ ...next(), interTokenSeconds: null });
  expect(alarm(chart, 5000, 100, silent, 'leak')).toBeNull();
  expect(chart.reading('slow')!.value).toBe(before);
  const nothing = Object.fromEntries(Object.keys(sample).map((name) => [name, null])) as unknown as HealthSample;
  expect(() => chart.observe(nothing, { time: 6000, seconds: 1, calm: true })).not.toThrow();
});

test('an engine that never says its time between tokens is charted for leaks alone', () => {
  const chart = new LoadChart(LEARN);
  const next = engine();
  const silent = () => ({ ...next(), interTokenSeconds: null });
  alarm(chart, 0, LEARN + 300, silent, 'leak');
  expect(chart.reading('slow')).toBeNull();
  expect(chart.reading('leak')).not.toBeNull();
});
