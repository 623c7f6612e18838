import { describe, expect, test } from 'vitest';
import { type Matrix, matrix, spectralRadius, spectralRadiusAsync } from '../../src/numeric/index.js';
import fc from '../property/fast-check.js';
import { rotated, square, transposed, uniform } from '../reference/matrices.js';
import { gelfandRadius } from '../reference/spectral-radius.js';

const radius = (n: number, data: Float64Array) => spectralRadius(matrix(n, n, data));
const relative = (got: number, wanted: number) => Math.abs(got / wanted - 1);

describe('random non-symmetric matrices agree with Gelfand to 1e-6', () => {
  const small = [...Array.from({ length: 36 }, (_, i) => i + 2), 50, 64, 77, 90, 101, 110];
  const expectGelfand = (n: number, a: Float64Array<ArrayBuffer>) =>
    expect(relative(radius(n, a), gelfandRadius(a, n))).toBeLessThan(1e-6);

  test.each(small)('dense, %i rows', (n) => expectGelfand(n, square(n, uniform(n))));

  // Gelfand's squarings take seconds here.
  test.each([128, 150, 200, 256])('dense, %i rows', { tags: ['slow'] }, (n) => expectGelfand(n, square(n, uniform(n))));

  const sparse = (n: number, density: number) => {
    const random = uniform(7 * n);
    return square(n, () => (random() < 2 * density - 1 ? random() : 0));
  };
  test.each([
    [60, 0.1],
    [120, 0.05],
  ])('sparse, %i rows at density %d', (n, density) => expectGelfand(n, sparse(n, density)));
  test('sparse, 400 rows at density 0.03', { tags: ['slow'] }, () => expectGelfand(400, sparse(400, 0.03)));

  test.each([
    [6, 2],
    [40, 4],
    [150, 15],
  ])('block-diagonal, %i rows in blocks of %i', (n, size) => {
    const random = uniform(n + size);
    expectGelfand(
      n,
      square(n, (i, k) => (Math.floor(i / size) === Math.floor(k / size) ? random() : 0)),
    );
  });
});

describe('spectra known in closed form', () => {
  test.each([1, 2, 3, 7, 100, 400, 401, 2100])('a ring of %i equal weights has their modulus', (n) => {
    const ring = new Float32Array(n * n);
    for (let i = 0; i < n; i++) ring[i * n + ((i + 1) % n)] = -0.75;
    expect(spectralRadius(matrix(n, n, ring))).toBeCloseTo(0.75, 12);
  });

  test('a ring of different weights has their geometric mean, however small their product', () => {
    const n = 300;
    const weights = Array.from({ length: n }, (_, i) => 10 ** -(2 + (i % 5)));
    const a = square(n, (i, k) => (k === (i + 1) % n ? weights[i]! : 0));
    expect(relative(radius(n, a), 1e-4)).toBeLessThan(1e-12);
  });

  test('two rings of coprime lengths through one row are not periodic: λ^5 = λ^2 / 2 + 1 / 2 has 1 at its edge', () => {
    const a = square(5, (i, k) => (i === 0 ? (k === 2 || k === 4 ? 0.5 : 0) : k === i - 1 ? 1 : 0));
    expect(radius(5, a)).toBeCloseTo(1, 12);
  });

  test.each([2, 3, 50, 300])('a permutation of %i has radius 1', (n) => {
    const random = uniform(n);
    const order = Array.from({ length: n }, (_, i) => ({ i, key: random() })).sort((x, y) => x.key - y.key);
    expect(
      radius(
        n,
        square(n, (i, k) => (order[i]!.i === k ? 1 : 0)),
      ),
    ).toBeCloseTo(1, 12);
  });

  test.each([2, 30, 300, 450])('an orthogonal matrix of %i rows has radius 1', (n) => {
    const ring = square(n, (i, k) => (k === (i + 1) % n ? 1 : 0));
    expect(radius(n, rotated(ring, n, uniform(n)))).toBeCloseTo(1, 10);
  });

  test('a rotation by any angle keeps its scale', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 6.3, noNaN: true }),
        fc.double({ min: 0.01, max: 9, noNaN: true }),
        (t, r) => {
          const a = [r * Math.cos(t), -r * Math.sin(t), r * Math.sin(t), r * Math.cos(t)];
          return relative(spectralRadius(matrix(2, 2, a)), r) < 1e-12;
        },
      ),
    );
  });

  test.each([50, 500])('a complex pair is found above real eigenvalues of nearly its modulus, %i rows', (n) => {
    const random = uniform(n);
    // 1.5 e^(±i) first, then real eigenvalues of modulus 1.49 and less, in a rotated basis.
    const pair = [1.5 * Math.cos(1), -1.5 * Math.sin(1), 1.5 * Math.sin(1), 1.5 * Math.cos(1)];
    const a = square(n, (i, k) => (i < 2 && k < 2 ? pair[2 * i + k]! : i === k ? 1.49 * random() : 0));
    expect(relative(radius(n, rotated(a, n, random)), 1.5)).toBeLessThan(1e-9);
  });

  test('triangular nilpotent matrices have radius 0, in any order of their rows', () => {
    for (const n of [1, 2, 10, 120]) {
      const order = Array.from({ length: n }, (_, i) => (i * 7) % n).filter((v, i, all) => all.indexOf(v) === i);
      const place = order.length === n ? order : Array.from({ length: n }, (_, i) => n - 1 - i);
      const random = uniform(n);
      expect(
        radius(
          n,
          square(n, (i, k) => (place[k]! < place[i]! ? random() : 0)),
        ),
      ).toBe(0);
    }
    expect(spectralRadius(matrix(2, 2, [2, -1, 4, -2]))).toBe(0);
    expect(spectralRadius(matrix(30, 30))).toBe(0);
  });

  test.each([2, 3, 4])('a Jordan block of %i rows in a rotated basis is found to 1e-3', (n) => {
    const jordan = square(n, (i, k) => (i === k ? 0.9 : k === i + 1 ? 1 : 0));
    expect(radius(n, jordan)).toBe(0.9);
    expect(relative(radius(n, rotated(jordan, n, uniform(n))), 0.9)).toBeLessThan(1e-3);
  });

  test('a matrix of rank one has the modulus of its trace', () => {
    expect(radius(600, new Float64Array(600 * 600).fill(0.5))).toBeCloseTo(300, 9);
  });
});

