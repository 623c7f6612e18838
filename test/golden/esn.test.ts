/** What an Esn reaches with its defaults on tasks of the literature; docs/esn.md states the figures. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Esn, matrix } from '../../src/index.js';
import { lorenzPoints, median } from '../reference/lorenz.js';

/** Largest Lyapunov exponent of Lorenz' system, and the time between two points. */
const [LYAPUNOV, DT] = [0.9056, 0.02];

function validTimes(esn: Esn, points: Float64Array, starts: number): number[] {
  const at = (i: number) => 5000 + 250 * i;
  const warmup = Array.from({ length: starts }, (_, i) => matrix(200, 3, points.slice(3 * at(i), 3 * (at(i) + 200))));
  const deviation = [0, 1, 2].map((d) => {
    const column = Array.from({ length: 5000 }, (_, t) => points[3 * t + d]!);
    const mean = column.reduce((sum, v) => sum + v / 5000, 0);
    return Math.sqrt(column.reduce((sum, v) => sum + (v - mean) ** 2 / 5000, 0));
  });
  return esn.forecast({ steps: 1000, warmup }).map(({ data, rows }, i) => {
    const from = 3 * (at(i) + 200);
    const isFar = (t: number) => {
      const square = deviation.reduce(
        (sum, s, d) => sum + ((data[3 * t + d]! - points[from + 3 * t + d]!) / s) ** 2,
        0,
      );
      return Math.sqrt(square / 3) > 0.4;
    };
    let t = 0;
    while (t < rows && !isFar(t)) t++;
    return t * DT * LYAPUNOV;
  });
}

// A plain prototype with QR in f64 and a ridge of 1e-14 has 15.2 Lyapunov times.
test('Lorenz: 300 units forecast 14.5 Lyapunov times or more with the defaults of a forecaster', () => {
  const points = lorenzPoints(19_000);
  const network = { units: 300, inputs: 3, spectralRadius: 0.5, leak: 0.7, inputScaling: 0.1, biasScaling: 1 };
  const times = [0, 1, 2].map((seed) => {
    const esn = new Esn({ network: { ...network, seed }, scale: 'standard', washout: 200 });
    return median(validTimes(esn.fit(points.subarray(0, 15_000)), points, 48));
  });
  expect(median(times)).toBeGreaterThan(14.5);
});

// Jaeger & Haas (2004), Science 304: log10 NRMSE84 -4.2 with 1000 units and 3000 steps.
test('Mackey-Glass 17: log10 NRMSE84 is at most -4.4', { tags: ['slow'], timeout: 240_000 }, ({ skip }) => {
  const path = fileURLToPath(new URL('../../../shared/data/mackey-glass-t17.txt', import.meta.url));
  if (!existsSync(path)) return skip('skipped: no ../shared/data/mackey-glass-t17.txt');
  const series = Float64Array.from(readFileSync(path, 'utf8').trim().split(/\s+/).map(Number));
  const network = {
    units: 1000,
    inputs: 1,
    spectralRadius: 0.95,
    leak: 0.5,
    biasScaling: 0.5,
    topology: 'dense' as const,
  };
  const esn = new Esn({ network: { ...network, seed: 0 }, washout: 1000 }).fit(series.subarray(0, 3001));
  const starts = Array.from({ length: 118 }, (_, i) => 3001 + 50 * i);
  const forecasts = esn.forecast({ steps: 84, warmup: starts.map((from) => series.slice(from, from + 1000)) });
  const mean = series.reduce((sum, v) => sum + v / series.length, 0);
  const variance = series.reduce((sum, v) => sum + (v - mean) ** 2 / series.length, 0);
  const error = forecasts.reduce((sum, { data }, i) => sum + (data[83]! - series[starts[i]! + 1083]!) ** 2 / 118, 0);
  expect(Math.log10(Math.sqrt(error / variance))).toBeLessThan(-4.4);
});

// Rodan & Tino (2011), IEEE Trans. Neural Netw. 22: NMSE 0.0425 with 200 units.
test('NARMA-10: 200 units leave at most 0.03 of the variance without tuning', () => {
  let state = 1;
  const next = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647 / 2;
  };
  const u = Array.from({ length: 6000 }, next);
  const y = new Float64Array(6000);
  for (let t = 9; t < 5999; t++) {
    let sum = 0;
    for (let i = 0; i < 10; i++) sum += y[t - i]!;
    y[t + 1] = 0.3 * y[t]! + 0.05 * y[t]! * sum + 1.5 * u[t - 9]! * u[t]! + 0.1;
  }
  const network = { units: 200, inputs: 1, inputScaling: 0.3, biasScaling: 0.3, seed: 1 };
  const esn = new Esn({ network, washout: 200 }).fit(u.slice(0, 4000), y.subarray(1, 4001));
  expect(1 - esn.score(u.slice(4000, -1), y.subarray(4001))).toBeLessThan(0.03);
});
