import { describe, expect, test } from 'vitest';
import { DeepTreeModel, type DeepTreeOptions, Reservoir } from '../../src/network/index.js';
import { matrix, spectralRadius } from '../../src/numeric/index.js';
import { plainTreeRun } from '../reference/deep-tree.js';
import { relativeError, sequence } from '../reference/reservoir.js';

const base: DeepTreeOptions = { depth: 4, units: 75, inputs: 2, dtype: 'f64', leak: [0.5, 0.6, 0.7, 0.8], seed: 4 };
const STEPS = 60;

/** Rows of one membrane, step by step. */
function rowsOf(model: DeepTreeModel, states: ArrayLike<number>, membrane: number): number[][] {
  const { offset, units } = model.membranes[membrane]!;
  const steps = states.length / model.units;
  return Array.from({ length: steps }, (_, t) =>
    Array.from({ length: units }, (_, i) => states[t * model.units + offset + i]!),
  );
}

describe('the update', () => {
  test.each([
    ['parentFirst', {}],
    ['synchronous', { update: 'synchronous' }],
    ['parentFirst with feedback', { feedback: 0.5 }],
    ['inputs to the skin alone', { inputTo: 'skin' }],
    ['synchronous with feedback, inputs to the skin alone', { update: 'synchronous', feedback: 0.5, inputTo: 'skin' }],
    ['sparse regions', { topology: 'sparse', density: 0.3 }],
    ['biases', { biasScaling: 0.4 }],
  ] as [string, Partial<DeepTreeOptions>][])('equals the plain loops: %s', (_name, options) => {
    for (const [dtype, tolerance] of [
      ['f64', 1e-12],
      ['f32', 1e-5],
    ] as const) {
      const model = new DeepTreeModel({ ...base, ...options, dtype });
      const series = Array.from({ length: STEPS }, (_, t) => [...sequence(2, t + 1)]);
      const wanted = plainTreeRun(model, series.flat());
      expect(relativeError(model.run(series).data, wanted)).toBeLessThan(tolerance);
    }
  });

  test('a tree of depth 1 is one plain reservoir', () => {
    const options = { units: 40, inputs: 1, dtype: 'f64', leak: 0.4, spectralRadius: 0.95, seed: 9 } as const;
    const tree = new DeepTreeModel({ ...options, depth: 1 }).run(sequence(STEPS));
    const plain = new Reservoir(options).run(sequence(STEPS));
    expect([...tree.data]).toEqual([...plain.data]);
  });

  test('the input reaches every membrane unless it is given to the skin alone', () => {
    const reached = (options: Partial<DeepTreeOptions>) => {
      const model = new DeepTreeModel({ ...base, ...options });
      return model.membranes.map(({ index }) => model.weights(index).input.data.some((value) => value !== 0));
    };
    expect(reached({})).toEqual(reached({ inputTo: 'all' }));
    expect(reached({}).every((one) => one)).toBe(true);
    expect(reached({ inputTo: 'skin' })).toEqual([true, false, false, false, false, false, false, false]);
  });

  test('with coupling 0 every membrane is an independent reservoir', () => {
    const model = new DeepTreeModel({ ...base, coupling: 0 });
    const { data } = model.run(sequence(2 * STEPS));
    expect(model.membranes.map(({ units }) => units)).toEqual([10, 10, 10, 9, 9, 9, 9, 9]);
    for (const { index, leak } of model.membranes) {
      const { recurrent, input, bias } = model.weights(index);
      const alone = new Reservoir({ weights: { recurrent, input, bias }, leak });
      const wanted = alone.run(sequence(2 * STEPS));
      expect(relativeError(rowsOf(model, data, index).flat(), wanted.data)).toBeLessThan(1e-14);
    }
  });

  test('synchronous is parentFirst delayed by the level, without feedback', () => {
    const series = sequence(2 * STEPS);
    const first = new DeepTreeModel({ ...base, inputTo: 'skin', update: 'parentFirst' });
    const synchronous = new DeepTreeModel({ ...base, inputTo: 'skin', update: 'synchronous' });
    const a = first.run(series).data;
    const b = synchronous.run(series).data;
    for (const { index, level } of first.membranes) {
      const delayed = rowsOf(synchronous, b, index).slice(level - 1);
      const wanted = rowsOf(first, a, index).slice(0, STEPS - (level - 1));
      expect(relativeError(delayed.flat(), wanted.flat())).toBeLessThan(1e-14);
    }
  });
});

