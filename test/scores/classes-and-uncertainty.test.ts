import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RandomNumbers } from '../../src/random/index.js';
import { accuracy, confusion, coverage, crps, crpsNormal, mae } from '../../src/scores/index.js';

test('accuracy is the share of right labels, of any kind', () => {
  expect(accuracy(['a', 'b', 'c', 'a'], ['a', 'b', 'a', 'a'])).toBe(0.75);
  expect(accuracy([1, 2], [2, 1])).toBe(0);
  expect(() => accuracy([1], [])).toThrow('predicted with 1 elements (as labels)');
  expect(() => accuracy([], [])).toThrow('at least one label');
});

test('confusion counts what was predicted for each class', () => {
  const { classes, counts, recall, precision } = confusion([2, 0, 2, 2, 0], [2, 0, 0, 3, 0]);
  expect(classes).toEqual([0, 2, 3]);
  expect([...counts.data]).toEqual([2, 0, 0, 1, 1, 1, 0, 0, 0]);
  expect(recall).toEqual([1, 1 / 3, null]);
  expect(precision).toEqual([2 / 3, 1, 0]);
});

/** The definition: ∫ (F(x) - 1{x ≥ y})² dx by a fine sum. */
function integral(cumulative: (x: number) => number, target: number, from: number, to: number): number {
  const parts = 200_000;
  const width = (to - from) / parts;
  let sum = 0;
  for (let i = 0; i < parts; i++) {
    const x = from + (i + 0.5) * width;
    sum += (cumulative(x) - (x >= target ? 1 : 0)) ** 2 * width;
  }
  return sum;
}

test('the CRPS of an ensemble is the integral of its definition', () => {
  const members = [0.3, -1.2, 0.9, 2.4, 0.3];
  const cumulative = (x: number) => members.filter((member) => member <= x).length / members.length;
  for (const target of [-2, 0, 0.3, 3]) {
    const wanted = integral(cumulative, target, -5, 5);
    expect(
      Math.abs(
        crps(
          [target],
          members.map((member) => [member]),
        ) - wanted,
      ),
    ).toBeLessThan(1e-4);
  }
});

test('the CRPS of one member is the mean absolute error', () => {
  const [targets, outputs] = [
    [1, 2, 3],
    [1.5, 2, 1],
  ];
  expect(crps(targets, [outputs])).toBeCloseTo(mae(targets, outputs), 15);
  expect(() => crps(targets, [])).toThrow('at least one member');
  expect(() => crps(targets, [[1, 2]])).toThrow('outputs with 3 x 1 elements');
});

test('the CRPS of a normal distribution is the integral of its definition, and that of a large ensemble', () => {
  // Φ by a sum of its density.
  const table = new Float64Array(100_001);
  for (let i = 1; i < table.length; i++) {
    const x = -5 + (i - 0.5) / 10_000;
    table[i] = table[i - 1]! + Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI) / 10_000;
  }
  const cumulative = (x: number) => table[Math.max(0, Math.min(100_000, Math.round((x / 2 + 5) * 10_000)))]!;
  const wanted = integral(cumulative, 1, -10, 10);
  expect(Math.abs(crpsNormal([1], [0], [2]) - wanted)).toBeLessThan(2e-4);
  const random = new RandomNumbers(1, 'score');
  const members = Array.from({ length: 4000 }, () => [2 * random.normal()]);
  expect(Math.abs(crps([1], members) - wanted)).toBeLessThan(0.02);
  expect(crpsNormal([1], [0.25], [0])).toBe(0.75);
  expect(() => crpsNormal([1], [0], [-1])).toThrow('deviations of 0 or more for deviations (element 0)');
});

test('coverage counts targets on the bounds as inside', () => {
  expect(coverage([1, 2, 3, 4], [1, 0, 3.5, 0], [2, 2, 4, 3])).toEqual({ share: 0.5, width: (1 + 2 + 0.5 + 3) / 4 });
  expect(() => coverage([1], [2], [1])).toThrow('at least 2 (lower) for upper (element 0)');
});

test('intervals that contain all targets have the share 1', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1 }), (targets) => {
      expect(
        coverage(
          targets,
          targets.map((x) => x - 1),
          targets.map((x) => x + 1),
        ).share,
      ).toBe(1);
    }),
  );
});
