/** The load of the next minutes, and the replicas that it needs. */
import { describe, expect, test } from 'vitest';
import { ScaleForecaster } from '../../../src/outlook/scaling/index.js';
import { RandomStream } from '../../../src/simulator/random-stream.js';

const DAY = 7200;

/** Requests a second at each second: two days' peaks, with noise of a Poisson process. */
function loads(seconds: number, seed = 1): number[] {
  const random = new RandomStream(seed);
  return Array.from({ length: seconds }, (_, t) => {
    const rate = 6 + 4 * Math.sin((2 * Math.PI * t) / DAY);
    let count = 0;
    for (let at = random.exponential(1 / rate); at < 1; at += random.exponential(1 / rate)) count++;
    return count;
  });
}

function feed(forecaster: ScaleForecaster, load: readonly number[], from = 0, capacity: number | null = 2): void {
  for (const [i, requestsPerSecond] of load.entries()) {
    forecaster.observe({ timeSeconds: from + i, requestsPerSecond, capacity });
  }
}

describe('the hint', () => {
  test('of a constant load is that load at every horizon, over capacity and target use', () => {
    const forecaster = new ScaleForecaster();
    feed(forecaster, Array(1200).fill(5));
    const hint = forecaster.hint({ startupSeconds: 60, targetUse: 0.8 });
    expect(hint.forecast).toBeCloseTo(2.5, 6);
    expect(hint.persistence).toBeCloseTo(2.5, 9);
    expect(hint.replicas).toBe(4);
    expect(hint.horizons.map(({ horizonSeconds }) => horizonSeconds)).toEqual([10, 60, 300, 600]);
    for (const { requestsPerSecond } of hint.horizons) expect(requestsPerSecond).toBeCloseTo(5, 6);
    expect(hint.unknown).toEqual([]);
  });

  test('is unknown, and says so, before a load or a capacity was observed', () => {
    const forecaster = new ScaleForecaster();
    expect(forecaster.hint()).toMatchObject({
      replicas: null,
      forecast: null,
      persistence: null,
      interval: null,
      capacity: null,
      unknown: ['load', 'capacity'],
    });
    feed(forecaster, Array(100).fill(5), 0, null);
    const hint = forecaster.hint();
    expect(hint).toMatchObject({ replicas: null, forecast: null, interval: null, unknown: ['capacity'] });
    expect(hint.horizons[0]!.requestsPerSecond).toBeCloseTo(5, 9);
  });

  test('is never below the moving average of 30 s when a crowd comes', () => {
    const forecaster = new ScaleForecaster({ daySeconds: DAY });
    feed(forecaster, loads(2 * DAY));
    let average = forecaster.hint().forecast! * 2;
    for (let t = 0; t < 120; t++) {
      forecaster.observe({ timeSeconds: 2 * DAY + t, requestsPerSecond: 40, capacity: 2 });
      average += (1 - Math.exp(-1 / 30)) * (40 - average);
    }
    expect(average).toBeGreaterThan(35);
    expect(forecaster.hint().forecast! * 2).toBeGreaterThanOrEqual(38 * (1 - Math.exp(-4)));
  });

  test('asks for one replica at least when nothing comes', () => {
    const forecaster = new ScaleForecaster();
    feed(forecaster, Array(60).fill(0));
    expect(forecaster.hint()).toMatchObject({ replicas: 1, forecast: 0 });
  });

  test('refuses options that it does not know and values out of their range', () => {
    const forecaster = new ScaleForecaster();
    expect(() => forecaster.hint({ startup: 60 } as object)).toThrow(/Unknown option startup of scaleHint/);
    expect(() => forecaster.hint({ targetUse: 0 })).toThrow(RangeError);
    expect(() => new ScaleForecaster({ daySeconds: 1 })).toThrow(RangeError);
    forecaster.observe({ timeSeconds: 5, requestsPerSecond: 1, capacity: 1 });
    expect(() => forecaster.observe({ timeSeconds: 4, requestsPerSecond: 1, capacity: 1 })).toThrow('at least 5');
    expect(() => forecaster.observe({ timeSeconds: 6, requestsPerSecond: -1, capacity: 1 })).toThrow(RangeError);
  });
});

