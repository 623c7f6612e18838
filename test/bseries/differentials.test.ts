import { describe, expect, test } from 'vitest';
import {
  type DifferentialsOptions,
  elementaryDifferentials,
  errorEstimate,
  taylorCoefficients,
} from '../../src/bseries/index.js';
import { matrix } from '../../src/numeric/index.js';
import { rootedTrees } from '../../src/trees/index.js';
import { type Flow, taylorJet, treeDifferential } from '../reference/elementary-differentials.js';
import { uniform } from '../reference/matrices.js';

function drawn(units: number, seed: number, scale = 1.2): Flow {
  const random = uniform(seed);
  const many = (count: number, factor: number) => Float64Array.from({ length: count }, () => factor * random());
  return {
    units,
    weights: many(units * units, (scale * Math.sqrt(3)) / Math.sqrt(units)),
    state: many(units, 0.8),
    drive: many(units, 0.5),
    decay: many(units, 0.3).map((a) => 1 + a),
  };
}

function evaluate(flow: Flow, order: number, dtype: 'f32' | 'f64' = 'f64') {
  const { units, state, drive, decay } = flow;
  const data = dtype === 'f64' ? Float64Array.from(flow.weights) : Float32Array.from(flow.weights);
  return elementaryDifferentials({
    weights: matrix(units, units, data),
    state: Float64Array.from(state),
    drive: Float64Array.from(drive),
    decay: Float64Array.from(decay),
    order,
  });
}

function relativeError(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  const norm = Math.hypot(...Array.from(wanted));
  return Math.hypot(...Array.from(wanted, (value, i) => value - got[i]!)) / norm;
}

const row = (values: { cols: number; data: Float32Array | Float64Array }, i: number) =>
  values.data.subarray(i * values.cols, (i + 1) * values.cols);

describe('Σ_{|t|=n} F / (σ γ) is the Taylor coefficient of the flow', () => {
  test.each([1, 3, 50, 130])('to 1e-12 in f64 for n <= 8, %i units', (units) => {
    const flow = drawn(units, units);
    const jet = taylorJet(8, flow);
    const { taylor } = evaluate(flow, 8);
    for (let n = 1; n <= 8; n++) expect(relativeError(row(taylor, n - 1), jet[n - 1]!)).toBeLessThan(1e-12);
  });

  test.each([1, 3, 50, 130])('to 1e-5 in f32 for n <= 5, %i units', (units) => {
    const drawing = drawn(units, units);
    const rounded = (values: ArrayLike<number>) => Float64Array.from(Float32Array.from(values));
    const { weights, state, drive, decay } = drawing;
    const flow = {
      units,
      weights: rounded(weights),
      state: rounded(state),
      drive: rounded(drive),
      decay: rounded(decay),
    };
    const jet = taylorJet(5, flow);
    const { taylor } = evaluate(flow, 5, 'f32');
    for (let n = 1; n <= 5; n++) expect(relativeError(row(taylor, n - 1), jet[n - 1]!)).toBeLessThan(1e-5);
  });

  test('the sum alone gives what the evaluation gave', () => {
    const { values, taylor } = evaluate(drawn(20, 5), 6);
    expect(taylorCoefficients(values, 6)).toEqual(taylor);
  });
});

describe('each differential', () => {
  test.each([1, 2, 3, 4, 5, 6])('of order %i is the nested derivative of f its tree spells', (order) => {
    const flow = drawn(3, 17);
    const { values, trees } = evaluate(flow, 6);
    const first = trees.order.indexOf(order);
    for (const [i, { levels }] of rootedTrees(order).entries()) {
      expect(relativeError(row(values, first + i), treeDifferential(levels, flow))).toBeLessThan(1e-11);
    }
  });

  test('of order 10 too: the tall tree, the bush and one between', () => {
    const flow = drawn(2, 23);
    const { values, trees } = evaluate(flow, 10);
    const first = trees.order.indexOf(10);
    const last = rootedTrees(10);
    for (const i of [0, 300, last.length - 1]) {
      expect(relativeError(row(values, first + i), treeDifferential(last[i]!.levels, flow))).toBeLessThan(1e-10);
    }
  });

  // F([τ]) = J f with J = -diag a + diag(φ_1) W: a central difference of f along f.
  test('of order 2 is the derivative of f along f, by central differences', () => {
    const flow = drawn(40, 3);
    const { values } = evaluate(flow, 2);
    const along = (step: number) => {
      const state = Float64Array.from(flow.state, (x, i) => x + step * values.data[i]!);
      return row(evaluate({ ...flow, state }, 1).values, 0);
    };
    const [ahead, behind] = [along(1e-5), along(-1e-5)];
    const difference = ahead.map((value: number, i: number) => (value - behind[i]!) / 2e-5);
    expect(relativeError(difference, row(values, 1))).toBeLessThan(1e-8);
  });
});

