/** Initializers of Deep Trees, Es2n and EuSn: what they are called with, and the plain networks of what they make. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Esn } from '../../src/esn/index.js';
import {
  cycle,
  type DenseInitializer,
  type Initializer,
  normal,
  orthogonal,
  uniform,
  weightSeeds,
} from '../../src/initializers/index.js';
import { DeepTreeModel, Es2n, EuSn, Network } from '../../src/network/index.js';
import { csr, type Matrix, matrix } from '../../src/numeric/index.js';
import { plainEs2n, plainEuSn } from '../reference/network.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-initializers-'));
afterAll(() => rmSync(folder, { recursive: true }));

const series = Float64Array.from({ length: 60 }, (_, i) => Math.sin(i / 4) / 2);
const dense = (initializer: Initializer, rows: number, cols: number, seed: number) =>
  (initializer as DenseInitializer)(rows, cols, seed).data;

function near(found: ArrayLike<number>, wanted: ArrayLike<number>) {
  expect(found.length).toBe(wanted.length);
  expect(Math.max(...Array.from(wanted, (value, i) => Math.abs(value - found[i]!)))).toBeLessThan(1e-13);
}

/** An Esn of the network and the same one of its file. */
async function reopened(network: Network): Promise<[Esn, Esn]> {
  const esn = new Esn({ network, readout: { ridge: 1e-6 } }).fit(matrix(30, 2, series));
  const file = path.join(folder, 'model');
  await esn.save(file);
  return [esn, await Esn.load(file)];
}

/** What each initializer was called with. */
function recorded(calls: unknown[], name: string, initializer: Initializer = uniform()): Initializer {
  return (rows, cols, seed) => {
    calls.push([name, rows, cols, seed]);
    return initializer(rows, cols, seed);
  };
}

describe('weightSeeds', () => {
  test('begin as they always did, and differ between weights and membranes', () => {
    const all = [0, 1, 2].flatMap((membrane) => Object.values(weightSeeds(5, membrane)));
    expect(new Set(all).size).toBe(18);
    expect(weightSeeds(5)).toEqual(weightSeeds(5, 0));
    expect(() => weightSeeds(5, -1)).toThrow('for membrane');
    expect(() => weightSeeds(0.5)).toThrow('for seed');
  });
});

