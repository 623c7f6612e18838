/** Recursive least squares against the batch solutions it must equal. */
import { expect, test } from 'vitest';
import { RecursiveLeastSquares, Ridge } from '../../src/readout/index.js';
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

test('with forgetting it is least squares with rows that fade', () => {
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

test('what was predicted for a row comes from the rows before it', () => {
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

test('P that stops being positive is told, and the rows up to there were learned', () => {
  const rls = new RecursiveLeastSquares({ states: 2, outputs: 1, ridge: 1e-300, forgetting: 0.5 });
  const x = new Float64Array(4000).map((_, i) => (i & 1 ? 0 : 1e-3));
  expect(() => rls.update(x, new Float64Array(2000))).toThrow(
    expect.objectContaining({
      code: 'ERR_DTESN_UNSTABLE',
      message: expect.stringMatching(/at row \d+: give a larger/),
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
