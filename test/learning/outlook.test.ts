/** Outlooks trained on telemetry. */
import { describe, expect, test } from 'vitest';
import { TelemetryRing } from '../../src/engine/index.js';
import { bankModel, lagModel, networkModel } from '../../src/learning/feature-models.js';
import { Outlook, type OutlookSeries } from '../../src/learning/index.js';
import { lessonOf } from '../../src/learning/lesson.js';
import { walkForward } from '../../src/learning/walk-forward.js';
import { Reservoir } from '../../src/network/index.js';
import { telemetryOf } from '../../src/simulator/index.js';
import { RandomStream } from '../../src/simulator/random-stream.js';

const DAY = 3600;

/** A noisy day's pattern, a sample each `every` seconds. */
function telemetry(seconds: number, { seed = 1, every = 10, start = 0 } = {}) {
  const random = new RandomStream(seed);
  const time = Array.from({ length: seconds / every }, (_, i) => start + (i + 1) * every);
  const arrivalsPerSecond = time.map((t) => 5 + 3 * Math.sin((2 * Math.PI * t) / DAY) + random.uniform());
  return {
    time,
    arrivalsPerSecond,
    promptTokensPerSecond: arrivalsPerSecond.map((value) => 800 * value),
    generationTokensPerSecond: arrivalsPerSecond.map((value) => 100 * value),
  } satisfies OutlookSeries;
}

const options = { daySeconds: DAY, horizonsSeconds: [10, 300], folds: 4 };

test('a trace and a ring of an engine are series to train on, as they are', () => {
  const ring: OutlookSeries = new TelemetryRing().since();
  const trace: OutlookSeries = telemetryOf('TIMESTAMP,ContextTokens,GeneratedTokens\n2024-01-01 00:00:00,1,1');
  for (const { time, arrivalsPerSecond } of [ring, trace]) expect([time, arrivalsPerSecond]).toEqual([[], []]);
});

