/** Streams of a pool with an Esn: their outputs are those of predict, and their targets are learned step by step. */
import { expect, test } from 'vitest';
import { Esn, RecursiveLeastSquares, Reservoir, StreamPool } from '../../src/index.js';

const network = { units: 20, inputs: 1, leak: 0.5, biasScaling: 0.3, seed: 4 };
const series = Array.from({ length: 200 }, (_, t) => 10 + Math.sin(t / 4) + Math.cos(t / 9));
const fitted = () => new Esn({ network, scale: 'standard', readout: { ridge: 1e-6 } }).fit(series);

test('outputs of streams are those of predict', () => {
  const esn = fitted();
  const expected = esn.predict(series.slice(0, 30), { state: 'reset' }).data;
  const pool = new StreamPool({ esn, capacity: 3 });
  for (let t = 0; t < 30; t++) {
    pool.push('a', [series[t]!]);
    if (t % 2 === 0) pool.push(7, [series[t]!]);
    const outputs = pool.stepOutputs();
    expect([...outputs.keys()]).toEqual(t % 2 === 0 ? ['a', 7] : ['a']);
    expect(outputs.get('a')![0]).toBeCloseTo(expected[t]!, 10);
    expect(pool.output('a')[0]).toBeCloseTo(expected[t]!, 10);
  }
  expect(pool.stepOutputs().size).toBe(0);
});

const online = () => new Esn({ network, readout: new RecursiveLeastSquares({ ridge: 1e-4 }) });

test('targets are learned when their inputs are stepped, as partialFit learns them', async () => {
  const alone = online().partialFit(series.slice(0, 50), series.slice(1, 51));
  const [esn, other] = [online(), online()];
  const pool = new StreamPool({ esn, capacity: 2 });
  const asynchronous = new StreamPool({ esn: other, capacity: 2 });
  for (let t = 0; t < 50; t += 5) {
    const [inputs, targets] = [series.slice(t, t + 5), series.slice(t + 1, t + 6)];
    pool.push('a', inputs, targets);
    asynchronous.push('a', inputs, targets);
    while (pool.ready > 0) pool.step();
    while (asynchronous.ready > 0) await asynchronous.stepAsync();
  }
  alone.readout.weights.data.forEach((weight, i) => {
    expect(esn.readout.weights.data[i]).toBeCloseTo(weight, 9);
    expect(other.readout.weights.data[i]).toBeCloseTo(weight, 9);
  });
});

test('steps without a target, or with NaN, are not learned', () => {
  const readout = new RecursiveLeastSquares({ ridge: 1e-4 });
  const pool = new StreamPool({ esn: new Esn({ network, readout }), capacity: 1 });
  pool.push('a', [1, 2, 3], [2, Number.NaN, 4]);
  pool.push('a', [4]);
  while (pool.ready > 0) pool.step();
  expect(readout.steps).toBe(2);
});

test('targets of a released stream do not reach the one after it', () => {
  const readout = new RecursiveLeastSquares({ ridge: 1e-4 });
  const pool = new StreamPool({ esn: new Esn({ network, readout }), capacity: 1 });
  pool.push('a', [1], [2]);
  pool.release('a');
  pool.push('b', [1]);
  pool.step();
  expect(readout.steps).toBe(0);
});

test.each<[string, () => unknown, RegExp]>([
  [
    'neither a network nor an Esn',
    () => new StreamPool({ capacity: 1 }),
    /DeepTreeModel for model \(or an Esn for esn\)/,
  ],
  ['both', () => new StreamPool({ capacity: 1, esn: fitted(), model: new Reservoir(network) }), /or an Esn for esn/],
  [
    'targets without an Esn',
    () => new StreamPool({ capacity: 1, model: new Reservoir(network) }).push('a', [1], [1]),
    /no targets/,
  ],
  [
    'outputs without an Esn',
    () => new StreamPool({ capacity: 1, model: new Reservoir(network) }).stepOutputs(),
    /a pool with an Esn/,
  ],
  [
    'targets for a Ridge',
    () => {
      const pool = new StreamPool({ capacity: 1, esn: fitted() });
      pool.push('a', [1], [1]);
      pool.step();
    },
    /RecursiveLeastSquares or LeastMeanSquares/,
  ],
])('refused: %s', (_, call, message) => {
  expect(call).toThrow(message);
});

test('a push that is refused for its targets takes no input', () => {
  const readout = new RecursiveLeastSquares({ ridge: 1e-4 });
  const pool = new StreamPool({ esn: new Esn({ network, readout }), capacity: 2, ring: 8 });
  pool.push('a', [1], [2]);
  expect(() => pool.push('a', [1, 2, 3], [1, 2])).toThrow(/targets with 3 rows/);
  expect(() => pool.push('b', [1, 2, 3], [1, 2])).toThrow(/targets with 3 rows/);
  expect(pool.has('b')).toBe(false);
  expect(pool.step()).toBe(1);
  expect(pool.ready).toBe(0);
  expect(readout.steps).toBe(1);
});
