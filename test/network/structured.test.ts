/** Permutation and Hadamard reservoirs: orthogonal up to their radius, and the products they say they are. */
import { describe, expect, test } from 'vitest';
import { DeepTreeModel, Reservoir } from '../../src/network/index.js';
import { spectralRadius } from '../../src/numeric/index.js';
import { plainRun, relativeError, sequence } from '../reference/reservoir.js';

const STEPS = 200;
const tolerance = { f32: 1e-5, f64: 1e-12 } as const;

describe.each(['f32', 'f64'] as const)('in %s', (dtype) => {
  test.each([
    ['permutation', 1],
    ['permutation', 50],
    ['permutation', 513],
    ['hadamard', 1],
    ['hadamard', 2],
    ['hadamard', 32],
    ['hadamard', 512],
  ] as const)('the states equal the plain loops over 200 steps: %s of %i units', (topology, units) => {
    const reservoir = new Reservoir({ units, inputs: 2, leak: 0.6, spectralRadius: 0.8, topology, dtype, seed: 5 });
    const series = sequence(STEPS * 2);
    const { recurrent, input, bias } = reservoir.weights();
    const weights = { units, inputs: 2, recurrent: recurrent.data, input: input.data, bias, leak: reservoir.leak };
    const wanted = plainRun(weights, series, new Float64Array(units));
    expect(relativeError(reservoir.run(series).data, wanted)).toBeLessThan(tolerance[dtype]);
  });

  test.each([
    ['permutation', 100],
    ['hadamard', 128],
  ] as const)(
    'W is its radius times an orthogonal matrix, whose every eigenvalue has that modulus: %s',
    (topology, n) => {
      const { data } = new Reservoir({ units: n, inputs: 1, spectralRadius: 0.7, topology, dtype }).weights().recurrent;
      for (let i = 0; i < n; i++) {
        for (let k = 0; k < n; k++) {
          let product = 0;
          for (let j = 0; j < n; j++) product += data[i * n + j]! * data[k * n + j]!;
          expect(Math.abs(product - (i === k ? 0.49 : 0))).toBeLessThan(dtype === 'f32' ? 1e-6 : 1e-14);
        }
      }
    },
  );
});

test.each([
  ['permutation', 300],
  ['hadamard', 256],
] as const)('the spectral radius is the one asked for: %s', (topology, units) => {
  const { recurrent } = new Reservoir({ units, inputs: 1, spectralRadius: 1.25, topology, dtype: 'f64' }).weights();
  expect(spectralRadius(recurrent) / 1.25).toBeCloseTo(1, 12);
});

test('a Hadamard product of many rows equals the exact one: unit vectors go to columns of equal modulus', () => {
  const units = 2 ** 15;
  const reservoir = new Reservoir({ units, inputs: 1, inputScaling: 0, spectralRadius: 1e-3, topology: 'hadamard' });
  reservoir.state[12_345] = 1;
  const { data } = reservoir.run([0]);
  // Σ y² is the square of the radius; tanh bends it by less than 1e-6.
  expect(Math.hypot(...data)).toBeCloseTo(1e-3, 7);
});

test('units of hadamard must be a power of two, in trees too', () => {
  const options = { units: 100, inputs: 1, topology: 'hadamard' } as const;
  expect(() => new Reservoir(options)).toThrow(
    "Expected a power of two with topology 'hadamard' for units but received 100",
  );
  expect(() => new DeepTreeModel({ ...options, depth: 1 })).toThrow(/a power of two/);
  expect(() => new Reservoir({ ...options, units: 128, density: 0.5 })).toThrow(/no density below 1/);
});

test('a batch and a tree step structured reservoirs as single series do', () => {
  for (const topology of ['permutation', 'hadamard'] as const) {
    const options = { units: 64, inputs: 1, topology, seed: 4 } as const;
    const many = [sequence(30, 1), sequence(20, 2), sequence(25, 3)];
    const batch = new Reservoir(options).runBatch(many.map((series) => [...series]));
    many.forEach((series, i) => {
      expect([...batch[i]!.data]).toEqual([...new Reservoir(options).run([...series]).data]);
    });
    const flat = new Reservoir(options).run(many[0]!).data;
    const tree = new DeepTreeModel({ ...options, depth: 1 }).run(many[0]!).data;
    expect([...tree]).toEqual([...flat]);
  }
});
