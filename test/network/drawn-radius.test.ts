/**
 * The radius of a drawn W is the one asked for to 1e-3, against all eigenvalues, on both sides of every size where the way it is
 * measured changes: all eigenvalues, Arnoldi on products, Arnoldi on irreducible blocks.
 */
import { describe, expect, test } from 'vitest';
import { Reservoir } from '../../src/network/index.js';
import { spectralRadius } from '../../src/numeric/index.js';

const sizes = [10, 48, 49, 64, 100, 200, 400, 401];

function expectRadius(options: Partial<ConstructorParameters<typeof Reservoir>[0]>, units: number, seed: number) {
  const drawn = { units, inputs: 1, spectralRadius: 0.8, dtype: 'f64', seed, ...options } as const;
  const { recurrent } = new Reservoir(drawn as ConstructorParameters<typeof Reservoir>[0]).weights();
  expect(Math.abs(spectralRadius(recurrent) / 0.8 - 1)).toBeLessThan(1e-3);
}

describe.each(sizes)('%i units', (units) => {
  test.each([1, 2, 3])('dense, seed %i', (seed) => expectRadius({ topology: 'dense' }, units, seed));

  test.each([1, 2, 3])('blocks with a tenth of the columns, some of which no row reads, seed %i', (seed) => {
    expectRadius({ topology: 'block-sparse', density: 0.1 }, units, seed);
  });

  // One element a row: rings with trees that lead into them. Two and three: few, ill-conditioned eigenvalues.
  test.each([1, 2, 3])('sparse, %i elements a row', (degree) => {
    for (const seed of [1, 2]) expectRadius({ topology: 'sparse', density: degree / units }, units, seed);
  });
});

test('the largest eigenvalues of drawn matrices are complex pairs as well as real numbers, and both are measured', () => {
  for (let seed = 10; seed < 40; seed++) expectRadius({ topology: 'dense' }, 90, seed);
});
