import { expect, test } from 'vitest';
import { levelSizes, membraneTree } from '../../src/trees/index.js';

// OEIS A000081.
const counts = [1, 1, 2, 4, 9, 20, 48, 115];

test('the levels have as many membranes as there are rooted trees', () => {
  expect(levelSizes(membraneTree(8))).toEqual(counts);
  expect([1, 2, 3, 4, 5, 6].map((depth) => membraneTree(depth).length)).toEqual([1, 2, 4, 8, 17, 37]);
});

test('a parent is its child without the last entry of the level sequence, and precedes it', () => {
  const membranes = membraneTree(7);
  for (const { index, sequence, parent, level } of membranes) {
    expect(sequence.length).toBe(level);
    if (parent === null) expect(index).toBe(0);
    else {
      expect(parent).toBeLessThan(index);
      expect(membranes[parent]!.sequence).toEqual(sequence.slice(0, -1));
      expect(membranes[parent]!.children).toContain(index);
    }
  }
});

test('the weights of a level sum to 1', () => {
  const sums: number[] = [];
  for (const { level, weight } of membraneTree(8)) sums[level - 1] = (sums[level - 1] ?? 0) + weight;
  for (const sum of sums) expect(sum).toBeCloseTo(1, 14);
});

test('a wrong depth is refused by name', () => {
  expect(() => membraneTree(0)).toThrow(/whole number from 1 to 12 for depth but received 0/);
  expect(() => membraneTree(13)).toThrow(RangeError);
  expect(() => membraneTree('4' as never)).toThrow(TypeError);
});
