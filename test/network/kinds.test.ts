/** Every kind of network on every instruction set of this machine, against plain TypeScript loops. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { native } from '../../src/native/index.js';
import { DeepTreeModel, Es2n, EuSn, Nvar, Reservoir } from '../../src/network/index.js';
import { csr, matrix } from '../../src/numeric/index.js';
import { relativeError, sequence } from '../reference/reservoir.js';

interface Result {
  name: string;
  dtype: 'f32' | 'f64';
  alone: number;
  batch: number;
  streams: number;
  /** Which stream has other bits than one alone. */
  differs: string | null;
}

function resultsOf(isa: string): { isa: string; results: Result[] } {
  const threads = path.resolve(import.meta.dirname, '../threads');
  const args = ['--import', path.join(threads, 'typescript.mjs'), path.join(threads, 'kinds.ts')];
  const env = { ...process.env, DTESN_ISA: isa };
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env, maxBuffer: 1 << 26 }));
}

describe.each(native.availableIsas)('on %s', (isa) => {
  const output = resultsOf(isa);

  test('every kind equals the plain loops over 100 steps: alone, in batches and in streams', () => {
    expect(output.isa).toBe(isa);
    expect(output.results.length).toBeGreaterThan(50);
    for (const { name, dtype, alone, batch, streams } of output.results) {
      const tolerance = dtype === 'f32' ? 1e-5 : 1e-12;
      for (const error of [alone, batch, streams]) expect(error, name).toBeLessThan(tolerance);
    }
  });

  test('the bits of a stream are the same beside 0, 1, 6, 63 and 64 others, on 1 and on 3 threads', () => {
    expect(output.results.filter(({ differs }) => differs !== null)).toEqual([]);
  });
});

describe('Es2n', () => {
  test('draws an orthogonal matrix that is the same for the same seed', () => {
    const of = (seed: number) => new Es2n({ units: 60, inputs: 1, dtype: 'f64', seed }).weights().orthogonal.data;
    const o = of(1);
    expect(of(1)).toEqual(o);
    expect(of(2)).not.toEqual(o);
    for (let i = 0; i < 60; i++) {
      for (let k = 0; k <= i; k++) {
        let dot = 0;
        for (let j = 0; j < 60; j++) dot += o[i * 60 + j]! * o[k * 60 + j]!;
        expect(Math.abs(dot - (i === k ? 1 : 0))).toBeLessThan(1e-13);
      }
    }
  });

  // Haar measure: entries have mean 0 and variance 1 / n, also in the first and last row and column.
  test('draws every entry of the orthogonal matrix from the same distribution', () => {
    const n = 6;
    const draws = 400;
    const mean = new Float64Array(n * n);
    const square = new Float64Array(n * n);
    for (let seed = 0; seed < draws; seed++) {
      const { data } = new Es2n({ units: n, inputs: 1, dtype: 'f64', seed }).weights().orthogonal;
      for (let i = 0; i < n * n; i++) {
        mean[i]! += data[i]! / draws;
        square[i]! += data[i]! ** 2 / draws;
      }
    }
    for (let i = 0; i < n * n; i++) {
      expect(Math.abs(mean[i]!)).toBeLessThan(0.1);
      expect(Math.abs(square[i]! - 1 / n)).toBeLessThan(0.06);
    }
  });

  test('with proximity 1 is the plain reservoir without leak', () => {
    const options = { units: 20, inputs: 1, dtype: 'f64', seed: 4, topology: 'dense' } as const;
    const wanted = new Reservoir(options).run(sequence(50));
    expect([...new Es2n({ ...options, proximity: 1 }).run(sequence(50)).data]).toEqual([...wanted.data]);
  });
});

test('an EuSn without diffusion, whose W is antisymmetric, keeps the norm of its state to first order', () => {
  const network = new EuSn({ units: 30, inputs: 1, step: 1e-4, diffusion: 0, activation: 'identity', dtype: 'f64' });
  network.reset(sequence(30, 2));
  const norm = () => Math.hypot(...network.state);
  const before = norm();
  network.run(new Float64Array(100), { out: null });
  expect(Math.abs(norm() / before - 1)).toBeLessThan(1e-3);
});

// Gauthier et al. (2021): two delays of three inputs and all products of two of them.
test('an Nvar has delay x inputs linear features and every monomial of its order', () => {
  expect(new Nvar({ inputs: 3, delay: 2, order: 2, strides: 1 }).featureSize).toBe(6 + 21);
  const nvar = new Nvar({ inputs: 1, delay: 2, order: 2, strides: 1 });
  expect([...nvar.run([3, 5]).data]).toEqual([3, 0, 9, 0, 0, 5, 3, 25, 15, 9]);
  expect(nvar.stateSize).toBe(2);
  expect(() => nvar.differentials(2, [1], new Float64Array(4))).toThrow(/has no flow: a delay line \(Nvar\)/);
});

