/** Nested readouts of an Esn: of each number of levels the fit to these levels alone. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  DeepTreeModel,
  type DeepTreeOptions,
  delays,
  Esn,
  type EsnOptions,
  Featured,
  firstStates,
  type Matrix,
  RecursiveLeastSquares,
  Ridge,
} from '../../src/index.js';
import { relativeError } from '../reference/reservoir.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-levels-'));
afterAll(() => rmSync(folder, { recursive: true }));

const u = Array.from({ length: 400 }, (_, t) => [Math.sin(t / 3) + Math.sin(t * t)]);
const y = u.map((_, t) => [(u[t - 3]?.[0] ?? 0) * 0.5 + (u[t - 1]?.[0] ?? 0) ** 2, (u[t - 5]?.[0] ?? 0) ** 3]);

const tree = (options: Partial<DeepTreeOptions> = {}) =>
  new DeepTreeModel({ depth: 3, units: 40, inputs: 1, leak: 0.8, seed: 2, dtype: 'f64', ...options });
const nested = (options: Partial<EsnOptions> = {}) =>
  new Esn({ network: tree(), nested: true, washout: 20, readout: { ridge: 1e-6 }, ...options });
const widths = [11, 21, 41];

describe('the readout of each number of levels', () => {
  test.each([
    ['qr', {}],
    ['cholesky', { solver: 'cholesky' }],
    ['two folds', { folds: 2 }],
  ] as const)('is that of a separate fit to the states of these levels: %s', (_name, readout) => {
    const esn = nested({ readout: { ridge: 1e-6, ...readout } }).fit(u, y);
    expect(esn.levels.map(({ features }) => features)).toEqual(widths);
    for (const { levels, features, membranes, readout: own } of esn.levels) {
      const alone = new Esn({
        network: tree(),
        features: ['inputs', firstStates(features - 1)],
        washout: 20,
        readout: { ridge: 1e-6 },
      }).fit(u, y);
      expect(relativeError(own.weights.data, alone.readout.weights.data)).toBeLessThan(1e-10);
      expect(relativeError(own.bias, alone.readout.bias)).toBeLessThan(1e-10);
      expect(membranes).toBe([1, 2, 4][levels - 1]);
      const wanted = alone.predict(u, { state: 'reset' });
      expect(relativeError(esn.predict(u, { state: 'reset', levels }).data, wanted.data)).toBeLessThan(1e-10);
    }
    expect(esn.predict(u, { state: 'reset', levels: 3 })).toEqual(esn.predict(u, { state: 'reset' }));
  });

  test('knows its error over the folds, as a Ridge of these features measures it', () => {
    const esn = nested().fit(u, y);
    for (const { features, nrmse } of esn.levels) {
      const network = new Featured({ network: tree(), features: ['inputs', firstStates(features - 1)] });
      const rows = network.run(u);
      const from = (all: Matrix | number[][]) =>
        Array.isArray(all) ? all.slice(20) : { rows: 380, cols: features, data: all.data.subarray(20 * features) };
      const ridge = new Ridge({ folds: 5 }).add(from(rows), from(y));
      expect(nrmse! / Math.sqrt(ridge.validate([1e-6]).table[0]!.error)).toBeCloseTo(1, 9);
    }
    expect(nested({ readout: { ridge: 1e-6, folds: 1 } }).fit(u, y).levels[0]!.nrmse).toBeNull();
  });

  test('is the same from fitAsync, in several fits, and for f32 with delays and a scale', async () => {
    const options = {
      network: tree({ dtype: 'f32' }),
      features: ['inputs', delays(2), 'states'],
      scale: 'standard',
      readout: { ridge: [1e-6, 1e-2] },
    } as const;
    const esn = nested(options).fit(u, y);
    const other = await nested(options).fitAsync(u, y);
    const numbers = ({ levels }: Esn) =>
      levels.map(({ features, readout, nrmse }) => [features, [...readout.weights.data], nrmse]);
    expect(numbers(other)).toEqual(numbers(esn));
    expect(esn.levels.map(({ features }) => features)).toEqual(widths.map((width) => width + 2));
    const first = esn.predict(u, { state: 'reset', levels: 1 });
    expect(await esn.predictAsync(u, { state: 'reset', levels: 1 })).toEqual(first);
    expect(esn.score(u, y, { state: 'reset', levels: 3 })).toBeGreaterThan(
      esn.score(u, y, { state: 'reset', levels: 1 }),
    );
    esn.partialFit(u.slice(0, 100), y.slice(0, 100));
    expect(esn.predict(u, { state: 'reset', levels: 1 })).not.toEqual(first);
  });

  test('is there for a forecaster, whose ridge the closed loop of all levels chooses', () => {
    const waves = Array.from({ length: 300 }, (_, t) => [Math.sin(t / 4)]);
    const esn = nested({ readout: undefined }).fit(waves);
    expect(esn.levels[2]!.readout.weights.data).toEqual(esn.readout.weights.data);
  });
});

test('levels that do not run hold their state, and the gates are as before', () => {
  const esn = nested().fit(u, y);
  const before = Float64Array.from(esn.state.data);
  esn.state.gates![3] = 0;
  esn.predict(u.slice(0, 9), { levels: 2 });
  expect([...esn.state.gates!]).toEqual([1, 1, 1, 0]);
  const { offset } = tree().membranes[2]!;
  expect(esn.state.data.slice(offset, 40)).toEqual(before.slice(offset, 40));
  expect(esn.state.data.slice(0, offset)).not.toEqual(before.slice(0, offset));
});

test.each(['skin', 'all'] as const)(
  'files and snapshots keep every readout to the bit: inputTo %s',
  async (inputTo) => {
    const esn = nested({ network: tree({ inputTo }) }).fit(u, y);
    const file = path.join(folder, `${inputTo}.safetensors`);
    await esn.save(file);
    const loaded = await Esn.load(file);
    const restored = nested({ network: tree({ inputTo }) }).restore(structuredClone(esn.snapshot()));
    for (const other of [loaded, restored]) {
      expect(other.levels.map(({ nrmse }) => nrmse)).toEqual(esn.levels.map(({ nrmse }) => nrmse));
      for (const levels of [1, 2, 3]) {
        expect(other.predict(u, { state: 'reset', levels }).data).toEqual(
          esn.predict(u, { state: 'reset', levels }).data,
        );
      }
    }
    const { levels: _, ...bare } = esn.snapshot();
    expect(() => nested({ network: tree({ inputTo }) }).restore(bare)).toThrow(/a snapshot of 3 levels/);
    const first = { ...esn.snapshot().levels![0]!, weights: new Float64Array(4) };
    const cut = { ...esn.snapshot(), levels: [first, ...esn.snapshot().levels!.slice(1)] };
    expect(() => nested({ network: tree({ inputTo }) }).restore(cut)).toThrow(/a snapshot of 11 features of 1 levels/);
  },
);

test.each([
  ['another network', { network: { units: 9, inputs: 1 } }, /Expected a DeepTreeModel \(with nested/],
  ['feedback', { network: tree({ feedback: 0.1 }) }, /feedback/],
  ['a forest whose levels are mixed', { network: tree({ depth: undefined, parents: [null, 0, null] }) }, /parents/],
  ['states first', { features: ['states', 'inputs'] }, /features of the inputs and then 'states'/],
  ['features of states before', { features: [delays(1, { of: 'states' }), 'states'] }, /then 'states'/],
  ['an online readout', { readout: new RecursiveLeastSquares({}) }, /a Ridge \(with nested\)/],
  ['the solver svd', { readout: { solver: 'svd' } }, /'qr' or 'cholesky' \(with nested\)/],
  ['a Ridge with the solver dual', { readout: new Ridge({ solver: 'dual' }) }, /'qr' or 'cholesky' \(with nested\)/],
] as [string, Partial<EsnOptions>, RegExp][])('nested is refused for %s', (_name, options, message) => {
  expect(() => nested(options)).toThrow(message);
});

test('levels are refused where there are none, or not so many', () => {
  const esn = nested();
  expect(() => esn.levels).toThrow(/call fit first/);
  esn.fit(u, y);
  expect(() => esn.predict(u, { levels: 4 })).toThrow(/from 1 to 3/);
  const plain = new Esn({ network: tree() }).fit(u, y);
  expect(plain.levels).toEqual([]);
  expect(() => plain.predict(u, { levels: 1 })).toThrow(/no levels \(without nested\)/);
});