describe('laws', () => {
  const cases = fc.tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 0, max: 2 ** 31 }));
  const drawn = ([n, seed]: [number, number]) => ({ n, a: square(n, uniform(seed)) });

  test('ρ(c A) = |c| ρ(A), to sizes whose squares overflow or vanish', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: -900, max: 900 }), (drawing, exponent) => {
        const { n, a } = drawn(drawing);
        const scaled = a.map((x) => -x * 2 ** exponent);
        return relative(radius(n, scaled) / 2 ** exponent, radius(n, a)) < 1e-9;
      }),
    );
  });

  test("ρ(A') = ρ(A)", () => {
    fc.assert(
      fc.property(cases, (drawing) => {
        const { n, a } = drawn(drawing);
        return relative(radius(n, transposed(a, n)), radius(n, a)) < 1e-8;
      }),
    );
  });

  test('ρ of a block triangular matrix is the largest of its blocks', () => {
    fc.assert(
      fc.property(cases, cases, (first, second) => {
        const [p, q] = [drawn(first), drawn(second)];
        const n = p.n + q.n;
        const a = square(n, (i, k) => {
          if (i < p.n) return k < p.n ? p.a[i * p.n + k]! : 3;
          return k < p.n ? 0 : q.a[(i - p.n) * q.n + (k - p.n)]!;
        });
        return relative(radius(n, a), Math.max(radius(p.n, p.a), radius(q.n, q.a))) < 1e-8;
      }),
    );
  });

  test('f32 elements are used as they are', () => {
    const a = Float32Array.from(square(20, uniform(3)));
    expect(spectralRadius(matrix(20, 20, a))).toBe(spectralRadius(matrix(20, 20, Float64Array.from(a))));
  });
});

describe('anything but a square matrix of finite numbers', () => {
  test.each([
    ['not square', { rows: 2, cols: 3, data: new Float64Array(6) }, RangeError, /a square matrix but received 2 x 3/],
    ['empty', { rows: 0, cols: 0, data: new Float64Array(0) }, RangeError, /0 x 0/],
    [
      'data of another length',
      { rows: 2, cols: 2, data: new Float64Array(3) },
      RangeError,
      /2 x 2 elements but received 3/,
    ],
    ['NaN', { rows: 1, cols: 1, data: new Float64Array([NaN]) }, RangeError, /finite numbers .*element 0/],
    ['infinity', { rows: 1, cols: 1, data: new Float32Array([-Infinity]) }, RangeError, /finite/],
    ['an array', [[1]], TypeError, /a matrix \{rows, cols, data\} for m but received an array of 1/],
    ['null', null, TypeError, /received null/],
    ['data of another kind', { rows: 1, cols: 1, data: [1] }, TypeError, /Float32Array or Float64Array/],
    ['sizes as strings', { rows: '1', cols: '1', data: new Float64Array(1) }, RangeError, /square/],
  ])('%s is refused', (_name, m, kind, message) => {
    expect(() => spectralRadius(m as unknown as Matrix)).toThrow(message);
    expect(() => spectralRadius(m as unknown as Matrix)).toThrow(kind);
  });
});

describe('spectralRadiusAsync', () => {
  test.each([1, 30, 300, 450])('gives the bits of spectralRadius: %i rows', async (n) => {
    const a = matrix(n, n, square(n, uniform(n)));
    expect(await spectralRadiusAsync(a)).toBe(spectralRadius(a));
  });

  test('writes to the matrix after the call have no effect', async () => {
    const a = matrix(300, 300, square(300, uniform(300)));
    const wanted = spectralRadius(a);
    const found = spectralRadiusAsync(a);
    a.data.fill(Number.NaN);
    expect(await found).toBe(wanted);
  });

  test('an abort rejects with the reason of the signal, before and in the middle', async () => {
    const reason = new Error('enough');
    const abort = new AbortController();
    const found = spectralRadiusAsync(matrix(1500, 1500, square(1500, uniform(1500))), { signal: abort.signal });
    setTimeout(() => abort.abort(reason), 10);
    await expect(found).rejects.toBe(reason);
    await expect(spectralRadiusAsync(matrix(1, 1, [1]), { signal: abort.signal })).rejects.toBe(reason);
  });

  test('errors are rejections', async () => {
    await expect(spectralRadiusAsync(matrix(1, 2, [1, 2]))).rejects.toThrow(/a square matrix/);
    await expect(spectralRadiusAsync(matrix(1, 1, [1]), { signl: 1 } as never)).rejects.toThrow(/did you mean signal/);
  });
});