describe('a Deep Tree', () => {
  const sizes = { parents: [null, 0, 0], units: [4, 3, 2], inputs: 2, dtype: 'f64', seed: 7 } as const;
  const options = { ...sizes, parents: [...sizes.parents], units: [...sizes.units] };

  test('calls each initializer once a membrane, with its sizes and a seed of its own', () => {
    const calls: unknown[] = [];
    const names = ['recurrent', 'input', 'bias', 'coupling', 'feedback'] as const;
    const weights = Object.fromEntries(names.map((name) => [name, recorded(calls, name)]));
    new DeepTreeModel({ ...options, weights, feedback: 0.5, inputTo: 'skin' });
    const [root, left, right] = [0, 1, 2].map((membrane) => weightSeeds(7, membrane));
    expect(calls).toEqual([
      ['recurrent', 4, 4, root!.recurrent],
      ['input', 4, 2, root!.input],
      ['bias', 4, 1, root!.bias],
      ['recurrent', 3, 3, left!.recurrent],
      ['bias', 3, 1, left!.bias],
      ['coupling', 3, 4, left!.coupling],
      ['feedback', 4, 3, left!.feedback],
      ['recurrent', 2, 2, right!.recurrent],
      ['bias', 2, 1, right!.bias],
      ['coupling', 2, 4, right!.coupling],
      ['feedback', 4, 2, right!.feedback],
    ]);
  });

  test('has the weights that they make, blocks times their scale', () => {
    const weights = { recurrent: uniform(), input: normal(), bias: uniform(), coupling: normal(), feedback: uniform() };
    const tree = new DeepTreeModel({ ...options, weights, coupling: 0.5, feedback: 0.25, inputTo: 'all' });
    for (const { index, units, parent } of tree.membranes) {
      const seeds = weightSeeds(7, index);
      const found = tree.weights(index);
      expect([...found.recurrent.data]).toEqual([...dense(weights.recurrent, units, units, seeds.recurrent)]);
      expect([...found.input.data]).toEqual([...dense(weights.input, units, 2, seeds.input)]);
      expect([...found.bias]).toEqual([...dense(weights.bias, units, 1, seeds.bias)]);
      if (parent === null) continue;
      near(
        found.coupling.data,
        dense(weights.coupling, units, 4, seeds.coupling).map((w) => 0.5 * w),
      );
      near(
        found.feedback.data,
        dense(weights.feedback, 4, units, seeds.feedback).map((w) => 0.25 * w),
      );
    }
  });

  test('runs as the plain loops over what they make', () => {
    const weights = { recurrent: uniform({ low: -0.5, high: 0.5 }), coupling: cycleOf, feedback: uniform() };
    const tree = new DeepTreeModel({ ...options, weights, feedback: 0.25, leak: [0.5, 1], biasScaling: 0.1 });
    near(tree.run(series).data, plainTree(tree, series));
  });

  test('takes one initializer for each level or membrane, and draws what none is given for', () => {
    const each = [cycle({ weight: 0.5 }), uniform(), cycle({ weight: 0.25 })];
    const tree = new DeepTreeModel({ ...options, weights: { recurrent: each } });
    const drawn = new DeepTreeModel(options);
    expect([...tree.weights(2).recurrent.data]).toEqual([0, 0.25, 0.25, 0]);
    expect(tree.weights(1).coupling).toEqual(drawn.weights(1).coupling);
    expect(tree.weights(0).input).toEqual(drawn.weights(0).input);
    const byLevel = new DeepTreeModel({ ...options, weights: { recurrent: each.slice(0, 2) } });
    expect(byLevel.weights(2).recurrent.data).toEqual(dense(uniform(), 2, 2, weightSeeds(7, 2).recurrent));
    expect(tree.membranes.map(({ spectralRadius, topology }) => [spectralRadius, topology])).toEqual([
      [null, 'dense'],
      [null, 'dense'],
      [null, 'dense'],
    ]);
    expect(drawn.membranes[0]!.spectralRadius).toBe(0.9);
    expect(tree.stability().effectiveRadius).toBeGreaterThan(0.49);
  });

  test('of the default dtype stores them in f32, sparse ones as their non-zeros', () => {
    const tree = new DeepTreeModel({ depth: 3, units: 40, inputs: 2, weights: { recurrent: uniform({ degree: 2 }) } });
    expect(tree.dtype).toBe('f32');
    expect(tree.membranes[0]!.topology).toBe('sparse');
    expect(tree.weights(0).recurrent.data.filter((w: number) => w !== 0).length).toBe(2 * tree.membranes[0]!.units);
  });

  test('is saved and loaded to the last bit, and shared', async () => {
    const weights = {
      recurrent: [uniform({ low: -0.3, high: 0.3 }), uniform({ degree: 2, spectralRadius: 0.5 })],
      bias: uniform(),
      coupling: [normal(), uniform({ degree: 1 })],
      feedback: uniform({ degree: 1 }),
    };
    const tree = new DeepTreeModel({ ...options, weights, feedback: 0.25 });
    const [esn, loaded] = await reopened(tree);
    expect(loaded.forecast({ steps: 40 }).data).toEqual(esn.forecast({ steps: 40 }).data);
    for (const m of [0, 1, 2]) {
      expect((loaded.network as DeepTreeModel).weights(m)).toEqual(tree.weights(m));
      expect((Network.from(tree.share()) as DeepTreeModel).weights(m)).toEqual(tree.weights(m));
    }
    const built = await DeepTreeModel.constructAsync({ ...options, weights, feedback: 0.25 });
    expect(built.weights(2)).toEqual(tree.weights(2));
  });

  test.each([
    [
      'an option of drawn W',
      { weights: { recurrent: uniform() }, spectralRadius: 0.5 },
      /no spectralRadius with weights.recurrent/,
    ],
    [
      'a scaling of drawn W_in',
      { weights: { input: uniform() }, inputScaling: 2 },
      /no inputScaling with weights.input/,
    ],
    ['feedback of scale 0', { weights: { feedback: uniform() } }, /feedback above 0 with weights.feedback/],
    ['coupling of scale 0', { weights: { coupling: uniform() }, coupling: 0 }, /above 0 with weights.coupling/],
    ['a matrix', { weights: { recurrent: matrix(2, 2, [1, 2, 3, 4]) } }, /for weights/],
    ['a misspelt kind', { weights: { recurent: uniform() } }, /weights/],
    [
      'initializers for others',
      { weights: { bias: Array(4).fill(uniform()) } },
      /weights.bias with 2 elements \(levels\)/,
    ],
    [
      'another size',
      { weights: { input: () => matrix(1, 1, [1]) } },
      /weights.input \(membrane 0\) with 4 x 2 elements/,
    ],
    [
      'a sparse W in int8',
      { dtype: 'f32', precision: 'int8', weights: { recurrent: uniform({ degree: 1 }) } },
      /dense weights with precision 'int8'/,
    ],
    ['a sparse b', { weights: { bias: uniform({ degree: 1 }) } }, /an initializer of dense weights for weights.bias/],
  ])('%s is refused', (_, given, message) => {
    expect(() => new DeepTreeModel({ ...options, ...given } as never)).toThrow(message);
  });
});

