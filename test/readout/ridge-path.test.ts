/** Solvers, weights of rows, nested readouts, and errors of a path of ridges, held against the plainest loops. */
import { describe, expect, test } from 'vitest';
import { type Matrix, matrix, Ridge } from '../../src/index.js';
import { plainRidge } from '../reference/ridge.js';

/** Deterministic numbers in (-1, 1). */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  };
}

function rows(steps: number, features: number, outputs: number, seed = 1) {
  const next = noise(seed * 7919);
  const x = Float64Array.from({ length: steps * features }, () => 3 + next());
  const y = Float64Array.from({ length: steps * outputs }, (_, i) => x[Math.floor(i / outputs) * features]! + next());
  return { x: matrix(steps, features, x), y: matrix(steps, outputs, y) };
}

function largest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

/** The rows whose index passes, as a problem for the reference. */
function some(x: Matrix, y: Matrix, keeps: (t: number) => boolean, features = x.cols) {
  const kept = Array.from({ length: x.rows }, (_, t) => t).filter(keeps);
  const pick = (of: Matrix, columns: number) =>
    kept.flatMap((t) => [...of.data.subarray(t * of.cols, t * of.cols + columns)]);
  return { x: pick(x, features), y: pick(y, y.cols), steps: kept.length };
}

/** Mean over outputs of Σ e² / Σ (y - mean)². */
function relative(left: ArrayLike<number>, y: Matrix, means: (t: number, o: number) => number): number {
  let sum = 0;
  for (let o = 0; o < y.cols; o++) {
    let [error, total] = [0, 0];
    for (let t = 0; t < y.rows; t++) {
      error += left[t * y.cols + o]! ** 2;
      total += (y.data[t * y.cols + o]! - means(t, o)) ** 2;
    }
    sum += error / total;
  }
  return sum / y.cols;
}

function predict(x: Matrix, t: number, o: number, { weights, bias }: ReturnType<typeof plainRidge>): number {
  const outputs = bias.length;
  return Array.from({ length: x.cols }).reduce<number>(
    (sum, _, k) => sum + x.data[t * x.cols + k]! * weights[k * outputs + o]!,
    bias[o]!,
  );
}

const sizes = [
  { steps: 60, features: 5, outputs: 1 },
  { steps: 120, features: 12, outputs: 3 },
  { steps: 20, features: 50, outputs: 2 },
];

