/** Ridge regression against plain loops, and where the two solvers part. */
import { describe, expect, test } from 'vitest';
import { matrix } from '../../src/numeric/index.js';
import { Ridge, type RidgeOptions } from '../../src/readout/index.js';
import { relativeError, sequence } from '../reference/reservoir.js';
import { plainRidge } from '../reference/ridge.js';

function problem(steps: number, states: number, inputs: number, outputs: number) {
  const x = sequence(steps * states, 1).map((v) => v + 3); // a mean that sums of squares could drown in
  const u = sequence(steps * inputs, 2);
  const y = sequence(steps * outputs, 3).map((v, i) => v - 7 + x[Math.floor(i / outputs) * states]!);
  const all = Float64Array.from({ length: steps * (states + inputs) }, (_, i) => {
    const t = Math.floor(i / (states + inputs));
    const k = i % (states + inputs);
    return k < states ? x[t * states + k]! : u[t * inputs + k - states]!;
  });
  return { x, u, y, all };
}

describe.each(['qr', 'cholesky'] as const)('%s', (solver) => {
  test.each([
    [40, 1, 0, 1],
    [40, 5, 2, 3],
    [300, 22, 0, 1],
    [300, 23, 1, 25],
    [700, 48, 3, 24],
    [700, 100, 0, 49],
  ])(
    'gives the weights of the plain loops: %i steps, %i states, %i inputs, %i outputs',
    (steps, states, inputs, outputs) => {
      const { x, u, y, all } = problem(steps, states, inputs, outputs);
      for (const intercept of [true, false]) {
        for (const ridge of [1e-3, 10]) {
          const sums = new Ridge({ states, inputs, outputs, ridge, intercept, solver });
          sums.add(x, y, inputs > 0 ? u : undefined);
          const { weights, bias } = sums.solve();
          const wanted = plainRidge({ x: all, y, steps, ridge, intercept });
          expect(relativeError(weights.data, wanted.weights)).toBeLessThan(1e-9);
          expect(relativeError(bias, wanted.bias)).toBeLessThan(intercept ? 1e-9 : 1e-300);
        }
      }
    },
  );

  test('fewer rows than features are enough with a ridge', () => {
    const { x, y } = problem(10, 30, 0, 2);
    const sums = new Ridge({ states: 30, outputs: 2, ridge: 0.1, solver });
    sums.add(x, y);
    const wanted = plainRidge({ x, y, steps: 10, ridge: 0.1, intercept: true });
    expect(relativeError(sums.solve().weights.data, wanted.weights)).toBeLessThan(1e-9);
  });

  test('rows may come in pieces of any length, and one set of sums serves many ridges', () => {
    const { x, y } = problem(600, 30, 0, 2);
    const whole = new Ridge({ states: 30, outputs: 2, solver });
    whole.add(x, y);
    const pieces = new Ridge({ states: 30, outputs: 2, solver });
    for (let from = 0, length = 1; from < 600; from += length, length = Math.min(length * 3, 600 - from)) {
      pieces.add(x.subarray(from * 30, (from + length) * 30), y.subarray(from * 2, (from + length) * 2));
    }
    expect(pieces.steps).toBe(600);
    for (const ridge of [1e-6, 1]) {
      expect(relativeError(pieces.solve(ridge).weights.data, whole.solve(ridge).weights.data)).toBeLessThan(1e-11);
    }
  });

  test('states of f32 are summed in f64', () => {
    const { x, y } = problem(500, 20, 0, 1);
    const narrow = Float32Array.from(x);
    const sums = new Ridge({ states: 20, outputs: 1, ridge: 1e-4, solver });
    sums.add(narrow, y);
    const wanted = plainRidge({ x: narrow, y, steps: 500, ridge: 1e-4, intercept: true });
    expect(relativeError(sums.solve().weights.data, wanted.weights)).toBeLessThan(1e-9);
  });

  test('dependent features without a ridge are refused, with the remedy', () => {
    const { x, y } = problem(100, 3, 0, 1);
    const twice = Float64Array.from({ length: 400 }, (_, i) => x[Math.floor(i / 4) * 3 + (i % 4 === 3 ? 0 : i % 4)]!);
    const sums = new Ridge({ states: 4, outputs: 1, ridge: 0, solver });
    sums.add(twice, y);
    expect(() => sums.solve()).toThrow(
      expect.objectContaining({ code: 'ERR_DTESN_SINGULAR', message: expect.stringMatching(/give a larger ridge/) }),
    );
    expect(sums.solve(1e-3).weights.rows).toBe(4);
    expect(() => new Ridge({ states: 4, outputs: 1 }).solve()).toThrow(/0 steps/);
  });
});

