/** FORCE against its law in the plainest loops, and a pattern that the loop keeps by itself. */
import { expect, test } from 'vitest';
import { Esn, LeastMeanSquares, RecursiveLeastSquares, Reservoir } from '../../src/index.js';

const network = { units: 100, inputs: 1, spectralRadius: 1.2, leak: 0.3, inputScaling: 1, biasScaling: 0.2, seed: 3 };
const pattern = (t: number) => Math.sin(t / 8) + 0.5 * Math.sin(t / 4);
const targets = Array.from({ length: 3000 }, (_, t) => pattern(t));

test('each output is fed back before its target is learned', () => {
  const units = 10;
  const small = { ...network, units };
  const esn = new Esn({ network: small, features: ['states'], readout: new LeastMeanSquares({ learningRate: 0.1 }) });
  const outputs = esn.force(targets.slice(0, 30)).data;
  const reservoir = new Reservoir({ ...small, dtype: 'f64' });
  const w = new Float64Array(units);
  let [b, y] = [0, 0];
  for (let t = 0; t < 30; t++) {
    const x = reservoir.run([y]).data as Float64Array;
    y = x.reduce((sum, value, i) => sum + value * w[i]!, b);
    expect(outputs[t]).toBeCloseTo(y, 12);
    const e = y - targets[t]!;
    x.forEach((value, i) => {
      w[i] = w[i]! - 0.1 * e * value;
    });
    b -= 0.1 * e;
  }
});

test('a loop that was forced keeps its pattern by itself', () => {
  const esn = new Esn({ network, readout: new RecursiveLeastSquares({ ridge: 1, intercept: false }) });
  const before = esn.force(targets).data;
  expect(Math.abs(before[2999]! - targets[2999]!)).toBeLessThan(0.05);
  const { data } = esn.forecast({ steps: 100 });
  data.forEach((value, i) => {
    expect(Math.abs(value - pattern(2999 + i))).toBeLessThan(0.15);
  });
});

test('known inputs beyond the outputs are given; a Ridge is refused', () => {
  const esn = new Esn({ network: { ...network, inputs: 2 }, readout: new RecursiveLeastSquares() });
  expect(esn.force(targets.slice(0, 20), { inputs: targets.slice(1, 21) }).rows).toBe(20);
  expect(() => esn.force(targets.slice(0, 20))).toThrow(/inputs with 1 columns/);
  expect(() => new Esn({ network }).force(targets)).toThrow(/a RecursiveLeastSquares or LeastMeanSquares/);
});