describe.each(sizes)('$steps rows of $features features and $outputs outputs', ({ steps, features, outputs }) => {
  const { x, y } = rows(steps, features, outputs);

  test.each(['qr', 'cholesky', 'svd', 'dual'] as const)(
    'the solver %s gives the readout of the reference',
    (solver) => {
      for (const intercept of [true, false]) {
        const ridge = new Ridge({ ridge: 0.3, solver, intercept }).add(x, y);
        const { weights, bias } = ridge.solve();
        const plain = plainRidge({ x: x.data, y: y.data, steps, ridge: 0.3, intercept });
        expect(largest(weights.data, plain.weights)).toBeLessThan(1e-11);
        expect(largest(bias, plain.bias)).toBeLessThan(1e-10);
      }
    },
  );

  test('weights of rows are those of the weighted problem', () => {
    const weights = Array.from({ length: steps }, (_, t) => (t % 3) + 0.25);
    for (const solver of ['qr', 'cholesky', 'svd', 'dual'] as const) {
      const readout = new Ridge({ ridge: 0.1, solver }).add(x, y, undefined, { weights }).solve();
      const importance = (t: number) => weights[t]!;
      const plain = plainRidge({ x: x.data, y: y.data, steps, ridge: 0.1, intercept: true, importance });
      expect(largest(readout.weights.data, plain.weights)).toBeLessThan(1e-11);
    }
  });

  test('rows with a target that is NaN do not count', () => {
    const holes = matrix(steps, outputs, y.data.slice());
    for (let t = 3; t < steps; t += 4) holes.data[t * outputs] = Number.NaN;
    const ridge = new Ridge({ ridge: 0.1 }).add(x, holes);
    const plain = plainRidge({ ...some(x, y, (t) => t % 4 !== 3), ridge: 0.1, intercept: true });
    expect([ridge.steps, ridge.dropped]).toEqual([steps - Math.floor(steps / 4), Math.floor(steps / 4)]);
    expect(largest(ridge.solve().weights.data, plain.weights)).toBeLessThan(1e-11);
  });

  test('nested readouts are those trained on the first features alone, and know what they leave', () => {
    const ridge = new Ridge({ ridge: 0.2 }).add(x, y);
    for (const { features: count, readout, errors } of ridge.nested([1, 3, features])) {
      const plain = plainRidge({ ...some(x, y, () => true, count), ridge: 0.2, intercept: true });
      expect(largest(readout.weights.data, plain.weights)).toBeLessThan(1e-11);
      const narrow = matrix(steps, count, some(x, y, () => true, count).x);
      for (let o = 0; o < outputs; o++) {
        let left = 0;
        for (let t = 0; t < steps; t++) left += (y.data[t * outputs + o]! - predict(narrow, t, o, plain)) ** 2;
        expect(errors![o]! / left - 1).toBeCloseTo(0, 8);
      }
    }
    expect(ridge.solve(0.2, { features: 3 }).weights.rows).toBe(3);
  });

  test('nested readouts know their errors over the folds: those of a Ridge of these features alone', async () => {
    const counts = [1, 3, features];
    const ridge = new Ridge({ folds: 4 }).add(x, y);
    const nested = ridge.nested(counts, 0.2);
    for (const [i, count] of counts.entries()) {
      const narrow = new Ridge({ folds: 4 }).add(matrix(steps, count, some(x, y, () => true, count).x), y);
      expect(nested[i]!.error! / narrow.validate([0.2]).table[0]!.error - 1).toBeCloseTo(0, 10);
    }
    expect(nested[2]!.error).toBe(ridge.validate([0.2]).table[0]!.error);
    const own = (all: typeof nested) => all.map(({ readout, error }) => [[...readout.weights.data], error]);
    expect(own(await ridge.nestedAsync(counts, 0.2))).toEqual(own(nested));
    expect(new Ridge().add(x, y).nested([1])[0]!.error).toBeNull();
    expect(new Ridge({ solver: 'cholesky', folds: 4 }).add(x, y).nested([1])[0]!.error).toBeNull();
  });

  test('folds are left out as if the readout had been trained without them', () => {
    const folds = 4;
    const foldOf = (t: number) => {
      for (let fold = 0; fold < folds; fold++) if (t < Math.floor(((fold + 1) * steps) / folds)) return fold;
      return folds;
    };
    const { table } = new Ridge({ folds }).add(x, y).validate([1e-3, 1]);
    for (const { ridge, error } of table) {
      const left = new Float64Array(steps * outputs);
      const plains = Array.from({ length: folds }, (_, fold) =>
        plainRidge({ ...some(x, y, (t) => foldOf(t) !== fold), ridge, intercept: true }),
      );
      const means = Array.from({ length: folds }, (_, fold) =>
        plainRidge({ ...some(x, y, (t) => foldOf(t) !== fold), ridge: 1e30, intercept: true }),
      );
      for (let t = 0; t < steps; t++) {
        for (let o = 0; o < outputs; o++) {
          left[t * outputs + o] = y.data[t * outputs + o]! - predict(x, t, o, plains[foldOf(t)]!);
        }
      }
      expect(error / relative(left, y, (t, o) => means[foldOf(t)]!.bias[o]!) - 1).toBeCloseTo(0, 8);
    }
  });

  test('folds merge into the readout of all rows', () => {
    const split = new Ridge({ folds: 3, ridge: 1e-3 }).add(x, y).solve();
    const whole = new Ridge({ ridge: 1e-3 }).add(x, y).solve();
    expect(largest(split.weights.data, whole.weights.data)).toBeLessThan(1e-10);
  });

  test.each(['svd', 'dual'] as const)('leaving out every row is exact by %s', (solver) => {
    const { table } = new Ridge({ solver }).add(x, y).leaveOneOut(x, y, undefined, [0.01, 2]);
    for (const { ridge, error } of table) {
      const left = new Float64Array(steps * outputs);
      for (let t = 0; t < steps; t++) {
        const plain = plainRidge({ ...some(x, y, (other) => other !== t), ridge, intercept: true });
        for (let o = 0; o < outputs; o++) left[t * outputs + o] = y.data[t * outputs + o]! - predict(x, t, o, plain);
      }
      const means = Array.from({ length: outputs }, (_, o) => {
        let sum = 0;
        for (let t = 0; t < steps; t++) sum += y.data[t * outputs + o]! / steps;
        return sum;
      });
      expect(error / relative(left, y, (_, o) => means[o]!) - 1).toBeCloseTo(0, 8);
    }
  });

  test.each(['qr', 'dual'] as const)('generalised cross-validation of %s is that of the hat matrix', (solver) => {
    const { table } = new Ridge({ solver }).add(x, y).generalised([0.05, 1]);
    for (const { ridge, error } of table) {
      // The trace of the hat matrix: how much each prediction moves with its own target.
      let trace = 0;
      for (let t = 0; t < steps; t++) {
        const moved = new Float64Array(steps);
        moved[t] = 1;
        trace += predict(x, t, 0, plainRidge({ x: x.data, y: moved, steps, ridge, intercept: true }));
      }
      const plain = plainRidge({ x: x.data, y: y.data, steps, ridge, intercept: true });
      const means = plainRidge({ x: x.data, y: y.data, steps, ridge: 1e30, intercept: true }).bias;
      const left = Float64Array.from(
        y.data,
        (value, i) => value - predict(x, Math.floor(i / outputs), i % outputs, plain),
      );
      const expected = relative(left, y, (_, o) => means[o]!) * (steps / (steps - trace)) ** 2;
      expect(error / expected - 1).toBeCloseTo(0, 8);
    }
  });
});

