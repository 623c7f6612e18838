/** Numbers are checked as they are stored, and memory that is written lies apart from what is read. */
import { describe, expect, test } from 'vitest';
import { DeepTreeModel, Es2n, EuSn, Reservoir } from '../../src/network/index.js';
import { csr, matrix } from '../../src/numeric/index.js';
import { trainForecaster } from '../../src/readout/index.js';
import { StreamPool } from '../../src/streams/index.js';
import { relativeError, sequence } from '../reference/reservoir.js';

const small = { units: 2, inputs: 1 } as const;

describe('numbers that are finite only before they are rounded to f32', () => {
  const weights = (w: number) => ({ recurrent: matrix(1, 1, [w]), input: matrix(1, 1, [1]) });
  test.each([
    ['a state', () => new Reservoir(small).reset([1e39, 0]), /state \(element 0\) but received 1e\+39/],
    ['a series', () => new Reservoir(small).run([1e39]), /series \(step 0, feature 0\)/],
    [
      'an input of a stream',
      () => new StreamPool({ model: new Reservoir(small), capacity: 1 }).push('a', [1e39]),
      /1e\+39/,
    ],
    [
      'a given weight',
      () => new Reservoir({ weights: weights(1e39), dtype: 'f32' }),
      /weights.recurrent \(element 0\)/,
    ],
    ['a given bias', () => new Reservoir({ weights: { ...weights(1), bias: [-1e39] }, dtype: 'f32' }), /weights.bias/],
    [
      'a weight of a sparse matrix',
      () => {
        const recurrent = csr(1, 1, { offsets: [0, 1], columns: [0], values: [1e39] });
        return new Reservoir({ weights: { recurrent, input: matrix(1, 1, [1]) }, dtype: 'f32' });
      },
      /weights.recurrent.values \(element 0\)/,
    ],
    ['a weight of bf16', () => new Reservoir({ weights: weights(3.4e38), precision: 'bf16' }), /finite in bf16/],
    ['the input scaling', () => new Reservoir({ ...small, inputScaling: 1e308 }), /inputScaling but received 1e\+308/],
    ['the bias scaling', () => new DeepTreeModel({ ...small, depth: 1, biasScaling: 1e39 }), /biasScaling/],
    ['the leak', () => new Reservoir({ ...small, leak: 1e-320 }), /above 0 in f32 for leak/],
    ['the proximity', () => new Es2n({ ...small, proximity: 1e-320 }), /above 0 in f32 for proximity/],
    ['the recurrent scaling', () => new EuSn({ ...small, recurrentScaling: 3e38 }), /recurrentScaling/],
    [
      'the input of differentials',
      () => new Reservoir(small).differentials(1, [Number.NaN], new Float32Array(2)),
      /input \(element 0\) but received NaN/,
    ],
  ])('%s is refused', (_name, call, message) => {
    expect(call).toThrow(message);
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' }));
  });

  test('f64 accepts the same numbers', () => {
    const reservoir = new Reservoir({ ...small, dtype: 'f64', leak: 1e-320 });
    reservoir.reset([1e39, 0]);
    expect(reservoir.state[0]).toBe(1e39);
  });
});

describe('memory that overlaps', () => {
  const reservoir = new Reservoir({ units: 3, inputs: 3 });
  const memory = new Float32Array(new SharedArrayBuffer(4 * 60));
  const apart = (from: number, length: number) => memory.subarray(from, from + length);
  const state = reservoir.createState({ data: apart(50, 3) });
  const moments = { sum: new Float64Array(3), magnitude: new Float64Array(3) };
  test.each([
    ['out and series', () => reservoir.run(apart(0, 9), { out: apart(6, 9) })],
    ['out and the state', () => reservoir.run(apart(0, 9), { out: apart(42, 9), state })],
    ['the series and the state', () => reservoir.run(apart(45, 9), { out: null, state })],
    ['both sums', () => reservoir.run(apart(0, 9), { moments: { sum: moments.sum, magnitude: moments.sum } })],
    [
      'two outs of a batch',
      () => reservoir.runBatch([apart(0, 9), apart(9, 9)], { out: [apart(20, 9), apart(20, 9)] }),
    ],
    [
      'an out and the states of a batch',
      () => reservoir.runBatch([apart(0, 9)], { out: [apart(9, 9)], states: apart(16, 3) }),
    ],
    [
      'an out and another series',
      () => reservoir.runBatch([apart(0, 9), apart(9, 9)], { out: [apart(10, 9), apart(30, 9)] }),
    ],
  ])('%s is refused', (_name, call) => {
    expect(call).toThrow(/Expected memory that does not overlap/);
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' }));
  });

  test('overlap of two buffers over the same memory is found by address', () => {
    const again = new Float32Array(structuredClone(memory.buffer), 0, 9);
    expect(() => reservoir.run(apart(0, 9), { out: again })).toThrow(/does not overlap for series and out/);
  });

  test('one series may be read many times', () => {
    expect(reservoir.runBatch([apart(0, 9), apart(0, 9)]).length).toBe(2);
  });
});

