/** The Lorenz system by Runge and Kutta, and how long a trained network forecasts it. */

import type { Network } from '../../src/network/index.js';
import { type TrainOptions, trainForecaster } from '../../src/readout/index.js';

type Point = [number, number, number];
const DT = 0.02;
const SUBSTEPS = 4;
/** Largest Lyapunov exponent. */
const LYAPUNOV = 0.9056;
const TRAIN = 5000;
const WARM_UP = 200;
const HORIZON = 1000;
const STARTS = 48;

const flow = ([x, y, z]: Point): Point => [10 * (y - x), x * (28 - z) - y, x * y - (8 / 3) * z];
const along = (p: Point, k: Point, h: number): Point => [p[0] + h * k[0], p[1] + h * k[1], p[2] + h * k[2]];

function step(p: Point, h: number): Point {
  const a = flow(p);
  const b = flow(along(p, a, h / 2));
  const c = flow(along(p, b, h / 2));
  const d = flow(along(p, c, h));
  const sum = (i: 0 | 1 | 2) => p[i] + (h / 6) * (a[i] + 2 * b[i] + 2 * c[i] + d[i]);
  return [sum(0), sum(1), sum(2)];
}

/** Points on the attractor, DT apart: x, y, z of each. */
export function lorenzPoints(steps: number): Float64Array {
  const points = new Float64Array(3 * steps);
  let point: Point = [1, 1, 1];
  for (let t = -1000; t < steps; t++) {
    for (let s = 0; s < SUBSTEPS; s++) point = step(point, DT / SUBSTEPS);
    if (t >= 0) points.set(point, 3 * t);
  }
  return points;
}

/** Standardised by the mean and deviation of the part that networks are trained on. */
export const lorenz: Float64Array = (() => {
  const steps = TRAIN + STARTS * WARM_UP + HORIZON + WARM_UP;
  const series = lorenzPoints(steps);
  for (let d = 0; d < 3; d++) {
    let mean = 0;
    let square = 0;
    for (let t = 0; t < TRAIN; t++) mean += series[3 * t + d]! / TRAIN;
    for (let t = 0; t < TRAIN; t++) square += (series[3 * t + d]! - mean) ** 2 / TRAIN;
    for (let t = 0; t < steps; t++) series[3 * t + d] = (series[3 * t + d]! - mean) / Math.sqrt(square);
  }
  return series;
})();

/** Lyapunov times until ‖error‖ / rms(‖z‖) passes 0.4, the mean over starts. */
export function validTime(network: Network, options: TrainOptions): number {
  const trained = trainForecaster(network, lorenz.subarray(0, 3 * TRAIN), { washout: 200, ...options });
  let total = 0;
  for (let start = 0; start < STARTS; start++) {
    const from = TRAIN + start * WARM_UP;
    const at = from + WARM_UP;
    network.reset();
    trained.run(lorenz.subarray(3 * from, 3 * at));
    total += stepsUntil(trained.forecast(HORIZON).data, lorenz.subarray(3 * at));
  }
  return (total / STARTS) * DT * LYAPUNOV;
}

/** Standardised: rms(‖z‖) is √3. */
function stepsUntil(forecast: ArrayLike<number>, truth: Float64Array): number {
  for (let t = 0; t < HORIZON; t++) {
    let square = 0;
    for (let d = 0; d < 3; d++) square += (forecast[3 * t + d]! - truth[3 * t + d]!) ** 2;
    if (!(Math.sqrt(square / 3) <= 0.4)) return t;
  }
  return HORIZON;
}

export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