describe('gates', () => {
  test('a closed membrane keeps its state and the others go on without it', () => {
    const model = new DeepTreeModel({ ...base, feedback: 0.3 });
    model.run(sequence(2 * STEPS));
    const held = 3;
    model.gates[held] = 0;
    const before = [...model.stateOf(held)];
    const wanted = plainTreeRun(model, sequence(2 * STEPS, 5));
    const got = model.run(sequence(2 * STEPS, 5));
    expect([...model.stateOf(held)]).toEqual(before);
    expect(relativeError(got.data, wanted)).toBeLessThan(1e-12);
  });

  test('activate keeps the first membranes in breadth-first order: the deepest leaves are closed first', () => {
    const model = new DeepTreeModel(base);
    model.activate(5);
    expect([...model.gates]).toEqual([1, 1, 1, 1, 1, 0, 0, 0]);
    expect(model.activeMembranes).toBe(5);
    model.run(sequence(2 * STEPS));
    for (const m of [5, 6, 7]) expect([...model.stateOf(m)].every((v) => v === 0)).toBe(true);
    for (const m of [0, 1, 2, 3, 4]) expect([...model.stateOf(m)].some((v) => v !== 0)).toBe(true);
    model.activate(8);
    expect(model.activeMembranes).toBe(8);
  });
});

describe('stability', () => {
  test('states from two starts meet when every region has echo states', () => {
    const options = { ...base, spectralRadius: 0.5, coupling: 1 };
    const a = new DeepTreeModel(options);
    const b = new DeepTreeModel(options);
    b.reset(sequence(b.units, 77));
    const series = sequence(2 * 600);
    a.run(series, { out: null });
    b.run(series, { out: null });
    expect(relativeError(a.state, b.state)).toBeLessThan(1e-12);
    expect(a.stability().effectiveRadius).toBeLessThan(1);
  });

  test('the measured contraction separates echo states from none, and the state does not change', () => {
    const series = sequence(2 * 400, 3);
    const echoes = new DeepTreeModel({ ...base, spectralRadius: 0.5 });
    const { before, after } = echoes.contraction(series);
    expect(before).toBeCloseTo(2 * Math.sqrt(echoes.units), 12);
    expect(after / before).toBeLessThan(1e-12);
    expect([...echoes.state].every((x) => x === 0)).toBe(true);
    const none = new DeepTreeModel({ ...base, spectralRadius: 5, inputScaling: 0.01 }).contraction(series);
    expect(none.after / none.before).toBeGreaterThan(0.01);
  });

  test('the effective radius of leaky cycles is 1 - leak + leak ρ (closed form)', () => {
    const model = new DeepTreeModel({ ...base, topology: 'cycle', leak: 0.4, spectralRadius: [0.9, 0.8, 0.7, 0.6] });
    expect(model.stability().effectiveRadius).toBeCloseTo(0.6 + 0.4 * 0.9, 14);
    const { recurrent } = model.weights(0);
    const n = recurrent.rows;
    const leaky = recurrent.data.map((w, at) => 0.4 * w + (at % (n + 1) === 0 ? 0.6 : 0));
    expect(spectralRadius(matrix(n, n, leaky))).toBeCloseTo(0.6 + 0.4 * 0.9, 10);
  });

  test('a norm bound below 1 is a contraction at each step', () => {
    const options = { ...base, update: 'synchronous', spectralRadius: 0.1, coupling: 0.05, feedback: 0.05 } as const;
    const a = new DeepTreeModel(options);
    const b = new DeepTreeModel(options);
    const { normBound, feedback } = a.stability();
    expect(feedback).toBe(true);
    expect(normBound).toBeLessThan(1);
    b.reset(sequence(b.units, 77));
    const distance = () => Math.hypot(...Array.from(a.state, (v, i) => v - b.state[i]!));
    for (let t = 0; t < 20; t++) {
      const before = distance();
      a.run([[1, -1]]);
      b.run([[1, -1]]);
      expect(distance()).toBeLessThanOrEqual(before * normBound * (1 + 1e-9));
    }
  });
});

describe('options', () => {
  test.each([
    ['depth 0', { depth: 0 }, /for depth but received 0/],
    ['too few units', { units: 7 }, /at least 8.* for units but received 7/],
    ['units for other levels', { units: [10, 10] }, /units with 4 elements \(levels\)/],
    ['leak for other levels', { leak: [1, 1] }, /leak with 4 elements \(levels\)/],
    ['negative coupling', { coupling: -1 }, /for coupling/],
    ['an unknown update', { update: 'parallel' }, /'parentFirst' or 'synchronous'/],
    ['a misspelt key', { feedbak: 1 }, /did you mean feedback/],
    ['more than memory', { units: 16_000_000, topology: 'dense' }, /available memory/],
  ])('%s is refused', (_name, options, message) => {
    expect(() => new DeepTreeModel({ ...base, ...options } as DeepTreeOptions)).toThrow(message);
  });

  test('units in total are spread evenly over the membranes, units per level over its membranes', () => {
    expect(new DeepTreeModel({ ...base, units: 19, leak: 1 }).membranes.map((m) => m.units)).toEqual([
      3, 3, 3, 2, 2, 2, 2, 2,
    ]);
    expect(new DeepTreeModel({ ...base, units: [4, 5, 6, 9] }).membranes.map((m) => m.units)).toEqual([
      4, 5, 3, 3, 3, 2, 2, 2,
    ]);
  });
});