/** Ones where column = row. */
function cycleOf(rows: number, cols: number): ReturnType<Initializer> {
  return csr(rows, cols, {
    offsets: Array.from({ length: rows + 1 }, (_, i) => i),
    columns: Array.from({ length: rows }, (_, i) => i % cols),
    values: new Float64Array(rows).fill(1),
  }) as ReturnType<Initializer>;
}

/** The tree membrane by membrane, parents first, from copies of its weights. */
function plainTree(tree: DeepTreeModel, inputs: Float64Array): number[] {
  const weights = tree.membranes.map(({ index }) => tree.weights(index));
  const states = tree.membranes.map(({ units }) => new Array<number>(units).fill(0));
  const times = ({ rows, cols, data }: Matrix, x: readonly number[]) =>
    Array.from({ length: rows }, (_, i) => x.reduce((sum, value, k) => sum + data[i * cols + k]! * value, 0));
  const rows: number[] = [];
  for (let t = 0; 2 * t < inputs.length; t++) {
    const u = [...inputs.slice(2 * t, 2 * t + 2)];
    for (const { index, parent, children, leak } of tree.membranes) {
      const { recurrent, input, bias, coupling } = weights[index]!;
      const parts = [times(recurrent, states[index]!), times(input, u), Array.from(bias)];
      if (parent !== null) parts.push(times(coupling, states[parent]!));
      for (const child of children) parts.push(times(weights[child]!.feedback, states[child]!));
      states[index] = states[index]!.map(
        (x, i) => (1 - leak) * x + leak * Math.tanh(parts.reduce((sum, part) => sum + part[i]!, 0)),
      );
    }
    rows.push(...states.flat());
  }
  return rows;
}

describe('an Es2n', () => {
  const weights = {
    recurrent: uniform({ low: -0.2, high: 0.2 }),
    input: uniform(),
    bias: normal(),
    orthogonal: orthogonal(),
  };
  const options = { units: 9, inputs: 2, weights, proximity: 0.4, seed: 3 };
  const seeds = weightSeeds(3);

  test('runs as the plain loop over what they make', () => {
    const plain = {
      ...{ units: 9, inputs: 2, activations: Array<string>(9).fill('tanh') },
      recurrent: dense(weights.recurrent, 9, 9, seeds.recurrent),
      input: dense(weights.input, 9, 2, seeds.input),
      bias: dense(weights.bias, 9, 1, seeds.bias),
    };
    const rotation = dense(weights.orthogonal, 9, 9, seeds.orthogonal);
    const network = new Es2n(options);
    expect(network.dtype).toBe('f64');
    expect([...network.weights().orthogonal.data]).toEqual([...rotation]);
    near(network.run(series).data, plainEs2n(plain, rotation, 0.4, series));
  });

  test('is saved and loaded to the last bit', async () => {
    const [esn, loaded] = await reopened(new Es2n(options));
    expect(loaded.forecast({ steps: 40 }).data).toEqual(esn.forecast({ steps: 40 }).data);
    expect((loaded.network as Es2n).weights()).toEqual((esn.network as Es2n).weights());
  });

  test('takes matrices beside initializers, and refuses other sizes', () => {
    const given = {
      ...weights,
      recurrent: matrix(9, 9, new Float64Array(81)),
      input: matrix(9, 1, new Float64Array(9)),
    };
    expect(new Es2n({ weights: given }).units).toBe(9);
    expect(() => new Es2n({ weights: { ...given, orthogonal: matrix(2, 2, [1, 0, 0, 1]) } })).toThrow(
      'weights.orthogonal with 9 x 9 elements but received 2 x 2',
    );
    expect(() => new Es2n({ weights })).toThrow('for units');
  });
});

