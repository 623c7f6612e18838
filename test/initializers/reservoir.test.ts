import { expect, test } from 'vitest';
import { cycle, type Initializer, uniform, weightSeeds } from '../../src/initializers/index.js';
import { Reservoir } from '../../src/network/index.js';
import { csr, matrix } from '../../src/numeric/index.js';

test('initializers make the weights that they make outside, each of a seed of its own', () => {
  const weights = {
    recurrent: uniform({ degree: 3, spectralRadius: 0.9 }),
    input: uniform({ low: -0.1, high: 0.1 }),
    bias: uniform(),
  };
  const reservoir = new Reservoir({ units: 20, inputs: 2, weights, seed: 5 });
  const seeds = weightSeeds(5);
  const given = new Reservoir({
    weights: {
      recurrent: weights.recurrent(20, 20, seeds.recurrent),
      input: weights.input(20, 2, seeds.input),
      bias: (weights.bias(20, 1, seeds.bias) as { data: Float64Array }).data,
    },
  });
  expect(reservoir.weights()).toEqual(given.weights());
  expect(reservoir.dtype).toBe('f64');
  expect(reservoir.topology).toBe('sparse');
  expect(new Set(Object.values(seeds)).size).toBe(6);
  const other = new Reservoir({ units: 20, inputs: 2, weights, seed: 6 });
  expect(other.weights().input).not.toEqual(reservoir.weights().input);
});

test('a cycle given by its initializer is the native one', () => {
  const input = matrix(7, 1, [1, -1, 1, 1, -1, 1, 1]);
  const made = new Reservoir({
    inputs: 1,
    units: 7,
    weights: { recurrent: cycle({ weight: 0.8 }), input },
    dtype: 'f64',
  });
  const native = new Reservoir({ inputs: 1, units: 7, topology: 'cycle', spectralRadius: 0.8, dtype: 'f64' });
  expect(made.weights().recurrent).toEqual(native.weights().recurrent);
});

test('any function of rows, columns and a seed is an initializer', () => {
  const calls: unknown[] = [];
  const identity: Initializer = (rows, cols, seed) => {
    calls.push([rows, cols, typeof seed]);
    return csr(rows, cols, { offsets: [0, 1, 2], columns: [0, 1], values: [0.5, 0.5] }) as ReturnType<Initializer>;
  };
  const reservoir = new Reservoir({ units: 2, inputs: 2, weights: { recurrent: identity, input: identity } });
  expect(calls).toEqual([
    [2, 2, 'number'],
    [2, 2, 'number'],
  ]);
  expect([...reservoir.weights().recurrent.data]).toEqual([0.5, 0, 0, 0.5]);
});

test('sizes come from given matrices, and are asked for where there is none', () => {
  const input = matrix(3, 1, [1, 1, 1]);
  expect(new Reservoir({ weights: { recurrent: cycle(), input } }).units).toBe(3);
  expect(() => new Reservoir({ weights: { recurrent: cycle(), input: uniform() } })).toThrow(
    'a whole number of units with initializers for units',
  );
  expect(() => new Reservoir({ units: 3, weights: { recurrent: cycle(), input: uniform() } })).toThrow('for inputs');
  expect(() => new Reservoir({ units: 4, weights: { recurrent: cycle(), input } })).toThrow(
    'weights.input with 4 x 1 elements but received 3 x 1',
  );
  const nothing = (() => undefined) as unknown as Initializer;
  expect(() => new Reservoir({ units: 3, weights: { recurrent: nothing, input } })).toThrow(
    'for weights.recurrent but received undefined',
  );
});
