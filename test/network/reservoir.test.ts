import { describe, expect, test } from 'vitest';
import { Reservoir } from '../../src/network/index.js';
import { matrix, spectralRadius } from '../../src/numeric/index.js';
import { plainRun, relativeError, sequence } from '../reference/reservoir.js';

const STEPS = 200;
const topologies = ['dense', 'sparse', 'block-sparse', 'cycle'] as const;
const tolerance = { f32: 1e-5, f64: 1e-12 } as const;

function wanted(reservoir: Reservoir, series: ArrayLike<number>, state = new Float64Array(reservoir.units)) {
  const { recurrent, input, bias } = reservoir.weights();
  const { units, inputs, leak } = reservoir;
  return plainRun({ units, inputs, recurrent: recurrent.data, input: input.data, bias, leak }, series, state);
}

describe.each(['f32', 'f64'] as const)('a drawn reservoir in %s', (dtype) => {
  test.each(topologies)('equals the plain loops over 200 steps: %s, leak a number and one a unit', (topology) => {
    for (const units of [1, 7, 16, 33, 100]) {
      for (const leak of [0.3, 1, Array.from({ length: units }, (_, i) => (i + 1) / units)]) {
        const options = { units, inputs: 3, leak, spectralRadius: 0.8, biasScaling: 0.2, topology, dtype, seed: 11 };
        const reservoir = new Reservoir(options);
        const series = sequence(STEPS * 3);
        const states = reservoir.run(Array.from({ length: STEPS }, (_, t) => [...series.subarray(3 * t, 3 * t + 3)]));
        expect(relativeError(states.data, wanted(reservoir, series))).toBeLessThan(tolerance[dtype]);
        expect([...reservoir.state]).toEqual([...states.data.subarray(-units)]);
      }
    }
  });

  test.each(topologies)('has the requested spectral radius to 1e-3: %s', (topology) => {
    for (const [units, radius] of [
      [40, 0.9],
      [150, 1.25],
      [300, 0.5],
    ] as const) {
      const reservoir = new Reservoir({ units, inputs: 1, spectralRadius: radius, topology, dtype, seed: 3 });
      expect(Math.abs(spectralRadius(reservoir.weights().recurrent) / radius - 1)).toBeLessThan(1e-3);
    }
  });
});

test('a run over a whole series equals runs over its parts', () => {
  const whole = new Reservoir({ units: 50, inputs: 2, seed: 5, dtype: 'f64' });
  const parts = new Reservoir({ units: 50, inputs: 2, seed: 5, dtype: 'f64' });
  const series = sequence(60);
  const states = whole.run(series);
  parts.run(series.subarray(0, 22));
  const rest = parts.run(series.subarray(22));
  expect([...rest.data]).toEqual([...states.data.subarray(11 * 50)]);
});

// Weights are read to and fro, so a run after an odd number of steps begins at the other end.
test.each([
  { topology: 'dense' },
  { topology: 'dense', dtype: 'f64' },
  { topology: 'dense', precision: 'bf16' },
  { topology: 'dense', precision: 'int8' },
  { topology: 'block-sparse' },
  { topology: 'block-sparse', blockRows: 16 },
  { topology: 'block-sparse', precision: 'int8' },
] as const)('the states are the same from whichever end the weights are read: %o', (layout) => {
  const series = [...sequence(5)];
  for (const units of [100, 200, 330]) {
    const reservoir = new Reservoir({ units, inputs: 1, seed: 4, ...layout });
    const first = reservoir.run(series).data;
    reservoir.reset();
    expect(reservoir.run(series).data).toEqual(first);
    const one = reservoir.runBatch([series])[0]!.data;
    expect(reservoir.runBatch([series.slice(0, 3)])[0]!.data).toEqual(one.slice(0, 3 * units));
    expect(reservoir.runBatch([series])[0]!.data).toEqual(one);
  }
});

test('a density is the share of places in each row', () => {
  for (const topology of ['sparse', 'block-sparse'] as const) {
    const { recurrent } = new Reservoir({ units: 128, inputs: 1, topology, density: 0.25 }).weights();
    for (let i = 0; i < 128; i++) {
      const row = recurrent.data.subarray(i * 128, (i + 1) * 128);
      expect(row.filter((w) => w !== 0).length).toBe(32);
    }
  }
});

test('eight consecutive rows of a block-sparse matrix share their columns', () => {
  const { recurrent } = new Reservoir({ units: 64, inputs: 1, topology: 'block-sparse', density: 0.2 }).weights();
  const columns = (i: number) =>
    [...recurrent.data.subarray(i * 64, i * 64 + 64).keys()].filter((k) => recurrent.data[i * 64 + k] !== 0);
  for (let i = 0; i < 64; i++) expect(columns(i)).toEqual(columns(i - (i % 8)));
});

test('the same seed gives the same weights, another seed others, and f64 draws what f32 draws', () => {
  const weights = (seed: number, dtype: 'f32' | 'f64') => {
    const { input } = new Reservoir({ units: 20, inputs: 2, seed, dtype }).weights();
    return [...input.data];
  };
  expect(weights(7, 'f32')).toEqual(weights(7, 'f32'));
  expect(weights(7, 'f32')).not.toEqual(weights(8, 'f32'));
  expect(weights(7, 'f64')).toEqual(weights(7, 'f32'));
});

