/** Recursive least squares against the batch solutions it must equal. */
import { describe, expect, test } from 'vitest';
import { RecursiveLeastSquares, Ridge } from '../../src/readout/index.js';
import { quick } from '../quick.js';
import { relativeError, sequence } from '../reference/reservoir.js';
import { plainRidge } from '../reference/ridge.js';

test.each([
  [1, 0, 1],
  [5, 2, 1],
  [24, 0, 3],
  [70, 1, 2],
])('without forgetting it is ridge regression: %i states, %i inputs, %i outputs', (states, inputs, outputs) => {
  const steps = 3 * (states + inputs) + 40;
  const x = sequence(steps * states, 1);
  const u = inputs > 0 ? sequence(steps * inputs, 2) : undefined;
  const y = sequence(steps * outputs, 3);
  const shape = { states, inputs, outputs, ridge: 0.01, intercept: false };
  const rls = new RecursiveLeastSquares(shape);
  rls.update(x, y, u);
  const ridge = new Ridge(shape);
  ridge.add(x, y, u);
  expect(rls.steps).toBe(steps);
  expect(relativeError(rls.readout().weights.data, ridge.solve().weights.data)).toBeLessThan(1e-9);
});

test('RLS with forgetting is least squares with exponentially weighted rows', () => {
  const [steps, states, forgetting] = [120, 6, 0.95];
  const x = sequence(steps * states, 1);
  const y = sequence(steps, 3);
  const rls = new RecursiveLeastSquares({ states, outputs: 1, ridge: 0.5, forgetting, intercept: false });
  rls.update(x, y);
  const importance = (row: number) => forgetting ** (steps - 1 - row);
  const ridge = 0.5 * forgetting ** steps; // the start fades too
  const wanted = plainRidge({ x, y, steps, ridge, intercept: false, importance });
  expect(relativeError(rls.readout().weights.data, wanted.weights)).toBeLessThan(1e-9);
});

// reservoirpy's own analytic test: W about 1/200, b about 1/2 of targets 1 on 100 states of 1 (there b is a step of its own).
test('an intercept is one more feature that is always 1', () => {
  const rls = new RecursiveLeastSquares({ states: 100, outputs: 1, ridge: 1e-6 });
  rls.update(new Float64Array(20_000).fill(1), new Float64Array(200).fill(1));
  const { weights, bias } = rls.readout();
  for (const w of weights.data) expect(w).toBeCloseTo(1 / 101, 8);
  expect(bias[0]).toBeCloseTo(1 / 101, 8);
});

test('the prediction for a row comes from the rows before it', () => {
  const [steps, states] = [30, 4];
  const x = sequence(steps * states, 1);
  const y = sequence(steps, 2);
  const whole = new RecursiveLeastSquares({ states, outputs: 1 }).update(x, y).data;
  const rls = new RecursiveLeastSquares({ states, outputs: 1 });
  for (let t = 0; t < steps; t++) {
    const row = x.subarray(t * states, (t + 1) * states);
    const before = rls.readout().apply(row).data[0]!;
    expect(whole[t]).toBeCloseTo(before, 9);
    rls.update(row, y.subarray(t, t + 1));
  }
});

/** The textbook law in plain loops of f64, P symmetrised: the states and, last, a 1. */
class Textbook {
  readonly p: Float64Array;
  readonly w: Float64Array;
  constructor(
    readonly n: number,
    ridge: number,
    readonly forgetting: number,
  ) {
    this.p = new Float64Array(n * n);
    for (let i = 0; i < n; i++) this.p[i * n + i] = 1 / ridge;
    this.w = new Float64Array(n);
  }

  update(x: Float64Array, target: number): void {
    const { n, p, w, forgetting } = this;
    const y = Float64Array.from({ length: n }, (_, i) => {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += p[i * n + k]! * x[k]!;
      return sum;
    });
    let [divisor, error] = [forgetting, target];
    for (let i = 0; i < n; i++) {
      divisor += x[i]! * y[i]!;
      error -= x[i]! * w[i]!;
    }
    for (let i = 0; i < n; i++) {
      w[i]! += (error * y[i]!) / divisor;
      for (let k = 0; k <= i; k++) {
        p[i * n + k] = p[k * n + i] = (p[i * n + k]! - (y[i]! * y[k]!) / divisor) / forgetting;
      }
    }
  }
}

