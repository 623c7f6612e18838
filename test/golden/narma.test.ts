// NARMA-10, error of a standard ESN and of a cycle reservoir: Rodan & Tino (2011), "Minimum complexity echo state network",
// IEEE Trans. Neural Networks 22(1): about 0.043 and 0.041 for 200 units.
import { expect, test } from 'vitest';
import { Reservoir, type ReservoirOptions } from '../../src/network/index.js';
import { trainReadout } from '../../src/readout/index.js';
import { sequence } from '../reference/reservoir.js';

const [TRAIN, TEST, WASHOUT] = [2000, 3000, 200];

/** y(t+1) = .3 y + .05 y Σ y(t-i) + 1.5 s(t-9) s(t) + .1 with s uniform on [0, .5]. */
function narma10(steps: number, seed: number) {
  const s = sequence(steps, seed).map((v) => 0.25 * (v + 1));
  const y = new Float64Array(steps);
  for (let t = 9; t < steps - 1; t++) {
    let sum = 0;
    for (let i = 0; i < 10; i++) sum += y[t - i]!;
    y[t + 1] = 0.3 * y[t]! + 0.05 * y[t]! * sum + 1.5 * s[t - 9]! * s[t]! + 0.1;
  }
  return { s: s.subarray(0, steps - 1), y: y.subarray(1) };
}

/** Mean squared error over the variance, on steps that were not trained on. */
function error(options: object): number {
  const { s, y } = narma10(TRAIN + TEST + 1, 4);
  let total = 0;
  for (let seed = 0; seed < 5; seed++) {
    const network = new Reservoir({ inputs: 1, dtype: 'f64', ...options, seed } as ReservoirOptions);
    const esn = trainReadout(network, s.subarray(0, TRAIN), y.subarray(0, TRAIN), { washout: WASHOUT, ridge: 1e-9 });
    const outputs = esn.run(s.subarray(TRAIN, TRAIN + TEST)).data;
    const wanted = y.subarray(TRAIN, TRAIN + TEST);
    const mean = wanted.reduce((a, b) => a + b, 0) / TEST;
    const variance = wanted.reduce((sum, v) => sum + (v - mean) ** 2, 0);
    total += wanted.reduce((sum, v, t) => sum + (v - outputs[t]!) ** 2, 0) / variance / 5;
  }
  return total;
}

const options = { inputScaling: 0.2, biasScaling: 0.5 };

test.each([
  ['dense, 200 units', { ...options, units: 200, topology: 'dense', spectralRadius: 0.95 }, 0.043],
  ['cycle, 200 units', { ...options, units: 200, topology: 'cycle', spectralRadius: 0.8 }, 0.041],
  ['permutation, 200 units', { ...options, units: 200, topology: 'permutation', spectralRadius: 0.8 }, 0.041],
  ['dense, 50 units', { ...options, units: 50, topology: 'dense', spectralRadius: 0.9 }, 0.17],
])('NARMA-10 is predicted at least as well as published: %s', (_, network, published) => {
  expect(error(network)).toBeLessThan(published);
});
