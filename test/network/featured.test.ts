/** Features against the plainest loops over states and inputs, in runs, batches, streams and other threads' handles. */
import { expect, test } from 'vitest';
import {
  DeepTreeModel,
  delays,
  type Feature,
  Featured,
  firstStates,
  Network,
  Nvar,
  nlat,
  products,
  Reservoir,
  StreamPool,
} from '../../src/index.js';

const units = 7;
const reservoir = () => new Reservoir({ units, inputs: 2, dtype: 'f64', biasScaling: 0.2, seed: 3 });
const series = Array.from({ length: 12 }, (_, t) => [Math.sin(t), Math.cos(2 * t)]);

/** Rows of states and inputs at a step, zeros before the first. */
function rowsAt(states: ArrayLike<number>, t: number) {
  const x = (ago: number) =>
    Array.from({ length: units }, (_, i) => (t - ago < 0 ? 0 : states[(t - ago) * units + i]!));
  const u = (ago: number) => (t - ago < 0 ? [0, 0] : series[t - ago]!);
  return { x, u };
}

const cases: [string, Feature, (row: ReturnType<typeof rowsAt>) => number[]][] = [
  ['states', 'states', ({ x }) => x(0)],
  ['inputs', 'inputs', ({ u }) => u(0)],
  ['squares', 'squares', ({ x }) => x(0).map((value) => value * value)],
  ['delays of inputs', delays(2), ({ u }) => [...u(1), ...u(2)]],
  ['delays with a stride', delays(2, { stride: 3 }), ({ u }) => [...u(3), ...u(6)]],
  ['delays of states', delays(2, { of: 'states', stride: 2 }), ({ x }) => [...x(2), ...x(4)]],
  [
    'given products',
    products([
      [0, 1],
      [2, 2, 6],
    ]),
    ({ x }) => [x(0)[0]! * x(0)[1]!, x(0)[2]! ** 2 * x(0)[6]!],
  ],
  ['monomials', products({ order: 2 }), ({ u }) => [u(0)[0]! ** 2, u(0)[0]! * u(0)[1]!, u(0)[1]! ** 2]],
  ['the first states', firstStates(3), ({ x }) => x(0).slice(0, 3)],
];

test.each(cases)('%s', (_, feature, expected) => {
  const network = reservoir();
  const { data: states } = network.run(series);
  const { data, cols } = new Featured({ network, features: [feature, 'inputs'] }).run(series);
  for (let t = 0; t < series.length; t++) {
    const row = rowsAt(states, t);
    const wanted = [...expected(row), ...row.u(0)];
    expect(cols).toBe(wanted.length);
    wanted.forEach((value, i) => {
      expect(data[t * cols + i]).toBeCloseTo(value, 14);
    });
  }
});

// ReservoirComputing.jl, src/states.jl, docstrings of NLAT1, NLAT2 and NLAT3, for states 0 to 9.
test.each([
  [1 as const, [0, 1, 4, 3, 16, 5, 36, 7, 64, 9]],
  [2 as const, [0, 1, 0, 3, 6, 5, 20, 7, 42, 9]],
  [3 as const, [0, 1, 3, 3, 15, 5, 35, 7, 63, 9]],
])('nlat(%i) transforms 0 to 9 as published', (version, expected) => {
  const network = new Nvar({ inputs: 1, delay: 10, order: 1, dtype: 'f64' }); // features: the last ten inputs, twice
  const counting = Array.from({ length: 10 }, (_, t) => 9 - t);
  const { data, cols } = new Featured({ network, features: [nlat(version)] }).run(counting);
  expect([...data.slice(-cols, -cols + 10)]).toEqual(expected);
});

const all: Feature[] = ['inputs', nlat(2), 'squares', delays(3), delays(1, { of: 'states' }), products()];

