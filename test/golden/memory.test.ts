// Memory of linear reservoirs, whose theory is exact; and of the narrow precisions beside f64.
import { describe, expect, test } from 'vitest';
import { Reservoir } from '../../src/network/index.js';
import { matrix } from '../../src/numeric/index.js';
import { Ridge, trainReadout } from '../../src/readout/index.js';
import { sequence } from '../reference/reservoir.js';

/**
 * White noise u in, x(t) = Σ W^k V u(t-k): its covariance is G = Σ s_k s_k' with s_k = W^k V, the states after an impulse.
 * Regressing "1 at row k" on those states gives the weights G^-1 s_k, whose output at row k is MC_k = s_k' G^-1 s_k.
 */
function memory(units: number, radius: number, delays: number): number[] {
  const recurrent = matrix(units, units, new Float64Array(units ** 2));
  for (let i = 0; i < units; i++) recurrent.data[i * units + ((i + units - 1) % units)] = radius;
  const input = matrix(units, 1, sequence(units, 5));
  const ring = new Reservoir({ weights: { recurrent, input }, activation: 'identity', dtype: 'f64' });
  const steps = Math.ceil(Math.log(1e-17) / Math.log(radius)) + delays;
  const states = ring.run(Float64Array.from({ length: steps }, (_, t) => (t === 0 ? 1 : 0)));
  const targets = matrix(steps, delays);
  for (let k = 0; k < delays; k++) targets.data[k * delays + k] = 1;
  const sums = new Ridge({ states: units, outputs: delays, ridge: 0, intercept: false });
  sums.add(states, targets);
  const outputs = sums.solve().apply(states).data;
  return Array.from({ length: delays }, (_, k) => outputs[k * delays + k]!);
}

// Rodan & Tino (2011): MC_k = (1 - r^2N) r^(2N floor(k/N)); the sum over k >= 1 is N - (1 - r^2N).
describe('a linear cycle reservoir remembers exactly what theory says', () => {
  test.each([
    [5, 0.9, 4.3486784401],
    [20, 0.9, 19.0147808829],
    [50, 0.98, 49.1326195559],
  ])('a linear cycle of %i units with weight %d has memory capacity %d', (units, radius, wanted) => {
    const delays = Math.ceil((units * Math.log(1e-14)) / (2 * units * Math.log(radius)) / units + 1) * units;
    const capacities = memory(units, radius, delays);
    capacities.forEach((capacity, k) => {
      const theory = (1 - radius ** (2 * units)) * radius ** (2 * units * Math.floor(k / units));
      expect(Math.abs(capacity - theory)).toBeLessThan(1e-11);
    });
    const total = capacities.slice(1).reduce((a, b) => a + b, 0);
    expect(total).toBeCloseTo(wanted, 8);
  });
});

/** Σ r² of delays 1 to 100 on steps that were not trained on. */
function measuredMemory(precision: 'f64' | 'f32' | 'bf16' | 'int8', seed: number): number {
  const [steps, trained, delays] = [6000, 5000, 100];
  const options = { units: 100, inputs: 1, spectralRadius: 0.95, inputScaling: 0.1, topology: 'dense' } as const;
  const noise = sequence(steps, 9).map((v) => 0.8 * v);
  const targets = matrix(steps, delays);
  for (let t = 0; t < steps; t++) {
    for (let k = 0; k < delays; k++) targets.data[t * delays + k] = noise[Math.max(0, t - 1 - k)]!;
  }
  const network = new Reservoir({ ...options, precision, seed });
  const known = matrix(trained, delays, targets.data.subarray(0, trained * delays));
  const esn = trainReadout(network, noise.subarray(0, trained), known, { washout: 1000, inputs: false });
  const outputs = esn.run(noise.subarray(trained)).data;
  let total = 0;
  for (let k = 0; k < delays; k++) {
    let [xy, xx, yy, x, y] = [0, 0, 0, 0, 0];
    const n = steps - trained;
    for (let t = 0; t < n; t++) {
      const a = outputs[t * delays + k]!;
      const b = targets.data[(trained + t) * delays + k]!;
      [xy, xx, yy, x, y] = [xy + a * b, xx + a * a, yy + b * b, x + a, y + b];
    }
    total += (n * xy - x * y) ** 2 / ((n * xx - x * x) * (n * yy - y * y));
  }
  return total;
}

test('the memory of narrow weights is within 1 % of that of f64 weights', () => {
  const mean = (precision: Parameters<typeof measuredMemory>[0]) =>
    [0, 1, 2, 3].reduce((sum, seed) => sum + measuredMemory(precision, seed) / 4, 0);
  const exact = mean('f64');
  for (const precision of ['f32', 'bf16', 'int8'] as const)
    expect(Math.abs(mean(precision) / exact - 1)).toBeLessThan(0.01);
});
