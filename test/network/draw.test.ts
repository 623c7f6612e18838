/** The weights are those that docs/random.md describes, drawn again here by an independent generator. */
import { describe, expect, test } from 'vitest';
import { DeepTreeModel, Reservoir, type ReservoirOptions } from '../../src/network/index.js';
import { philoxWord, type purposes, toSymmetric } from '../reference/philox.js';

const SEED = 2 ** 40 + 12345;
const n = 72;

const uniform = (purpose: keyof typeof purposes, position: number, stream = 0) =>
  toSymmetric(philoxWord(SEED, stream, purpose, position));

/** Floyd's algorithm. */
function sampled(row: number, cols: number, degree: number): number[] {
  const taken: number[] = [];
  for (let i = 0; i < degree; i++) {
    const top = cols - degree + i;
    const drawn = below(top + 1, row * cols + i);
    taken.push(taken.includes(drawn) ? top : drawn);
  }
  return taken.sort((a, b) => a - b);
}

/** A whole number below `bound` from a word of the places' stream. */
function below(bound: number, position: number): number {
  return Number((BigInt(bound) * BigInt(philoxWord(SEED, 0, 'structure', position))) >> 32n);
}

function weightsOf(options: Partial<ReservoirOptions>) {
  return new Reservoir({ units: n, inputs: 3, seed: SEED, dtype: 'f64', ...options } as ReservoirOptions).weights();
}

/** The matrix is `wanted` times one factor, that of the radius. */
function expectScaled(got: ArrayLike<number>, wanted: (i: number, k: number) => number): void {
  let factor = 0;
  for (let i = 0; i < n; i++) for (let k = 0; k < n; k++) factor ||= wanted(i, k) && got[i * n + k]! / wanted(i, k);
  expect(factor).toBeGreaterThan(0);
  expect(Math.fround(factor)).toBeCloseTo(factor, 12);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) expect(got[i * n + k]).toBeCloseTo(wanted(i, k) * factor, 12);
  }
}

test('W_in and the bias are uniform numbers times their scalings, element (i, k) at position i cols + k', () => {
  const { input, bias } = weightsOf({ inputScaling: 0.5, biasScaling: 2 });
  for (let i = 0; i < n; i++) {
    expect(bias[i]).toBe(uniform('bias', i) * 2);
    for (let k = 0; k < 3; k++) expect(input.data[i * 3 + k]).toBe(uniform('input', i * 3 + k) * 0.5);
  }
});

describe('W is uniform numbers times one factor', () => {
  test('dense', () => {
    expectScaled(weightsOf({ topology: 'dense' }).recurrent.data, (i, k) => uniform('recurrent', i * n + k));
  });

  test.each([0.3, 0.05])('sparse, density %d', (density) => {
    const degree = Math.max(1, Math.round(density * n));
    const rows = Array.from({ length: n }, (_, i) => new Set(sampled(i, n, degree)));
    const { recurrent } = weightsOf({ topology: 'sparse', density });
    expectScaled(recurrent.data, (i, k) => (rows[i]!.has(k) ? uniform('recurrent', i * n + k) : 0));
  });

  test.each([8, 16] as const)('block-sparse, %i rows a block', (blockRows) => {
    const degree = Math.round(0.25 * n);
    const columns = Array.from({ length: Math.ceil(n / blockRows) }, (_, b) => sampled(b, n, degree));
    const { recurrent } = weightsOf({ topology: 'block-sparse', density: 0.25, blockRows });
    expectScaled(recurrent.data, (i, k) => {
      const b = Math.floor(i / blockRows);
      const j = columns[b]!.indexOf(k);
      return j < 0 ? 0 : uniform('recurrent', (b * degree + j) * blockRows + (i % blockRows));
    });
  });
});

test('a permutation is shuffled from its last place to its first', () => {
  const places = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const other = below(i + 1, i);
    [places[i], places[other]] = [places[other]!, places[i]!];
  }
  const { recurrent } = weightsOf({ topology: 'permutation', spectralRadius: 0.7 });
  places.forEach((k, i) => {
    expect(recurrent.data[i * n + k]).toBe(0.7);
  });
  expect(recurrent.data.filter((w) => w !== 0)).toHaveLength(n);
});

test('hadamard has its signs from the bits of the places, D1 first', () => {
  const units = 64;
  const sign = (d: number, i: number) =>
    (philoxWord(SEED, 0, 'structure', d * 2 + Math.floor(i / 32)) >>> (i % 32)) & 1 ? -1 : 1;
  const parity = (bits: number) => [...bits.toString(2)].filter((bit) => bit === '1').length % 2;
  const h = (i: number, k: number) => (parity(i & k) ? -1 : 1);
  const sum = (term: (j: number) => number) => Array.from({ length: units }, (_, j) => term(j)).reduce((a, b) => a + b);
  const { recurrent } = weightsOf({ units, topology: 'hadamard', spectralRadius: 0.7 });
  for (const [i, k] of [
    [0, 0],
    [3, 40],
    [63, 17],
  ] as const) {
    const wanted = sum((a) => h(i, a) * sign(0, a) * sum((j) => h(a, j) * sign(1, j) * h(j, k) * sign(2, k)));
    expect(recurrent.data[i * units + k]).toBeCloseTo((0.7 * wanted) / units ** 1.5, 12);
  }
});

test('each membrane of a Deep Tree draws from the stream of its index', () => {
  const model = new DeepTreeModel({ depth: 3, units: 24, inputs: 1, seed: SEED, biasScaling: 1, dtype: 'f64' });
  for (const { index, units } of model.membranes) {
    const { bias, coupling } = model.weights(index);
    for (let i = 0; i < units; i++) expect(bias[i]).toBe(uniform('bias', i, index));
    if (index > 0) {
      const scale = coupling.data[0]! / uniform('coupling', 0, index);
      coupling.data.forEach((w, at) => {
        expect(w).toBeCloseTo(uniform('coupling', at, index) * scale, 14);
      });
    }
  }
});