test.each(['f32', 'f64'] as const)('runs in pieces, batches and streams see the same features in %s', async (dtype) => {
  const network = new DeepTreeModel({ depth: 3, units: 4, inputs: 2, dtype, seed: 1 });
  const featured = new Featured({ network, features: all });
  const whole = featured.run(series);
  featured.reset();
  const pieces = [series.slice(0, 5), series.slice(5, 6), series.slice(6)].flatMap((some) => [
    ...featured.run(some).data,
  ]);
  expect(pieces).toEqual([...whole.data]);
  const near = (a: ArrayLike<number>) => {
    expect(a.length).toBe(whole.data.length);
    Array.from(a).forEach((value, i) => {
      expect(value).toBeCloseTo(whole.data[i]!, dtype === 'f32' ? 5 : 12);
    });
  };
  const [first, second] = featured.runBatch([series, series]);
  near(first!.data);
  expect(second).toEqual(first);
  const pool = new StreamPool({ model: featured, capacity: 2 });
  near(
    series.flatMap((row) => {
      pool.push('a', row);
      pool.step();
      return [...featured.featuresOf(pool.state('a'))];
    }),
  );
  featured.reset();
  const shared = (await featured.runAsync(series)).data;
  expect([...shared]).toEqual([...whole.data]);
});

test('a state holds what later features look back at', () => {
  const featured = new Featured({ network: reservoir(), features: [delays(2), delays(1, { of: 'states' })] });
  featured.run(series.slice(0, 6));
  const copy = featured.createState();
  copy.data.set(featured.state);
  expect(featured.run(series.slice(6), { state: copy })).toEqual(featured.run(series.slice(6)));
});

test('the network within may be closed, and a handle gives the same features', () => {
  const network = reservoir();
  const featured = new Featured({ network, features: all });
  const expected = featured.run(series);
  network.close();
  const other = Network.from(featured.share()) as Featured;
  expect(other.run(series)).toEqual(expected);
  expect(other.features).toEqual(all);
  const nested = new Featured({ network: other, features: ['states', 'squares'] });
  const { data, cols } = nested.run(series);
  expect(cols).toBe(2 * expected.cols);
  expect([...data.slice(0, expected.cols)]).toEqual([...expected.data.slice(0, expected.cols)]);
});

test('gates of the network within are those of the featured one', () => {
  const network = new DeepTreeModel({ depth: 2, units: 4, inputs: 2, dtype: 'f64', seed: 1 });
  const featured = new Featured({ network, features: ['states'] });
  featured.ownState.gates![1] = 0;
  const { data } = featured.run(series);
  expect([...data.slice(-4)].slice(2)).toEqual([0, 0]);
  expect(data.at(-4)).not.toBe(0);
});

test.each<[string, () => unknown, RegExp]>([
  [
    'an unknown feature',
    () => new Featured({ network: reservoir(), features: ['sqares' as 'squares'] }),
    /did you mean squares/,
  ],
  ['no features', () => new Featured({ network: reservoir(), features: [] }), /an array of features/],
  ['a state beyond the last', () => new Featured({ network: reservoir(), features: [products([[7]])] }), /below 7/],
  [
    'more first states than there are',
    () => new Featured({ network: reservoir(), features: [firstStates(8)] }),
    /below 7/,
  ],
  ['no delay', () => delays(0), /whole number from 1/],
  ['an unknown option', () => delays(1, { strides: 2 } as object), /did you mean stride/],
  ['an unknown version', () => nlat(4 as 1), /from 1 to 3 for version/],
  ...(
    [
      [{ feature: 'nlat', version: 7 }, /from 1 to 3 for version/],
      [{ feature: 'delays', count: 1, of: 'inputs', stride: -1 }, /stride/],
      [{ feature: 'monomials', of: 'inputs', order: 1.5 }, /order/],
      [{ feature: 'products', factors: [[1.5]] }, /products\[0\]/],
      [{ feature: 'first', count: 1.5 }, /count/],
      [{ feature: 'delays', count: 1_000_000, of: 'states', stride: 1 }, /at most 4194304 factors/],
    ] as const
  ).map(([feature, message]): [string, () => unknown, RegExp] => [
    `a feature that is ${JSON.stringify(feature)}`,
    () => new Featured({ network: reservoir(), features: [feature as Feature] }),
    message,
  ]),
  [
    'features without end',
    () => new Featured({ network: reservoir(), features: Array(1_000_000).fill('states') }),
    /at most 4194304 factors/,
  ],
])('refused: %s', (_, call, message) => {
  expect(call).toThrow(message);
});

test('features within features, many times, cost what they cost once', () => {
  let network: Network = reservoir();
  for (let i = 0; i < 40; i++) network = new Featured({ network, features: ['states'] });
  expect([...network.run(series).data]).toEqual([...reservoir().run(series).data]);
});
