import { describe, expect, test } from 'vitest';
import { countRootedTrees, rootedTrees, treeTable } from '../../src/trees/index.js';
import fc from '../property/fast-check.js';

// OEIS A000081, n = 1 .. 20.
const counts = [
  1, 1, 2, 4, 9, 20, 48, 115, 286, 719, 1842, 4766, 12486, 32973, 87811, 235381, 634847, 1721159, 4688676, 12826228,
];
const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
const alpha = (order: number, symmetry: number, density: number) => factorial(order) / (symmetry * density);

test('generation finds as many trees of orders 1 to 20 as OEIS A000081 lists', () => {
  expect(counts.map((_, i) => countRootedTrees(i + 1))).toEqual(counts);
  expect(counts.slice(0, 12).map((_, i) => rootedTrees(i + 1).length)).toEqual(counts.slice(0, 12));
});

// Butcher (2016), Numerical Methods for Ordinary Differential Equations, table 301(I): σ, γ, α, β.
test('symmetry, density, α and β to order 5 are those of the published table, in decreasing lexicographic order', () => {
  const rows = [1, 2, 3, 4, 5].flatMap((order) =>
    rootedTrees(order).map(({ levels, symmetry, density }) => {
      const labellings = factorial(order) / symmetry;
      return [levels.join(''), symmetry, density, alpha(order, symmetry, density), labellings];
    }),
  );
  expect(rows).toEqual([
    ['1', 1, 1, 1, 1],
    ['12', 1, 2, 1, 2],
    ['123', 1, 6, 1, 6],
    ['122', 2, 3, 1, 3],
    ['1234', 1, 24, 1, 24],
    ['1233', 2, 12, 1, 12],
    ['1232', 1, 8, 3, 24],
    ['1222', 6, 4, 1, 4],
    ['12345', 1, 120, 1, 120],
    ['12344', 2, 60, 1, 60],
    ['12343', 1, 40, 3, 120],
    ['12342', 1, 30, 4, 120],
    ['12333', 6, 20, 1, 20],
    ['12332', 2, 15, 4, 60],
    ['12323', 2, 20, 3, 60],
    ['12322', 2, 10, 6, 60],
    ['12222', 24, 5, 1, 5],
  ]);
});

describe('sums over an order n', () => {
  const orders = Array.from({ length: 12 }, (_, i) => i + 1);
  const sum = (order: number, term: (symmetry: number, density: number) => number) =>
    rootedTrees(order).reduce((total, { symmetry, density }) => total + term(symmetry, density), 0);

  test.each(orders)('Σ 1 / (σ γ) = 1 / n, n = %i', (n) => {
    expect(sum(n, (symmetry, density) => 1 / (symmetry * density))).toBeCloseTo(1 / n, 14);
  });

  test.each(orders)('Σ α = (n - 1)!, n = %i', (n) => {
    expect(sum(n, (symmetry, density) => alpha(n, symmetry, density))).toBe(factorial(n - 1));
  });

  test.each(orders)('Σ β = n^(n-1) (Cayley), n = %i', (n) => {
    expect(sum(n, (symmetry) => factorial(n) / symmetry)).toBe(n ** (n - 1));
  });
});

describe('the generation tree', () => {
  test('the parent of a tree is the tree without the last entry of its sequence', () => {
    for (let order = 2; order <= 10; order++) {
      const above = rootedTrees(order - 1);
      for (const { levels, parent } of rootedTrees(order)) expect(above[parent!]!.levels).toEqual(levels.slice(0, -1));
    }
    expect(rootedTrees(1)).toEqual([{ levels: [1], order: 1, symmetry: 1, density: 1, parent: null }]);
  });

  test('every level is reached, so its levels have 1, 1, 2, 4, 9, 20 nodes', () => {
    const table = treeTable(6);
    const depth: number[] = [];
    for (const parent of table.parent) depth.push(parent < 0 ? 1 : depth[parent]! + 1);
    expect(depth).toEqual([...table.order]);
    expect([1, 2, 3, 4, 5, 6].map((level) => depth.filter((d) => d === level).length)).toEqual([1, 1, 2, 4, 9, 20]);
  });
});

describe('the table', () => {
  const table = treeTable(10);
  const sequences = Array.from({ length: 10 }, (_, i) => rootedTrees(i + 1)).flat();

  test('holds the trees of all orders one after the other', () => {
    expect([...table.order]).toEqual(sequences.map(({ order }) => order));
    expect([...table.symmetry]).toEqual(sequences.map(({ symmetry }) => symmetry));
    expect([...table.density]).toEqual(sequences.map(({ density }) => density));
    expect([...table.alpha]).toEqual(sequences.map(({ order, symmetry, density }) => alpha(order, symmetry, density)));
  });

  test('t = left ∘ right: the sequence of left followed by that of right one level down', () => {
    for (const [t, { levels }] of sequences.entries()) {
      if (t === 0) continue;
      const left = sequences[table.left[t]!]!.levels;
      const right = sequences[table.right[t]!]!.levels;
      expect([...left, ...right.map((level) => level + 1)]).toEqual(levels);
    }
    expect([table.left[0], table.right[0], table.parent[0]]).toEqual([-1, -1, -1]);
  });

  test('γ(left ∘ right) = γ(left) γ(right) |t| / |left|', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: sequences.length - 1 }), (t) => {
        const { order, density, left, right } = table;
        return density[t] === (density[left[t]!]! * density[right[t]!]! * order[t]!) / order[left[t]!]!;
      }),
    );
  });
});

test.each([
  ['0', () => rootedTrees(0), RangeError, 'Expected a whole number from 1 to 14 for order but received 0'],
  ['15', () => rootedTrees(15), RangeError, 'from 1 to 14 for order but received 15'],
  ['a fraction', () => rootedTrees(2.5), RangeError, 'received 2.5'],
  ['NaN', () => rootedTrees(NaN), RangeError, 'received NaN'],
  ['a string', () => rootedTrees('3' as never), TypeError, 'received the string "3"'],
  ['21 to count', () => countRootedTrees(21), RangeError, 'from 1 to 20 for order but received 21'],
  ['a table to 15', () => treeTable(15), RangeError, 'from 1 to 14 for maxOrder but received 15'],
])('order %s is refused', (_name, call, kind, message) => {
  expect(call).toThrow(kind);
  expect(call).toThrow(message);
});
