/** The weights are those that docs/random.md describes, drawn again here by an independent generator. */
import { describe, expect, test } from 'vitest';
import { DeepTreeModel } from '../../src/model/index.js';
import { Reservoir, type ReservoirOptions } from '../../src/reservoir/index.js';
import { philoxWord, type purposes, toSymmetric } from '../reference/philox.js';

const SEED = 2 ** 40 + 12345;
const n = 72;

const uniform = (purpose: keyof typeof purposes, position: number, stream = 0) =>
  toSymmetric(philoxWord(SEED, stream, purpose, position));

/** Knuth's algorithm S and Floyd's algorithm, as the page says which is used when. */
function sampled(row: number, cols: number, degree: number): number[] {
  const word = (i: number) => BigInt(philoxWord(SEED, 0, 'structure', row * cols + i));
  const below = (bound: number, i: number) => Number((BigInt(bound) * word(i)) >> 32n);
  const taken: number[] = [];
  if (degree * 16 > cols) {
    for (let k = 0; taken.length < degree; k++) if (below(cols - k, k) < degree - taken.length) taken.push(k);
    return taken;
  }
  for (let i = 0; i < degree; i++) {
    const top = cols - degree + i;
    const drawn = below(top + 1, i);
    taken.push(taken.includes(drawn) ? top : drawn);
  }
  return taken.sort((a, b) => a - b);
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