describe('a Deep Tree of any parents', () => {
  test('a list of roots is as many reservoirs side by side', () => {
    const tree = new DeepTreeModel({ parents: [null, null], units: [10, 12], inputs: 1, dtype: 'f64', leak: [0.5, 1] });
    const { data } = tree.run(sequence(30));
    for (const { index, offset, units, leak } of tree.membranes) {
      const { recurrent, input, bias } = tree.weights(index);
      const alone = new Reservoir({ weights: { recurrent, input, bias }, leak }).run(sequence(30));
      const part = Array.from({ length: 30 }, (_, t) => [...data.subarray(t * 22 + offset, t * 22 + offset + units)]);
      expect(relativeError(part.flat(), alone.data)).toBeLessThan(1e-14);
    }
  });

  test('the generation tree given as parents has the same levels', () => {
    const tree = new DeepTreeModel({ depth: 4, units: 80, inputs: 1 });
    const parents = tree.membranes.map(({ parent }) => parent);
    const same = new DeepTreeModel({ parents, units: 80, inputs: 1 });
    expect(same.depth).toBe(4);
    expect(same.membranes.map(({ level }) => level)).toEqual(tree.membranes.map(({ level }) => level));
    expect(same.membranes[3]!.sequence).toBeNull();
  });

  test.each([
    ['a parent behind its child', { parents: [1, null] }, /parents \(element 0\) but received 1/],
    ['depth as well', { parents: [null], depth: 2 }, /no depth with parents/],
    ['neither', {}, /for depth but received undefined/],
    ['leaks for others', { parents: [null, 0, 0], leak: [1, 1, 1, 1] }, /leak with 2 elements \(levels\)/],
  ])('%s is refused', (_name, options, message) => {
    expect(() => new DeepTreeModel({ units: 30, inputs: 1, ...options } as never)).toThrow(message);
  });

  test.each(['bf16', 'int8'] as const)('stores its W in %s', (precision) => {
    const wide = new DeepTreeModel({ depth: 3, units: 400, inputs: 1, seed: 2 });
    const narrow = new DeepTreeModel({ depth: 3, units: 400, inputs: 1, seed: 2, precision });
    expect(narrow.bytes).toBeLessThan(wide.bytes * 0.85);
    expect(relativeError(narrow.run(sequence(50)).data, wide.run(sequence(50)).data)).toBeLessThan(0.05);
    expect(narrow.dtype).toBe('f32');
  });
});

describe('csr', () => {
  const recurrent = csr(2, 2, { offsets: [0, 1, 2], columns: [1, 0], values: [0.5, -0.5] });
  test('gives the network of the dense matrix', () => {
    const input = matrix(2, 1, [1, 0.5]);
    const wanted = new Reservoir({ weights: { recurrent: matrix(2, 2, [0, 0.5, -0.5, 0]), input } }).run(sequence(20));
    const sparse = new Reservoir({ weights: { recurrent, input } });
    expect(sparse.topology).toBe('sparse');
    expect(relativeError(sparse.run(sequence(20)).data, wanted.data)).toBeLessThan(1e-14);
  });

  test.each([
    ['columns beyond', { offsets: [0, 1], columns: [2], values: [1] }, /columns \(element 0\) but received 2/],
    ['falling offsets', { offsets: [0, 2, 1], columns: [0], values: [1] }, /at least 2 for offsets \(element 2\)/],
    ['offsets that end elsewhere', { offsets: [0, 1, 1], columns: [0, 1], values: [1, 2] }, /offsets that end at 2/],
    ['a missing column', { offsets: [0, 1, 2], columns: [0], values: [1, 2] }, /columns with 2 elements/],
    ['an unknown part', { offsets: [0, 0, 0], columns: [], values: [], rows: 2 }, /Unknown option rows of csr/],
  ])('%s are refused', (_name, parts, message) => {
    const rows = parts.offsets.length - 1;
    expect(() => csr(rows, 2, parts as never)).toThrow(message);
  });
});

test('one default dtype: f32 for every kind that is drawn and for matrices of zeros', () => {
  const size = { units: 8, inputs: 1 };
  const networks = [
    new Reservoir(size),
    new DeepTreeModel({ ...size, depth: 2 }),
    new Es2n(size),
    new EuSn(size),
    new Nvar({ inputs: 1, delay: 2 }),
  ];
  expect(networks.map(({ dtype }) => dtype)).toEqual(networks.map(() => 'f32'));
  const out = matrix(3, 8);
  expect(networks[0]!.run([1, 2, 3], { out }).data).toBe(out.data);
});