describe('the forecasts', () => {
  test('err less than the moving average of 30 s ten minutes ahead once a day was seen, and cover what they say', () => {
    const forecaster = new ScaleForecaster({ daySeconds: DAY });
    const load = loads(4 * DAY);
    let [ours, average, count] = [0, 0, 0];
    const mean = (from: number) => load.slice(from, from + 10).reduce((a, b) => a + b, 0) / 10;
    let fast = load[0]!;
    for (const [t, requestsPerSecond] of load.entries()) {
      forecaster.observe({ timeSeconds: t, requestsPerSecond, capacity: 2 });
      fast += (1 - Math.exp(-1 / 30)) * (requestsPerSecond - fast);
      if (t < 2 * DAY || t % 10 !== 0 || t + 610 > load.length) continue;
      const truth = mean(t + 590);
      ours += (forecaster.forecasts()[3]!.requestsPerSecond! - truth) ** 2;
      average += (fast - truth) ** 2;
      count++;
    }
    expect(count).toBeGreaterThan(1000);
    expect(ours / average).toBeLessThan(0.4);
    for (const { coverage, basis } of forecaster.forecasts()) {
      expect(basis).toBe('learned');
      expect(Math.abs(coverage!.p10 - 0.1)).toBeLessThan(0.05);
      expect(Math.abs(coverage!.p90 - 0.9)).toBeLessThan(0.05);
    }
  });

  test('do not change when the future does', () => {
    const [first, second] = [new ScaleForecaster({ daySeconds: DAY }), new ScaleForecaster({ daySeconds: DAY })];
    const load = loads(DAY);
    const other = [
      ...load.slice(0, 5000),
      ...loads(DAY, 9)
        .slice(5000)
        .map((value) => 3 * value),
    ];
    const given: [object[], object[]] = [[], []];
    for (const [i, [forecaster, series]] of (
      [
        [first, load],
        [second, other],
      ] as const
    ).entries()) {
      for (const [t, requestsPerSecond] of series.entries()) {
        forecaster.observe({ timeSeconds: t, requestsPerSecond, capacity: 2 });
        given[i]!.push(forecaster.hint());
      }
    }
    expect(given[0].slice(0, 5000)).toEqual(given[1].slice(0, 5000));
    expect(given[0].at(-1)).not.toEqual(given[1].at(-1));
  });

  test('go on from a snapshot of plain JSON as if nothing had happened, once its horizons have passed', () => {
    const load = loads(2 * DAY);
    const [kept, restored] = [new ScaleForecaster({ daySeconds: DAY }), new ScaleForecaster({ daySeconds: DAY })];
    feed(kept, load.slice(0, DAY + 5));
    restored.restore(JSON.parse(JSON.stringify(kept.snapshot())));
    expect(restored.hint().capacity).toBe(2);
    feed(kept, load.slice(DAY + 5), DAY + 5);
    feed(restored, load.slice(DAY + 5), DAY + 5);
    const [a, b] = [kept.forecasts()[3]!, restored.forecasts()[3]!];
    expect(Math.abs(a.requestsPerSecond! / b.requestsPerSecond! - 1)).toBeLessThan(0.05);
    expect(b.basis).toBe('learned');
    expect(() => restored.restore({ version: 2 } as never)).toThrow('a snapshot of a ScaleForecaster');
  });

  test('begin their averages again after a gap of more than a minute, and keep what they learned', () => {
    const forecaster = new ScaleForecaster({ daySeconds: DAY });
    feed(forecaster, loads(DAY));
    const { samples } = forecaster.forecasts()[0]!;
    feed(forecaster, [50, 1, 1], DAY + 120);
    expect(forecaster.hint().forecast).toBeCloseTo(0.5, 9);
    expect(forecaster.forecasts()[0]!.samples).toBe(samples);
  });

  test('take a rate that is not known as covered by the next one that is', () => {
    const forecaster = new ScaleForecaster();
    for (let t = 0; t <= 100; t++) {
      forecaster.observe({ timeSeconds: t, requestsPerSecond: t % 3 === 0 ? 4 : null, capacity: 2 });
    }
    expect(forecaster.hint().forecast).toBeCloseTo(2, 9);
  });
});
