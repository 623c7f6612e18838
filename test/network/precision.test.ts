/** Narrow weights: what is stored, and how far the states stray from those of f64. */
import { describe, expect, test } from 'vitest';
import { Reservoir } from '../../src/network/index.js';
import { matrix, spectralRadius } from '../../src/numeric/index.js';
import { plainRun, relativeError, sequence } from '../reference/reservoir.js';

const narrow = ['bf16', 'int8'] as const;
const STEPS = 200;

function options(units: number) {
  return { units, inputs: 1, topology: 'dense', leak: 0.7, spectralRadius: 0.9, biasScaling: 0.1, seed: 6 } as const;
}

const layouts = [
  { topology: 'dense' },
  { topology: 'block-sparse', density: 0.3, blockRows: 8 },
  { topology: 'block-sparse', density: 0.3, blockRows: 16 },
] as const;

describe.each(narrow)('%s weights', (precision) => {
  test.each(layouts.flatMap((layout) => [1, 7, 16, 65, 130].map((units) => ({ units, ...layout }))))(
    'give the states of the plain loops on the rounded weights: %o',
    (layout) => {
      const { units } = layout;
      const reservoir = new Reservoir({ ...options(units), ...layout, precision });
      const series = sequence(STEPS);
      const { recurrent, input, bias } = reservoir.weights();
      const weights = { units, inputs: 1, recurrent: recurrent.data, input: input.data, bias, leak: reservoir.leak };
      const wanted = plainRun(weights, series, new Float64Array(units));
      expect(relativeError(reservoir.run(series).data, wanted)).toBeLessThan(1e-5);
      reservoir.reset();
      const many = reservoir.runBatch(Array.from({ length: 7 }, () => series));
      for (const { data } of many) expect(relativeError(data, wanted)).toBeLessThan(1e-5);
    },
  );

  test('of a block are those of f32, rounded', () => {
    const of = (chosen: 'f32' | typeof precision) =>
      new Reservoir({ ...options(100), ...layouts[1], precision: chosen }).weights().recurrent.data;
    const [stored, wide] = [of(precision), of('f32')];
    for (let i = 0; i < 100; i++) {
      const row = wide.subarray(i * 100, (i + 1) * 100);
      const step = Math.max(...row.map(Math.abs)) / 127;
      for (let k = 0; k < 100; k++) {
        const error = Math.abs(stored[i * 100 + k]! - row[k]!);
        expect(error).toBeLessThanOrEqual(precision === 'bf16' ? Math.abs(row[k]!) / 256 : step * 0.5001);
      }
    }
  });

  test.each(['dense', 'block-sparse'] as const)('keep the spectral radius to 1e-3: %s', (topology) => {
    for (const units of [200, 400]) {
      const { recurrent } = new Reservoir({ ...options(units), topology, precision }).weights();
      expect(Math.abs(spectralRadius(recurrent) / 0.9 - 1)).toBeLessThan(1e-3);
    }
  });

  test('may be given, and are then those nearest to what was given', () => {
    const n = 40;
    const recurrent = matrix(n, n, Float32Array.from(sequence(n * n)));
    const input = matrix(n, 1, new Float32Array(n));
    const stored = new Reservoir({ weights: { recurrent, input }, precision }).weights().recurrent.data;
    for (let i = 0; i < n; i++) {
      const row = recurrent.data.subarray(i * n, (i + 1) * n);
      const step = Math.max(...row.map(Math.abs)) / 127;
      for (let k = 0; k < n; k++) {
        const error = Math.abs(stored[i * n + k]! - row[k]!);
        expect(error).toBeLessThanOrEqual(precision === 'bf16' ? Math.abs(row[k]!) / 256 : step * 0.5001);
      }
    }
  });

  test('take fewer bytes', () => {
    const bytes = new Reservoir({ ...options(256), precision }).bytes;
    expect(bytes).toBeLessThan(new Reservoir(options(256)).bytes / (precision === 'bf16' ? 1.9 : 3.5));
    const sparse = (chosen: 'f32' | typeof precision) =>
      new Reservoir({ ...options(2000), topology: 'block-sparse', precision: chosen }).bytes;
    expect(sparse(precision)).toBeLessThan(sparse('f32') / (precision === 'bf16' ? 1.85 : 3.2));
  });
});

// docs/reservoir.md states these figures.
test('over 200 steps the states of 300 units stray from those of f64 by less than 1e-6, 5e-3 and 3e-2', () => {
  const states = (precision: 'f64' | 'f32' | 'bf16' | 'int8') =>
    new Reservoir({ ...options(300), precision }).run(sequence(STEPS)).data;
  const wanted = states('f64');
  expect(relativeError(states('f32'), wanted)).toBeLessThan(1e-6);
  expect(relativeError(states('bf16'), wanted)).toBeLessThan(5e-3);
  expect(relativeError(states('int8'), wanted)).toBeLessThan(3e-2);
});

test('a NaN in the state is not lost in fixed point', () => {
  const reservoir = new Reservoir({ ...options(64), precision: 'int8' });
  reservoir.state[3] = Number.NaN;
  expect(reservoir.run([0.1]).data.every(Number.isNaN)).toBe(true);
});

test('precision names the dtype, defaults to it, and leaves the topology as it is', () => {
  expect(new Reservoir({ units: 4, inputs: 1, precision: 'f64' }).dtype).toBe('f64');
  expect(new Reservoir({ units: 4, inputs: 1, dtype: 'f64' }).precision).toBe('f64');
  const { dtype, precision, topology } = new Reservoir({ units: 300, inputs: 1, precision: 'int8' });
  expect({ dtype, precision, topology }).toEqual({ dtype: 'f32', precision: 'int8', topology: 'block-sparse' });
});

test('what a precision cannot be combined with is refused by name', () => {
  const small = { units: 8, inputs: 1 } as const;
  expect(() => new Reservoir({ ...small, precision: 'bf16', dtype: 'f64' })).toThrow(
    "Expected 'f32' with precision 'bf16' for dtype",
  );
  expect(() => new Reservoir({ ...small, precision: 'f64', dtype: 'f32' })).toThrow(/for dtype/);
  expect(() => new Reservoir({ ...small, precision: 'int8', topology: 'cycle' })).toThrow(/for topology/);
  expect(() => new Reservoir({ ...small, precision: 'int8', density: 0.5 })).toThrow(
    /'block-sparse' with .* for topology/,
  );
  const weights = { recurrent: matrix(1, 1, [0.5]), input: matrix(1, 1, [1]) };
  expect(() => new Reservoir({ weights, topology: 'sparse', precision: 'int8' })).toThrow(
    "Expected 'dense' with precision 'int8' for topology",
  );
  expect(() => new Reservoir({ ...small, precision: 'f16' as 'f32' })).toThrow(
    "Expected 'f32', 'f64', 'bf16' or 'int8' for precision",
  );
});
