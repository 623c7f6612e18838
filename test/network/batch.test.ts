import { afterAll, describe, expect, test } from 'vitest';
import { setThreads, threadCount } from '../../src/native/index.js';
import { DeepTreeModel, Reservoir } from '../../src/network/index.js';
import { relativeError, sequence } from '../reference/reservoir.js';

afterAll(() => setThreads(2));

// Enough that steps have groups of sixteen side by side, full, nearly full and nearly empty.
const lengths = Array.from({ length: 61 }, (_, i) => (i * 17) % 31);
const seriesOf = (inputs: number, dtype: 'f32' | 'f64') =>
  lengths.map((steps, i) =>
    dtype === 'f32' ? Float32Array.from(sequence(steps * inputs, i + 1)) : sequence(steps * inputs, i + 1),
  );

const networks = (dtype: 'f32' | 'f64') => {
  const options = { inputs: 2, leak: 0.7, biasScaling: 0.1, seed: 3, dtype };
  const reservoir = (topology: 'dense' | 'sparse' | 'block-sparse' | 'cycle', units: number) =>
    [`${topology} ${units}`, () => new Reservoir({ ...options, units, topology })] as const;
  const tree = (update: 'parentFirst' | 'synchronous') =>
    [
      `deep tree ${update}`,
      () => new DeepTreeModel({ ...options, units: 90, depth: 4, update, feedback: 0.3 }),
    ] as const;
  return [
    ...[5, 70, 131].flatMap((units) =>
      (['dense', 'sparse', 'block-sparse', 'cycle'] as const).map((t) => reservoir(t, units)),
    ),
    ...(dtype === 'f32' ? (['bf16', 'int8'] as const) : []).flatMap((precision) =>
      ([8, 16] as const).map(
        (blockRows) =>
          [
            `${precision} in blocks of ${blockRows}`,
            () => new Reservoir({ ...options, units: 131, topology: 'block-sparse', precision, blockRows }),
          ] as const,
      ),
    ),
    tree('parentFirst'),
    tree('synchronous'),
  ];
};

describe.each(['f32', 'f64'] as const)('runBatch in %s', (dtype) => {
  test.each(networks(dtype))('each series of a batch has the features of its own run: %s', (_name, make) => {
    const series = seriesOf(2, dtype);
    const batch = make().runBatch(series);
    for (const [i, one] of series.entries()) {
      const wanted = make().run(one);
      expect(batch[i]!.rows).toBe(lengths[i]);
      expect(relativeError(batch[i]!.data, wanted.data)).toBeLessThan(dtype === 'f32' ? 1e-5 : 1e-12);
    }
  });

  test.each(networks(dtype))(
    'the bits are the same on any number of threads and in batches of any size: %s',
    (_name, make) => {
      const network = make();
      const bits = [1, 2, 3, 5].map((threads) => {
        setThreads(threads);
        return network.runBatch(seriesOf(2, dtype)).map(({ data }) => [...data]);
      });
      const alone = seriesOf(2, dtype).map((series) => [...make().runBatch([series])[0]!.data]);
      for (const other of [...bits, alone]) expect(other).toEqual(bits[0]);
    },
  );
});

test('start states are taken from `states`, which holds the last ones afterwards', () => {
  const options = { units: 20, inputs: 1, seed: 1, dtype: 'f64' } as const;
  const reservoir = new Reservoir(options);
  const states = sequence(40, 9);
  const starts = Float64Array.from(states);
  const series = [sequence(7, 1), sequence(3, 2)];
  const batch = reservoir.runBatch(series, { states });
  for (const [i, one] of series.entries()) {
    const alone = new Reservoir(options);
    alone.reset(starts.subarray(20 * i, 20 * i + 20));
    expect(relativeError(batch[i]!.data, alone.run(one).data)).toBeLessThan(1e-13);
    expect([...states.subarray(20 * i, 20 * i + 20)]).toEqual([...batch[i]!.data.subarray(-20)]);
  }
  expect([...reservoir.state]).toEqual(new Array(20).fill(0));
});

test('closed gates hold their membranes in a batch as they do in a run', () => {
  const make = () => new DeepTreeModel({ units: 40, depth: 3, inputs: 1, feedback: 0.2, dtype: 'f64' });
  const [a, b] = [make(), make()];
  a.gates[2] = 0;
  b.gates[2] = 0;
  expect(relativeError(a.runBatch([sequence(20)])[0]!.data, b.run(sequence(20)).data)).toBeLessThan(1e-13);
});

describe('arguments', () => {
  const reservoir = new Reservoir({ units: 4, inputs: 2 });
  test.each([
    ['no array', 7, {}, /an array of series for series but received 7/],
    ['a series of other features', [new Float32Array(2), new Float32Array(3)], {}, /series\[1\] with 2 features/],
    ['NaN inside', [[[NaN, 0]]], {}, /series\[0\] \(step 0, feature 0\)/],
    ['out of another length', [[[1, 2]]], { out: [] }, /out with 1 elements/],
    ['out that does not fit', [[[1, 2]]], { out: [new Float32Array(3)] }, /out with 4 elements/],
    [
      'states that do not fit',
      [[[1, 2]]],
      { states: new Float32Array(3) },
      /states with 4 elements \(series x units\)/,
    ],
    ['states of another dtype', [[[1, 2]]], { states: new Float64Array(4) }, /Float32Array for states/],
  ])('a batch with %s is refused', (_name, series, options, message) => {
    expect(() => reservoir.runBatch(series as never, options as never)).toThrow(message);
  });

  test('a batch of no series gives no results', () => expect(reservoir.runBatch([])).toEqual([]));

  test('setThreads returns the number of threads', () => {
    for (const threads of [3, 1, 2]) {
      expect(setThreads(threads)).toBe(threads);
      expect(threadCount()).toBe(threads);
    }
  });

  test.each([0, -1, 1.5, NaN, 1025, '2', undefined])('setThreads(%s) is refused', (threads) => {
    expect(() => setThreads(threads as never)).toThrow(/whole number from 1 to 1024 for threads/);
  });
});