test.each([
  [3, 0.99, 20_000],
  [3, 0.999, 20_000],
  [20, 0.99, 5000],
  [20, 0.999, 5000],
  [100, 0.99, 1000],
  [100, 0.999, 1000],
])(
  'on white input it is the textbook law to 1e-8: %i features, forgetting %d, %i steps',
  (states, forgetting, steps) => {
    const x = sequence(steps * states, 1);
    const y = sequence(steps, 2);
    const rls = new RecursiveLeastSquares({ states, outputs: 1, forgetting });
    const textbook = new Textbook(states + 1, 1e-6, forgetting);
    rls.update(x, y);
    for (let t = 0; t < steps; t++) {
      textbook.update(Float64Array.of(...x.subarray(t * states, (t + 1) * states), 1), y[t]!);
    }
    const { weights, bias } = rls.readout();
    expect(relativeError([...weights.data, ...bias], textbook.w)).toBeLessThan(1e-8);
  },
);

// DTESN_LONG=1 takes the steps of a long watch: ten times as many. The quick run takes a tenth: without the mend P is lost
// at 0.99 before step 3,000 of 3 features, and before step 2,500 of 100.
const times = process.env['DTESN_LONG'] === '1' ? 10 : quick ? 0.1 : 1;
const white = (t: number, i: number) => whiteness[(t * 7919 + i * 104_729) % whiteness.length]!;
const whiteness = sequence(1_000_003, 5);
const sine = (t: number, i: number) => Math.sin(0.1 * t + 0.37 * i);

describe.each([
  [3, 100_000],
  [20, 100_000],
  [100, 100_000],
])('with forgetting, %i features are learned for ever', (states, steps) => learnedForEver(states, steps));
describe('with forgetting, 1000 features are learned for ever', { tags: ['slow'] }, () => learnedForEver(1000, 10_000));

/**
 * P x by one more row [x, 1] of a copy: W moves by P x / (forgetting + x' P x) times the error. P is finite, and along a few
 * directions symmetric and positive.
 */
function expectPositive(rls: RecursiveLeastSquares, states: number, forgetting: number): void {
  const weightsOf = (one: RecursiveLeastSquares) => {
    const { weights, bias } = one.readout();
    return [...weights.data, ...bias];
  };
  const saved = rls.save();
  const before = weightsOf(rls);
  const probes = [11, 12, 13].map((seed) => {
    const row = sequence(states, seed);
    const copy = RecursiveLeastSquares.restore(saved);
    const error = 1e6 - copy.update(row, [1e6]).data[0]!;
    const x = [...row, 1];
    const gain = weightsOf(copy).map((w, i) => (w - before[i]!) / error);
    copy.close();
    const share = gain.reduce((sum, g, i) => sum + g * x[i]!, 0); // x' P x / (forgetting + x' P x)
    expect(gain.every(Number.isFinite)).toBe(true);
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
    const along = gain.map((g) => (g * forgetting) / (1 - share));
    return { x, along, length: Math.sqrt((share * forgetting) / (1 - share)) };
  });
  const product = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  for (const a of probes) {
    for (const b of probes) {
      const apart = Math.abs(product(a.x, b.along) - product(b.x, a.along)) / (a.length * b.length);
      expect(apart).toBeLessThan(1e-6);
    }
  }
}

