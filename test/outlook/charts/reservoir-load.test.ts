/** The load of an engine described by a reservoir of a pool. */
import { describe, expect, test } from 'vitest';
import { Reservoir } from '../../../src/network/index.js';
import { ReservoirLoad } from '../../../src/outlook/charts/index.js';
import { StreamPool } from '../../../src/streams/index.js';

const model = new Reservoir({ inputs: 5, units: 20, leak: 0.1, spectralRadius: 0.9, seed: 1 });
const loads = [
  [1, 2, 3, 4, 5],
  [0, 0, 1, 0.5, 2],
  [2, 1, 0, 3, 1],
];

describe('features of a reservoir', () => {
  test('they are 1, ln(1 + load), and the state that the network has after these loads', () => {
    const load = new ReservoirLoad(new StreamPool({ model, capacity: 2 }), 'a');
    let features: ArrayLike<number> = [];
    for (const one of loads) features = load.next(one);
    const inputs = loads.flatMap((one) => one.map(Math.log1p));
    const expected = model.run({ rows: 3, cols: 5, data: Float32Array.from(inputs) } as never);
    expect(load.size).toBe(26);
    expect(Array.from(features).slice(0, 6)).toEqual([1, ...loads[2]!.map(Math.log1p)]);
    for (let i = 0; i < 20; i++) expect(features[6 + i]).toBeCloseTo(expected.data[40 + i]!, 5);
  });

  test('engines of one pool do not disturb each other, and reset begins again from 0', () => {
    const pool = new StreamPool({ model, capacity: 2 });
    const [a, b] = [new ReservoirLoad(pool, 'a'), new ReservoirLoad(pool, 'b')];
    const first = [...a.next(loads[0]!)];
    b.next(loads[1]!);
    a.next(loads[2]!);
    a.reset();
    expect([...a.next(loads[0]!)]).toEqual(first);
    a.close();
    expect(pool.has('a')).toBe(false);
  });

  test('a negative load counts as 0', () => {
    const load = new ReservoirLoad(new StreamPool({ model, capacity: 1 }), 'a');
    expect([...load.next([-1, -1, -1, -1, -1]).subarray(0, 6)]).toEqual([1, 0, 0, 0, 0, 0]);
  });
});

test('what is no pool, and the id of a stream that exists, are refused', () => {
  expect(() => new ReservoirLoad({} as never, 'a')).toThrow(/a StreamPool for pool/);
  const pool = new StreamPool({ model, capacity: 2 });
  expect(new ReservoirLoad(pool, 'a').size).toBe(26);
  expect(() => new ReservoirLoad(pool, 'a')).toThrow(/an id without a stream for id/);
});