describe('training', () => {
  test('a bank that knows the time of day errs less than the last value five minutes ahead, and covers 70 to 90 %', async () => {
    const report = await new Outlook({ ...options, warmupShare: 0.2, folds: 30 }).train(telemetry(4 * DAY));
    const bank = report.scores.filter(({ model }) => model === 'bank and time of day');
    expect(bank).toHaveLength(6);
    for (const { skill, coverage, horizonSeconds } of bank) {
      if (horizonSeconds === 300) expect(skill).toBeGreaterThan(0.6);
      expect(coverage).toBeGreaterThan(0.7);
      expect(coverage).toBeLessThan(0.9);
    }
    const ages = report.scores.filter(({ model }) => model === 'a day ago');
    expect(ages.map(({ rmse }) => rmse)).toEqual(Array(6).fill(null));
  });

  test('no forecast depends on what follows the step that it is made from', async () => {
    const series = telemetry(4 * DAY);
    const changed = {
      ...series,
      arrivalsPerSecond: series.arrivalsPerSecond.map((value, t) => (t >= 1000 ? 9 * value : value)),
    };
    const names = ['arrivalsPerSecond'];
    const sizes = {
      targets: names,
      inputs: names,
      horizonsSeconds: [10, 300],
      stepSeconds: 10,
      folds: 4,
      warmupShare: 0.25,
    };
    const network = new Reservoir({ units: 20, inputs: 3, seed: 1 });
    for (const model of [bankModel(1, DAY), lagModel(1, DAY), networkModel(network, 1, DAY)]) {
      const [first, second] = await Promise.all(
        [series, changed].map(async (one) => {
          const lesson = lessonOf([one], { ...sizes, daySeconds: DAY });
          const { forecasts } = await walkForward(model, lesson, { ...sizes, ridges: [1, 100], onFold: () => {} });
          return forecasts[0]![0]!;
        }),
      );
      expect(first!.slice(0, 2000).filter(Number.isFinite).length).toBeGreaterThan(1000);
      expect(first!.slice(0, 2000)).toEqual(second!.slice(0, 2000));
      expect(first).not.toEqual(second);
    }
  });

  test('a figure that is not known is neither learned from nor scored, and a step of a restart neither', async () => {
    const series = telemetry(4 * DAY);
    const spoiled = {
      ...series,
      arrivalsPerSecond: series.arrivalsPerSecond.map((value, i) => (i === 1000 ? 1e6 : value)),
    };
    const only = { ...options, targets: ['arrivalsPerSecond'], inputs: ['promptTokensPerSecond'] };
    const clean = await new Outlook(only).train(series);
    const restarted = await new Outlook(only).train({ ...spoiled, restarts: [series.time[1000]!] });
    expect(restarted.steps).toBe(clean.steps - 1);
    const errorOf = ({ scores }: typeof clean) =>
      scores.find(({ model, horizonSeconds }) => model === 'bank and time of day' && horizonSeconds === 300)!.rmse!;
    expect(errorOf(restarted)).toBeLessThan(1.01 * errorOf(clean));
    const unknown: OutlookSeries = {
      ...series,
      arrivalsPerSecond: series.arrivalsPerSecond.map((value, i) => (i % 10 === 0 ? null : value)),
    };
    expect((await new Outlook(only).train(unknown)).steps).toBeLessThan(0.91 * clean.steps);
  });

  test('the engines of a fleet share weights, and each is forecast from its own averages', async () => {
    const engines = [1, 2, 3].map((seed) => telemetry(3 * DAY, { seed }));
    const outlook = new Outlook(options);
    const report = await outlook.train(engines);
    expect(report.engines).toBe(3);
    const [low, high] = [1, 4].map((factor) =>
      outlook.forecast({
        ...engines[0]!,
        arrivalsPerSecond: engines[0]!.arrivalsPerSecond.map((value) => factor * value),
      }),
    );
    expect(high![0]!.value).toBeGreaterThan(2 * low![0]!.value);
  });

  test('a network beside the bank is trained too, and forecasts are those of the model that erred least', async () => {
    const network = new Reservoir({ units: 30, inputs: 5, leak: 0.3, seed: 2 });
    const outlook = new Outlook({ ...options, network });
    const series = telemetry(4 * DAY);
    const { scores, losses } = await outlook.train(series);
    const models = new Set(scores.map(({ model }) => model));
    expect(models.has('network, bank and time of day')).toBe(true);
    expect(losses).toHaveLength(2 * models.size);
    const forecasts = outlook.forecast(series);
    expect(forecasts).toHaveLength(6);
    for (const { target, horizonSeconds, model, value, p10, p90, timeSeconds } of forecasts) {
      const at = scores.filter((one) => one.target === target && one.horizonSeconds === horizonSeconds);
      const least = Math.min(...at.map(({ rmse }) => rmse ?? Number.POSITIVE_INFINITY));
      expect(at.find((one) => one.model === model)!.rmse).toBe(least);
      expect(p10).toBeLessThanOrEqual(value);
      expect(p90).toBeGreaterThanOrEqual(value);
      expect(timeSeconds).toBe(series.time.at(-1)! + horizonSeconds);
    }
    expect(network.state.every((value) => value === 0)).toBe(true);
  });

  test('samples are averaged over the steps', async () => {
    const fine = telemetry(2 * DAY, { every: 1 });
    const { scores } = await new Outlook({ ...options, targets: ['arrivalsPerSecond'] }).train(fine);
    const coarse = await new Outlook({ ...options, targets: ['arrivalsPerSecond'] }).train({
      time: fine.time.filter((t) => t % 10 === 0),
      arrivalsPerSecond: fine.time
        .filter((t) => t % 10 === 0)
        .map((t) => fine.arrivalsPerSecond.slice(t - 10, t).reduce((a, b) => a + b, 0) / 10),
    });
    expect(scores[0]!.rmse).toBeCloseTo(coarse.scores[0]!.rmse!, 9);
  });
});