function learnedForEver(states: number, steps: number): void {
  test.each([
    ['white input', 0.99, white],
    ['white input', 0.999, white],
    ['a sine', 0.99, sine],
    ['a sine', 0.999, sine],
  ] as const)('from %s at %d', { timeout: 600_000 }, (_name, forgetting, input) => {
    const rls = new RecursiveLeastSquares({ states, outputs: 1, forgetting });
    const rows = 1000;
    const x = new Float64Array(rows * states);
    const targets = new Float64Array(rows);
    let worst = Number.POSITIVE_INFINITY;
    for (let start = 0; start < times * steps; start += rows) {
      for (let t = 0; t < rows; t++) {
        for (let i = 0; i < states; i++) x[t * states + i] = input(start + t, i);
        targets[t] = 2 * x[t * states]! - x[t * states + states - 1]!;
      }
      const predictions = rls.update(x, targets).data;
      worst = 0;
      for (let t = 0; t < rows; t++) worst = Math.max(worst, Math.abs(predictions[t]! - targets[t]!));
    }
    expect(rls.steps).toBe(times * steps);
    expect(worst).toBeLessThan(1e-6);
    expectPositive(rls, states, forgetting);
  });
}

// The weight of the sine changes when P has long reached its bound.
test('a drifting sine that does not excite every direction is followed', () => {
  const [states, steps] = [20, 30_000];
  const rls = new RecursiveLeastSquares({ states, outputs: 1, forgetting: 0.99 });
  const x = Float64Array.from({ length: steps * states }, (_, at) => sine(Math.floor(at / states), at % states));
  const y = Float64Array.from({ length: steps }, (_, t) => (t < 25_000 ? 1 : -3) * Math.sin(0.1 * t));
  const predictions = rls.update(x, y).data;
  const error = (t: number) => Math.abs(predictions[t]! - y[t]!);
  const worstFrom = (from: number) => Math.max(...Array.from({ length: 100 }, (_, i) => error(from + i)));
  expect(worstFrom(24_900)).toBeLessThan(1e-6);
  expect(worstFrom(25_000)).toBeGreaterThan(1);
  expect(worstFrom(29_900)).toBeLessThan(1e-6);
});

// A loud spell shrinks P a ten thousand times; in the quiet after it P comes back.
test('a sine is followed after its amplitude was a hundred times larger', () => {
  const [states, steps] = [20, 30_000];
  const rls = new RecursiveLeastSquares({ states, outputs: 1, forgetting: 0.99 });
  const gain = (t: number) => (t >= 10_000 && t < 20_000 ? 100 : 1);
  const x = Float64Array.from({ length: steps * states }, (_, at) => {
    const t = Math.floor(at / states);
    return gain(t) * sine(t, at % states);
  });
  const y = Float64Array.from({ length: steps }, (_, t) => (t < 25_000 ? 1 : -3) * gain(t) * Math.sin(0.1 * t));
  const predictions = rls.update(x, y).data;
  for (let t = 29_900; t < steps; t++) expect(Math.abs(predictions[t]! - y[t]!)).toBeLessThan(1e-6);
});

test('loss of positive definiteness of P is an error, and the rows before it were learned', () => {
  const rls = new RecursiveLeastSquares({ states: 2, outputs: 1, ridge: 1e-12, forgetting: 0.99 });
  const x = Float64Array.from({ length: 4000 }, (_, at) => 1e4 * sine(at >> 1, at & 1));
  expect(() => rls.update(x, new Float64Array(2000))).toThrow(
    expect.objectContaining({
      code: 'ERR_DTESN_UNSTABLE',
      message: expect.stringMatching(/^P lost positive definiteness at row \d+: give a larger ridge/),
    }),
  );
  expect(rls.steps).toBeLessThan(2000);
});

test.each([
  [{ forgetting: 0 }, /number in \(0, 1\] for forgetting/],
  [{ ridge: 0 }, /finite number above 0 for ridge/],
  [{ states: 1.5 }, /for states/],
])('refused: %o', (option, message) => {
  expect(() => new RecursiveLeastSquares({ states: 2, outputs: 1, ...option })).toThrow(message);
});

test('inputs beside f32 states are checked as they are stored: 1e39 is refused', () => {
  const rls = new RecursiveLeastSquares({ states: 1, inputs: 1, outputs: 1 });
  const ridge = new Ridge({ states: 1, inputs: 1, outputs: 1 });
  expect(() => rls.update(Float32Array.of(1), [1], [1e39])).toThrow(/finite numbers for inputs/);
  expect(() => ridge.add(Float32Array.of(1), [1], [1e39])).toThrow(/finite numbers for inputs/);
  expect(rls.steps).toBe(0);
});