describe('an EuSn', () => {
  const input = uniform({ low: -0.5, high: 0.5 });
  const options = { units: 9, inputs: 2, step: 0.1, diffusion: 0.01, seed: 3 };
  const seeds = weightSeeds(3);
  const difference = (a: ArrayLike<number>) =>
    Float64Array.from(a, (value, at) => value - a[(at % 9) * 9 + Math.floor(at / 9)]!);
  const plainOf = (recurrent: Float64Array) => ({
    ...{ units: 9, inputs: 2, activations: Array<string>(9).fill('tanh'), bias: new Float64Array(9) },
    ...{ recurrent, input: dense(input, 9, 2, seeds.input) },
  });

  test.each<[string, Initializer]>([
    ['a dense base', uniform()],
    ['a sparse base', uniform({ degree: 3 })],
  ])('of %s runs as the plain loop over A - A prime', (_, base) => {
    const network = new EuSn({ ...options, weights: { base, input } });
    const made = base(9, 9, seeds.recurrent);
    const a = 'data' in made ? made.data : filled(made);
    const w = difference(a);
    const found = network.weights().recurrent.data;
    near(
      found,
      w.map((value, at) => value - (at % 10 === 0 ? 0.01 : 0)),
    );
    near(network.run(series).data, plainEuSn(plainOf(w), 0.1, 0.01, series));
  });

  test('uses a W that an initializer makes unchanged', () => {
    const network = new EuSn({ ...options, weights: { recurrent: uniform(), input } });
    const w = dense(uniform(), 9, 9, seeds.recurrent);
    near(network.run(series).data, plainEuSn(plainOf(w), 0.1, 0.01, series));
  });

  test('is saved and loaded to the last bit', async () => {
    for (const base of [uniform(), uniform({ degree: 3 })]) {
      const [esn, loaded] = await reopened(new EuSn({ ...options, weights: { base, input, bias: uniform() } }));
      expect(loaded.forecast({ steps: 40 }).data).toEqual(esn.forecast({ steps: 40 }).data);
      expect((loaded.network as EuSn).weights()).toEqual((esn.network as EuSn).weights());
    }
  });

  test('refuses both or neither of base and recurrent, and bases of another size', () => {
    expect(() => new EuSn({ ...options, weights: { base: uniform(), recurrent: uniform(), input } })).toThrow(
      'an object with either base or recurrent for weights',
    );
    expect(() => new EuSn({ ...options, weights: { input } })).toThrow('either base or recurrent');
    const small = matrix(2, 2, [0, 1, 2, 3]);
    expect(() => new EuSn({ ...options, weights: { base: small, input } })).toThrow('weights.base with 9 x 9 elements');
    const short = { rows: 9, cols: 9, data: new Float64Array(3) } as Matrix;
    expect(() => new EuSn({ ...options, weights: { base: short, input } })).toThrow('weights.base with 9 x 9 elements');
  });
});

function filled({ rows, cols, offsets, columns, values }: ReturnType<typeof csr>): Float64Array {
  const data = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) {
    for (let k = offsets[i]!; k < offsets[i + 1]!; k++) data[i * cols + columns[k]!] = values[k]!;
  }
  return data;
}