test('a linear flow has F = 0 for every tree that branches, and its Taylor series is the exponential', () => {
  const flow = { ...drawn(6, 2), weights: new Float64Array(36) };
  const { values, trees, taylor } = evaluate(flow, 7);
  for (let t = 1; t < trees.order.length; t++) {
    // A tree without branches is the first of its order.
    const isTall = trees.order[t - 1] !== trees.order[t];
    const nonZero = row(values, t).some((value: number) => value !== 0);
    expect(nonZero).toBe(isTall);
  }
  // x' = c - a x: x^(n) / n! = (-a)^(n-1) (c - a x) / n!
  let factorial = 1;
  for (let n = 1; n <= 7; n++) {
    factorial *= n;
    const wanted = Array.from(row(values, 0), (f, i) => ((-flow.decay[i]!) ** (n - 1) * f) / factorial);
    expect(relativeError(row(taylor, n - 1), wanted)).toBeLessThan(1e-14);
  }
});

// Hairer, Lubich, Wanner (2006), III.1: Σ_t h^|t| F / (σ γ) to order p has a local error of order p + 1.
test.each([1, 2, 3, 4, 5])('the error of a step of order %i falls with its power of the step plus one', (order) => {
  const flow = drawn(10, 41, 0.9);
  const stepped = (step: number, terms: number) => {
    const jet = taylorJet(terms, flow);
    return Float64Array.from(flow.state, (x, i) => jet.reduce((sum, c, n) => sum + c[i]! * step ** (n + 1), x));
  };
  const { taylor } = evaluate(flow, order);
  const error = (step: number) => {
    const exact = stepped(step, 20);
    return Math.hypot(
      ...exact.map((value, i) => {
        let sum = flow.state[i]!;
        for (let n = 0; n < order; n++) sum += taylor.data[n * 10 + i]! * step ** (n + 1);
        return value - sum;
      }),
    );
  };
  expect(Math.log2(error(0.08) / error(0.04))).toBeCloseTo(order + 1, 0);
});

test('the embedded estimate is the norm of the last Taylor term', () => {
  const { taylor, errorEstimate: estimate } = evaluate(drawn(30, 8), 4);
  expect(estimate(0.2)).toBeCloseTo(0.2 ** 4 * Math.hypot(...row(taylor, 3)), 14);
  expect(estimate(0.1) / estimate(0.2)).toBeCloseTo(1 / 16, 12);
  expect(errorEstimate(taylor, 0)).toBe(0);
});

test('without drive and decay the flow is x -> -x + tanh(W x)', () => {
  const flow = drawn(12, 4);
  const weights = matrix(12, 12, Float64Array.from(flow.weights));
  const plain = elementaryDifferentials({ weights, state: Array.from(flow.state), order: 3 });
  const same = evaluate({ ...flow, drive: new Float64Array(12), decay: new Float64Array(12).fill(1) }, 3);
  expect(plain.values).toEqual(same.values);
});

describe('bad options', () => {
  const good = { weights: matrix(2, 2), state: [0, 0] };
  test.each([
    ['order 0', { ...good, order: 0 }, RangeError, /a whole number from 1 to 10 for order but received 0/],
    ['order 11', { ...good, order: 11 }, RangeError, /for order but received 11/],
    ['order NaN', { ...good, order: NaN }, TypeError, /for order but received NaN/],
    [
      'weights not square',
      { ...good, weights: matrix(2, 3) },
      RangeError,
      /a square matrix for weights but received 2 x 3/,
    ],
    ['empty weights', { weights: matrix(0, 0), state: [] }, RangeError, /square/],
    ['weights an array', { ...good, weights: [[1]] }, Error, /a square matrix .* for weights/],
    ['weights NaN', { ...good, weights: matrix(2, 2, [1, 2, NaN, 4]) }, RangeError, /weights.data \(element 2\)/],
    ['state of another length', { ...good, state: [1] }, RangeError, /state with 2 elements \(units\) but received 1/],
    ['state infinite', { ...good, state: [1, Infinity] }, RangeError, /finite numbers for state \(element 1\)/],
    ['state of strings', { ...good, state: ['a', 'b'] }, Error, /an array of numbers.* for state/],
    ['drive of another length', { ...good, drive: [1, 2, 3] }, RangeError, /drive with 2 elements/],
    ['decay of another length', { ...good, decay: [1] }, RangeError, /decay with 2 elements/],
    ['decay NaN', { ...good, decay: NaN }, Error, /for decay/],
    ['a misspelt option', { ...good, orders: 3 }, TypeError, /did you mean order/],
  ])('%s is refused', (_name, options, kind, message) => {
    const call = () => elementaryDifferentials(options as unknown as DifferentialsOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(kind);
  });

  test('a step that is no finite number is refused', () => {
    const { errorEstimate: estimate, values } = elementaryDifferentials({ ...good, order: 2 });
    expect(() => estimate(NaN)).toThrow(/0 or more for step but received NaN/);
    expect(() => estimate(-1)).toThrow(RangeError);
    expect(() => taylorCoefficients(values, 3)).toThrow(/4 rows \(trees to order 3\) but received 2/);
  });
});