test('the table names every model, marks the least error and gives the loss of Dynamo', async () => {
  const report = await new Outlook(options).train(telemetry(3 * DAY));
  const table = String(report);
  expect(table).toMatch(/^Walk-forward over \d+ steps of 10 s of 1 engine; \* is the least error\.\n/);
  for (const { model } of report.scores) expect(table).toContain(model);
  expect(table.match(/\*/g)!.length).toBeGreaterThanOrEqual(9);
  expect(table).toContain("loss of Dynamo's planner");
  expect(table).toMatch(/within p10..p90/);
});

test('a replay gives the forecasts of the evaluation beside what came, at the time when it came', async () => {
  const series = telemetry(3 * DAY);
  const outlook = new Outlook(options);
  const { scores } = await outlook.train(series);
  const { model, timeSeconds, forecast, outcome } = outlook.replay('arrivalsPerSecond', 300, 'last value');
  expect(model).toBe('last value');
  const at = (seconds: number) => series.arrivalsPerSecond[series.time.indexOf(seconds)];
  expect(outcome).toEqual(timeSeconds.map(at));
  expect(forecast).toEqual(timeSeconds.map((seconds) => at(seconds - 300)));
  const best = outlook.replay('arrivalsPerSecond', 300);
  const errors = best.forecast.map((value, i) => (value - best.outcome[i]!) ** 2);
  const found = scores.find((one) => one.model === best.model && one.horizonSeconds === 300)!;
  expect(Math.sqrt(errors.reduce((a, b) => a + b, 0) / errors.length)).toBeCloseTo(found.rmse!, 9);
  expect(() => outlook.replay('x', 300)).toThrow(/one of arrivalsPerSecond, .* for target/);
  expect(() => outlook.replay('arrivalsPerSecond', 20)).toThrow('one of 10, 300 for horizonSeconds');
  expect(() => outlook.replay('arrivalsPerSecond', 10, 'magic')).toThrow(/one of last value, .* for model/);
});

test('progress counts folds, and an abort ends the training with its reason', async () => {
  const seen: number[] = [];
  await new Outlook(options).train(telemetry(3 * DAY), { onProgress: ({ done, total }) => seen.push(done / total) });
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((done) => done / 8));
  const abort = new AbortController();
  const training = new Outlook(options).train(telemetry(3 * DAY), {
    signal: abort.signal,
    onProgress: () => abort.abort(new Error('enough')),
  });
  await expect(training).rejects.toThrow('enough');
});

test('wrong options and series are refused with the argument, what was expected and what came', async () => {
  expect(() => new Outlook({ horizon: 10 } as object)).toThrow(/Unknown option horizon of Outlook/);
  expect(() => new Outlook({ horizonsSeconds: [15] })).toThrow('a multiple of 10 (stepSeconds) for horizonsSeconds[0]');
  expect(() => new Outlook({ network: new Reservoir({ units: 5, inputs: 3 }) })).toThrow(/a network with 5 inputs/);
  const outlook = new Outlook(options);
  expect(() => outlook.forecast(telemetry(100))).toThrow(expect.objectContaining({ code: 'ERR_DTESN_STATE' }));
  await expect(outlook.train(telemetry(100))).rejects.toThrow(/at least \d+ steps of 10 s for series but received 10/);
  await expect(outlook.train([])).rejects.toThrow(TypeError);
  await expect(outlook.train({ time: [1, 2] })).rejects.toThrow(/a series for column arrivalsPerSecond/);
  await expect(outlook.train({ ...telemetry(100), time: [2, 1] })).rejects.toThrow(RangeError);
  await expect(outlook.train({ ...telemetry(100), arrivalsPerSecond: [1] })).rejects.toThrow(/with 10 values/);
});