test('the shortest weights solve dependent features without a ridge', () => {
  const { x, y } = rows(20, 50, 1);
  const { weights, bias } = new Ridge({ solver: 'dual', ridge: 0 }).add(x, y).solve();
  for (let t = 0; t < 20; t++)
    expect(predict(x, t, 0, { weights: weights.data as Float64Array, bias })).toBeCloseTo(y.data[t]!, 9);
  const svd = new Ridge({ solver: 'svd', ridge: 0 }).add(x, y).solve();
  expect(largest(svd.weights.data, weights.data)).toBeLessThan(1e-10);
});

test('the condition number is that of the features with the ridge', () => {
  // Columns of lengths 1 and 1e-3 at a right angle.
  const x = matrix(4, 2, [1, 1e-3, 1, -1e-3, -1, 1e-3, -1, -1e-3]);
  const y = [1, 2, 3, 4];
  for (const solver of ['qr', 'cholesky', 'svd', 'dual'] as const) {
    const ridge = new Ridge({ solver, ridge: 1e-12 }).add(x, y);
    expect(ridge.condition).toBeNull();
    ridge.solve();
    expect(ridge.condition).toBeCloseTo(1000, 2);
  }
});

test('a ridge that Cholesky cannot carry is warned of, and QR carries it', async () => {
  const base = rows(200, 3, 1);
  const x = matrix(
    200,
    4,
    Array.from({ length: 800 }, (_, i) => {
      const [t, k] = [Math.floor(i / 4), i % 4];
      const row = base.x.data.subarray(3 * t, 3 * t + 3);
      return k < 3 ? row[k]! : row[0]! + row[1]! + 3e-7 * Math.sin(t);
    }),
  );
  const warning = new Promise<Error>((resolve) => process.once('warning', resolve));
  new Ridge({ solver: 'cholesky', ridge: 1e-13 }).add(x, base.y).solve();
  expect(await warning).toMatchObject({ name: 'DtesnWarning', code: 'DTESN_PRECISION' });
  const all: Error[] = [];
  const listener = (one: Error) => all.push(one);
  process.on('warning', listener);
  new Ridge({ solver: 'qr', ridge: 1e-13 }).add(x, base.y).solve();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listener);
  expect(all).toEqual([]);
});

test('asynchronous folds, ridges and solutions have the bits of the synchronous ones', async () => {
  const { x, y } = rows(300, 30, 2);
  const own = new Ridge({ folds: 3 }).add(x, y);
  const other = new Ridge({ folds: 3 });
  const shared = (of: Matrix) => {
    const data = new Float64Array(new SharedArrayBuffer(of.data.byteLength));
    data.set(of.data);
    return matrix(of.rows, of.cols, data);
  };
  await other.addAsync(shared(x), shared(y));
  expect(await other.validateAsync([1e-3, 1])).toEqual(own.validate([1e-3, 1]));
  expect((await other.solveAsync(0.1)).weights).toEqual(own.solve(0.1).weights);
});