describe('arguments of another kind', () => {
  const reservoir = new Reservoir({ units: 4, inputs: 1 });
  test.each([
    ['a string for a state', () => reservoir.reset('1234' as never), /an array of numbers for state but received the/],
    ['null for options', () => reservoir.run([1], null as never), /an object for the options of run but received null/],
    ['a misspelt option', () => reservoir.run([1], { ouut: null } as never), /did you mean out/],
    [
      'an order of 0',
      () => reservoir.differentials(0, [1], new Float32Array(4)),
      /from 1 to 10 for order but received 0/,
    ],
    ['an order of 11', () => reservoir.differentials(11, [1], new Float32Array(4)), /order but received 11/],
    [
      'an order beyond 2^32',
      () => reservoir.differentials(2 ** 32 + 3, [1], new Float32Array(4)),
      /order but received 4294967299/,
    ],
  ])('%s is named', (_name, call, message) => expect(call).toThrow(message));

  test('a progress listener that throws stops the run, which rejects once with its error', async () => {
    const network = new Reservoir({ units: 300, inputs: 1, topology: 'dense' });
    let calls = 0;
    const run = network.runAsync([...sequence(300_000)], {
      out: null,
      onProgress: () => {
        calls++;
        throw new Error('of the listener');
      },
    });
    await expect(run).rejects.toThrow('of the listener');
    expect(calls).toBe(1);
    expect(network.run([1]).rows).toBe(1);
  });
});

describe('streams', () => {
  test('more steps than the ring has are an error and begin no stream', () => {
    const pool = new StreamPool({ model: new Reservoir(small), capacity: 2, ring: 3 });
    expect(() => pool.push('a', [1, 2, 3, 4])).toThrow(
      /at most 3 steps \(ring of this pool\) for series but received 4/,
    );
    expect(pool.size).toBe(0);
    expect(() => pool.push('a', [Number.NaN])).toThrow();
    expect(pool.size).toBe(0);
  });

  test('a forged list gives a stream one step a call, and counts stay at 0 or above', () => {
    const pool = new StreamPool({ model: new Reservoir(small), capacity: 4 });
    pool.push('a', [1]);
    pool.push('b', [1]);
    pool.arena.view('ready').fill(0);
    pool.step();
    expect(Math.min(...pool.arena.view('counts'))).toBe(0);
    pool.arena.view('counts').fill(-7);
    expect(pool.push('a', [1])).toBe(true);
    expect(pool.arena.view('counts')[0]).toBe(1);
  });
});

// x' = -x + W x + w: F of the tall trees is A^(n-1) (A x + w) with A = W - I, F of every other tree is 0.
test('the differentials of a linear reservoir are those of a linear flow', () => {
  const [a, b, c, d] = [0.3, -0.2, 0.5, 0.1] as const;
  const reservoir = new Reservoir({
    weights: { recurrent: matrix(2, 2, [a, b, c, d]), input: matrix(2, 1, [1, 0.5]) },
    activation: 'identity',
  });
  reservoir.reset([0.4, -0.7]);
  const out = new Float64Array(4 * 2);
  reservoir.differentials(3, [2], out);
  const flow = ([x, y]: [number, number], w: [number, number]): [number, number] => [
    (a - 1) * x + b * y + w[0],
    c * x + (d - 1) * y + w[1],
  ];
  const first = flow([0.4, -0.7], [2, 1]);
  const second = flow(first, [0, 0]);
  const third = flow(second, [0, 0]);
  expect(relativeError(out, [...first, ...second, ...third, 0, 0])).toBeLessThan(1e-14);
});

// One Euler step of the flow is one step of the network: x(t+1) = x(t) + h F(one node), with h the leak, β or ε.
test('the first differential times the rate is one step of every kind', () => {
  const base = { units: 12, inputs: 1, dtype: 'f64', seed: 3 } as const;
  for (const [network, rate] of [
    [new Reservoir({ ...base, leak: 0.4, activation: 'softplus' }), 0.4],
    [new Es2n({ ...base, proximity: 0.3 }), 0.3],
    [new EuSn({ ...base, step: 0.2, diffusion: 0.1 }), 0.2],
  ] as const) {
    network.reset(sequence(12, 5));
    const before = [...network.state];
    const field = new Float64Array(12);
    network.differentials(1, [0.7], field);
    network.run([0.7], { out: null });
    const wanted = before.map((x, i) => x + rate * field[i]!);
    expect(relativeError(network.state, wanted)).toBeLessThan(1e-13);
  }
});

test('a forecast after a reset is refused, and so are unknown options', () => {
  const network = new Reservoir({ units: 30, inputs: 1, dtype: 'f64' });
  const trained = trainForecaster(
    network,
    Float64Array.from({ length: 200 }, (_, t) => Math.sin(t / 4)),
  );
  expect(trained.forecast(3).rows).toBe(3);
  expect(() => trained.forecast(1, { inputs: [] } as never)).toThrow(/Unknown option inputs of forecast/);
  network.reset();
  expect(() => trained.forecast(1)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_STATE' }));
});

test('a progress listener that returns a rejecting promise stops the run and is its one rejection', async () => {
  const network = new Reservoir({ units: 200, inputs: 1 });
  const series = new Float32Array(new SharedArrayBuffer(4 * 200_000));
  const onProgress = () => Promise.reject(new Error('the listener failed')) as unknown as undefined;
  await expect(network.runAsync(series, { out: null, onProgress })).rejects.toThrow('the listener failed');
  expect(network.ownState.busy).toBe(false);
});
