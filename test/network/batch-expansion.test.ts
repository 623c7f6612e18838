/** A batch that is expanded by the threads that ran it: the same B-series as a state's own. */
import { expect, test } from 'vitest';
import { sharedFloats } from '../../src/native/index.js';
import { DeepTreeModel, type Expansion } from '../../src/network/index.js';
import { rootedTrees } from '../../src/trees/index.js';

const ORDER = 4;
const TREES = Array.from({ length: ORDER }, (_, n) => rootedTrees(n + 1)).flat().length;
const model = new DeepTreeModel({ depth: 3, units: 52, inputs: 2, leak: 0.5, seed: 1 });

function batchOf(lengths: readonly number[]) {
  const series = lengths.map((steps, s) => {
    const values = sharedFloats('f32', 2 * steps) as Float32Array;
    values.set(Array.from(values, (_, i) => Math.sin(i * (s + 1))));
    return values;
  });
  const states = lengths.map(() => model.createState());
  const expansions = states.map(
    (state, s): Expansion => ({
      input: series[s]!.subarray(-2),
      state,
      differentials: sharedFloats('f32', TREES * model.units),
      taylor: sharedFloats('f32', ORDER * model.units),
      squares: sharedFloats('f64', TREES + ORDER) as Float64Array,
    }),
  );
  return { series, states, expansions };
}

const squareOf = (row: ArrayLike<number>) => Array.from(row).reduce((sum, x) => sum + x * x, 0);

test('differentials, Taylor coefficients and their squares are those of the last state of each series, on one thread and on two', async () => {
  for (const threads of [1, 2]) {
    const { series, states, expansions } = batchOf([7, 40, 1, 19, 40]);
    states[1]!.gates!.fill(0, 2);
    const ms = await model.runAndExpandBatchAsync(series, { out: null, states, threads }, ORDER, expansions);
    expect(ms).toBeGreaterThan(0);
    const apart = batchOf([7, 40, 1, 19, 40]);
    await model.expandAsync(
      ORDER,
      apart.expansions.map((one, s) => ({ ...one, state: states[s]! })),
    );
    for (const [s, { input, state, differentials, taylor, squares }] of expansions.entries()) {
      const own = new Float32Array(TREES * model.units);
      model.differentials(ORDER, Array.from(input), own, state);
      expect(Array.from(differentials)).toEqual(Array.from(own));
      expect(taylor).toEqual(apart.expansions[s]!.taylor);
      expect(squares).toEqual(apart.expansions[s]!.squares);
      const rows = (all: ArrayLike<number>, n: number) =>
        Array.from({ length: n }, (_, row) => Array.from(all).slice(row * model.units, (row + 1) * model.units));
      const plain = [...rows(differentials, TREES), ...rows(taylor, ORDER)].map(squareOf);
      for (const [row, square] of plain.entries()) {
        expect(Math.abs(squares[row]! - square)).toBeLessThanOrEqual(1e-12 * (1 + square));
      }
    }
  }
});

test('an abort ends the batch before its expansions, and its states are idle again', async () => {
  const { series, states, expansions } = batchOf([200_000, 200_000]);
  const stop = new AbortController();
  const run = model.runAndExpandBatchAsync(series, { out: null, states, signal: stop.signal }, ORDER, expansions);
  stop.abort(new Error('enough'));
  await expect(run).rejects.toThrow('enough');
  expect(expansions.every(({ squares }) => squares.every((square) => square === 0))).toBe(true);
  for (const state of states) state.reset();
});

test('room of another size is refused before anything runs', async () => {
  const { series, states, expansions } = batchOf([5]);
  const wrong = [{ ...expansions[0]!, squares: sharedFloats('f64', 3) as Float64Array }];
  await expect(model.runAndExpandBatchAsync(series, { out: null, states }, ORDER, wrong)).rejects.toThrow(
    /Expected squares with 12 elements but received 3/,
  );
  expect(Array.from(states[0]!.data).every((x) => x === 0)).toBe(true);
});