test.each([
  ['validate without folds', () => new Ridge().add([[1], [2]], [1, 2]).validate(), /2 folds or more/],
  [
    'validate of squares',
    () => new Ridge({ folds: 2, solver: 'cholesky' }).add([[1], [2]], [1, 2]).validate(),
    /'qr' or 'svd'/,
  ],
  [
    'a typed array without its columns',
    () => new Ridge().add(new Float64Array(4), [1, 2]),
    /a Matrix or rows for states/,
  ],
  ['solve before rows', () => new Ridge().solve(), /Expected rows before the solution/],
  [
    'more features than there are',
    () => new Ridge().add([[1], [2]], [1, 2]).solve(1, { features: 2 }),
    /from 1 to 1 for features/,
  ],
  ['a negative weight', () => new Ridge().add([[1], [2]], [1, 2], undefined, { weights: [1, -1] }), /weights\[1\]/],
  ['an unknown option', () => new Ridge({ rigde: 1 } as object), /did you mean ridge/],
  [
    'other rows to leave out',
    () => new Ridge({ solver: 'svd' }).add([[1], [2]], [1, 2]).leaveOneOut([[1]], [1]),
    /the 2 rows/,
  ],
])('refused: %s', (_, call, message) => {
  expect(call).toThrow(message);
});

test('the dual solver needs room for its rows, not for a square of its features', () => {
  const features = 200_000;
  using ridge = new Ridge({ states: features, outputs: 1, solver: 'dual', ridge: 1 });
  ridge.add(matrix(2, features, new Float64Array(2 * features).fill(1)), matrix(2, 1, Float64Array.of(1, 3)));
  const { bias, weights } = ridge.solve();
  expect(bias[0]).toBe(2);
  expect(weights.data.every((weight) => weight === 0)).toBe(true);
});

describe('where all rows are in one fold', () => {
  const { x, y } = rows(40, 4, 2);
  const ridge = () => new Ridge({ folds: 4, ridge: [1e-3, 1e3] }).add(x, y, undefined, { fold: 1 });

  test('no ridge is better than another: an error', async () => {
    expect(() => ridge().solve()).toThrow(expect.objectContaining({ code: 'ERR_DTESN_EMPTY' }));
    await expect(ridge().validateAsync([1])).rejects.toThrow(/2 folds or more/);
  });

  test('nested readouts have no error', async () => {
    expect(ridge().nested([2, 4], 0.1)[0]!.error).toBeNull();
    expect((await ridge().nestedAsync([2, 4], 0.1))[1]!.error).toBeNull();
  });

  test('two folds are enough', () => {
    const two = ridge().add(x, y, undefined, { fold: 3 });
    expect(two.solve().outputs).toBe(2);
    expect(two.ridge).toBe(1e-3);
  });
});

test.each([0.1, 1e6 + 0.1])('an output that is always %d counts as one without error', async (value) => {
  const { x, y } = rows(40, 4, 2);
  const constant = matrix(40, 2, y.data.slice());
  for (let t = 0; t < 40; t++) constant.data[2 * t + 1] = value;
  const other = matrix(
    40,
    1,
    y.data.filter((_, i) => i % 2 === 0),
  );
  const errors = (wanted: Matrix, half: number) => {
    const folds = new Ridge({ folds: 4 }).add(x, wanted).validate([0.1]).table[0]!.error;
    const svd = new Ridge({ solver: 'svd' }).add(x, wanted);
    const all = [
      folds,
      svd.generalised([0.1]).table[0]!.error,
      svd.leaveOneOut(x, wanted, undefined, [0.1]).table[0]!.error,
    ];
    return all.map((error) => error * half);
  };
  expect(largest(errors(constant, 2), errors(other, 1))).toBeLessThan(1e-6);
});

test('an empty list of features and what is no ridge are refused', async () => {
  const { x, y } = rows(40, 4, 1);
  const ridge = new Ridge({ folds: 4 }).add(x, y);
  expect(() => ridge.nested([])).toThrow(/at least one number of features/);
  await expect(ridge.nestedAsync([])).rejects.toThrow(/at least one number of features/);
  for (const wrong of [-5, Number.NaN, undefined as unknown as number]) {
    expect(() => ridge.validate([1, wrong])).toThrow(expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' }));
    await expect(ridge.validateAsync([wrong])).rejects.toMatchObject({ code: 'ERR_DTESN_ARGUMENT' });
    expect(() => ridge.generalised([wrong])).toThrow(expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' }));
    expect(() => ridge.leaveOneOut(x, y, undefined, [wrong])).toThrow(/ridge/);
  }
});