describe('given weights', () => {
  test('with the identity as W: the state adds up and saturates (analytic)', () => {
    const reservoir = new Reservoir({
      weights: { recurrent: matrix(2, 2, [1, 0, 0, 1]), input: matrix(2, 1, [1, 0.5]) },
    });
    const states = reservoir.run([1, 1]);
    const a1 = Math.tanh(1);
    const b1 = Math.tanh(0.5);
    expect(relativeError(states.data, [a1, b1, Math.tanh(a1 + 1), Math.tanh(b1 + 0.5)])).toBeLessThan(1e-15);
  });

  test('a bias of 1 on zero input gives tanh(1) first (analytic)', () => {
    const reservoir = new Reservoir({
      weights: { recurrent: matrix(1, 1, [0.5]), input: matrix(1, 1, [1]), bias: [1] },
    });
    expect(reservoir.run([0]).data[0]).toBeCloseTo(Math.tanh(1), 15);
  });

  test('identity activation is the linear reservoir: memory of an impulse decays as r^k (analytic)', () => {
    const reservoir = new Reservoir({
      weights: { recurrent: matrix(1, 1, [0.9]), input: matrix(1, 1, [1]) },
      activation: 'identity',
    });
    const { data } = reservoir.run([1, 0, 0, 0]);
    expect(relativeError(data, [1, 0.9, 0.81, 0.729])).toBeLessThan(1e-15);
  });

  test('given weights give the same states stored sparse and stored dense', () => {
    const n = 30;
    const recurrent = matrix(
      n,
      n,
      Float64Array.from(sequence(n * n), (w) => (Math.abs(w) < 0.8 ? 0 : 0.3 * w)),
    );
    const input = matrix(n, 1, sequence(n, 9));
    const dense = new Reservoir({ weights: { recurrent, input } }).run(sequence(50));
    const sparse = new Reservoir({ weights: { recurrent, input }, topology: 'sparse' }).run(sequence(50));
    expect(relativeError(sparse.data, dense.data)).toBeLessThan(1e-13);
  });
});

describe('an asynchronous run', () => {
  test('gives what the synchronous one gives', async () => {
    const options = { units: 60, inputs: 1, seed: 2 } as const;
    const series = [...sequence(500)];
    const wantedStates = new Reservoir(options).run(series);
    const reservoir = new Reservoir(options);
    const states = await reservoir.runAsync(series);
    expect([...states.data]).toEqual([...wantedStates.data]);
    expect([...reservoir.state]).toEqual([...wantedStates.data.subarray(-60)]);
  });

  test('is refused while another is under way, and the object stays usable', async () => {
    const reservoir = new Reservoir({ units: 200, inputs: 1 });
    const first = reservoir.runAsync([...sequence(5000)], { out: null });
    expect(() => reservoir.run([1])).toThrow(/runAsync is under way/);
    expect(() => reservoir.reset()).toThrow(/runAsync is under way/);
    expect(() => reservoir.weights()).toThrow(/runAsync is under way/);
    await first;
    expect(reservoir.run([1]).rows).toBe(1);
  });

  test('stops on abort with the reason of the signal, and the object stays usable', async () => {
    const reservoir = new Reservoir({ units: 1000, inputs: 1, topology: 'dense' });
    const abort = new AbortController();
    const reason = new Error('enough');
    const run = reservoir.runAsync([...sequence(200_000)], { out: null, signal: abort.signal });
    setTimeout(() => abort.abort(reason), 20);
    await expect(run).rejects.toBe(reason);
    await expect(reservoir.runAsync([1], { signal: abort.signal })).rejects.toBe(reason);
    expect(reservoir.run([1]).rows).toBe(1);
  });

  test('reports progress up to the last step', async () => {
    const seen: number[] = [];
    const reservoir = new Reservoir({ units: 10, inputs: 1 });
    await reservoir.runAsync([...sequence(1000)], { onProgress: ({ done }) => seen.push(done) });
    expect(seen.at(-1)).toBe(1000);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});

describe('memory', () => {
  test('a series and an out of the right kind are not copied', () => {
    const reservoir = new Reservoir({ units: 4, inputs: 1 });
    const out = new Float32Array(new SharedArrayBuffer(64), 16, 12);
    const states = reservoir.run(new Float32Array([1, 2, 3]), { out });
    expect(states.data).toBe(out);
    expect(out[0]).not.toBe(0);
  });

  test('a run without out allocates nothing that grows with the series', () => {
    const reservoir = new Reservoir({ units: 64, inputs: 8 });
    const series = new Float32Array(8 * 400_000).fill(0.1);
    reservoir.run(series.subarray(0, 8), { out: null });
    const before = process.memoryUsage();
    reservoir.run(series, { out: null });
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(100_000);
    expect(after.rss - before.rss).toBeLessThan(4_000_000);
  });
});