// The singular values of X are about 1 and 1e-9: their squares cannot be told from rounding, they themselves can.
test('QR resolves directions that the Gram matrix loses', () => {
  const steps = 200;
  const a = sequence(steps, 4);
  const b = sequence(steps, 5);
  const x = Float64Array.from({ length: 2 * steps }, (_, i) => a[i >> 1]! + (i & 1 ? 1e-9 * b[i >> 1]! : 0));
  const y = Float64Array.from(a, (v, t) => 2 * v + 3e-9 * b[t]!); // weights -1 and 3
  const shape = { states: 2, outputs: 1, ridge: 0, intercept: false } as const;
  const qr = new Ridge({ ...shape, solver: 'qr' });
  qr.add(x, y);
  const [first, second] = qr.solve().weights.data;
  expect(first).toBeCloseTo(-1, 5);
  expect(second).toBeCloseTo(3, 5);
  const gram = new Ridge({ ...shape, solver: 'cholesky' });
  gram.add(x, y);
  expect(() => gram.solve()).toThrow(/or the solver 'qr'/);
});

test.each<[string, () => unknown, RegExp]>([
  ['an unknown option', () => new Ridge({ states: 1, outputs: 1, rigde: 1 } as RidgeOptions), /did you mean ridge/],
  ['a negative ridge', () => new Ridge({ states: 1, outputs: 1, ridge: -1 }), /for ridge but received -1/],
  ['no states', () => new Ridge({ states: 0, outputs: 1 }), /whole number from 1 to 1048576 for states/],
  [
    'an unknown solver',
    () => new Ridge({ states: 1, outputs: 1, solver: 'lu' as 'qr' }),
    /'qr', 'cholesky', 'svd' or 'dual' for solver/,
  ],
  ['rows of another width', () => add([[1, 2]], [1]), /Expected states with 1 feature \(states of this readout\)/],
  ['targets of other steps', () => add([1, 2], [1]), /Expected targets with 2 steps/],
  ['a target that is infinite', () => add([1], [Number.POSITIVE_INFINITY]), /finite numbers, or NaN, for targets/],
  ['inputs that were not announced', () => add([1], [1], [1]), /no inputs/],
  ['no targets', () => add([1], undefined as unknown as number[]), /for targets/],
])('refused: %s', (_, call, message) => {
  expect(call).toThrow(message);
});

function add(...rows: Parameters<Ridge['add']>) {
  new Ridge({ states: 1, outputs: 1 }).add(...rows);
}

test('a readout applies its weights to f32 and f64 rows, states and inputs', () => {
  const sums = new Ridge({ states: 19, inputs: 2, outputs: 3, ridge: 1e-6 });
  const { x, u, y } = problem(100, 19, 2, 3);
  sums.add(x, y, u);
  const readout = sums.solve();
  const wanted = Float64Array.from({ length: 300 }, (_, i) => {
    const t = Math.floor(i / 3);
    const m = i % 3;
    let sum = readout.bias[m]!;
    for (let k = 0; k < 19; k++) sum += x[t * 19 + k]! * readout.weights.data[k * 3 + m]!;
    for (let d = 0; d < 2; d++) sum += u[t * 2 + d]! * readout.weights.data[(19 + d) * 3 + m]!;
    return sum;
  });
  expect(relativeError(readout.apply(x, u).data, wanted)).toBeLessThan(1e-13);
  expect(relativeError(readout.apply(Float32Array.from(x), Float32Array.from(u)).data, wanted)).toBeLessThan(1e-5);
  expect(readout.apply(matrix(0, 19), matrix(0, 2)).rows).toBe(0);
});
