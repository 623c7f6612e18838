import { expect, test } from 'vitest';
import { RandomNumbers } from '../../src/random/index.js';
import { philox4x32 } from '../../src/random/philox.js';
import { philox4x32 as reference, type Words4 } from '../reference/philox.js';

// Random123 1.14, tests/kat_vectors: philox4x32 with 10 rounds.
test.each<[Words4, [number, number], number[]]>([
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
])('counter %j with key %j gives the known answer of Random123', (counter, key, words) => {
  const block = new Uint32Array(4);
  philox4x32(block, counter, key);
  expect([...block]).toEqual(words);
});

test('words are those of the reference generator in the order of their positions', () => {
  const seed = 7 * 2 ** 32 + 3;
  const numbers = new RandomNumbers(seed, 'dataset', 5);
  const words = Array.from({ length: 40 }, () => numbers.word());
  const wanted = Array.from({ length: 10 }, (_, block) => reference([block, 0, 5, 16], [3, 7])).flat();
  expect(words).toEqual(wanted);
});

test('seeds, purposes and streams give different numbers, and equal ones equal numbers', () => {
  const first = (...given: ConstructorParameters<typeof RandomNumbers>) => new RandomNumbers(...given).word();
  expect(first(1, 'search')).toBe(first(1, 'search'));
  const all = [
    first(1, 'search'),
    first(2, 'search'),
    first(1, 'score'),
    first(1, 'search', 1),
    first(2 ** 32 + 1, 'search'),
  ];
  expect(new Set(all).size).toBe(all.length);
});

test('normal numbers have the moments of the standard normal distribution', () => {
  const numbers = new RandomNumbers(1, 'dataset');
  const values = Array.from({ length: 100_000 }, () => numbers.normal());
  const moment = (power: number) => values.reduce((sum, v) => sum + v ** power, 0) / values.length;
  expect(Math.abs(moment(1))).toBeLessThan(0.01);
  expect(Math.abs(moment(2) - 1)).toBeLessThan(0.02);
  expect(Math.abs(moment(4) - 3)).toBeLessThan(0.1);
});

test('distinct numbers are different, ascending, and each is drawn equally often', () => {
  const numbers = new RandomNumbers(1, 'weights');
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 20_000; i++) {
    const chosen = numbers.distinct(3, 10);
    expect(new Set(chosen).size).toBe(3);
    expect(chosen.toSorted((a, b) => a - b)).toEqual(chosen);
    for (const one of chosen) counts[one]!++;
  }
  for (const count of counts) expect(Math.abs(count / 6000 - 1)).toBeLessThan(0.06);
});
