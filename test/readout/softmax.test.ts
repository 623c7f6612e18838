/** Softmax against plain Newton steps, closed forms, a published regression and scikit-learn. */
import { describe, expect, test, vi } from 'vitest';
import { matrix, Softmax, type SoftmaxOptions } from '../../src/index.js';
import { relativeError, sequence } from '../reference/reservoir.js';
import { plainSoftmax } from '../reference/softmax.js';

/** Rows of which the first features tell the class, with noise. */
function problem(rows: number, features: number, classes: number) {
  const values = sequence(rows * features, 1);
  const noise = sequence(rows * classes, 2);
  const x = Array.from({ length: rows }, (_, t) => [...values.subarray(t * features, (t + 1) * features)]);
  const classOf = x.map((row, t) => {
    const outputs = Array.from({ length: classes }, (_, k) => 2 * row[k % features]! + 2 * noise[t * classes + k]!);
    return outputs.indexOf(Math.max(...outputs));
  });
  return { x, classOf };
}

test.each<[number, number, number, number, boolean]>([
  [80, 3, 2, 1, true],
  [80, 5, 3, 1e-3, true],
  [60, 4, 4, 0, true],
  [120, 6, 5, 10, true],
  [80, 5, 3, 0.1, false],
  [14, 20, 3, 0.5, true],
  [12, 12, 2, 1e-2, true],
])(
  '%i rows of %i features, %i classes, ridge %d, intercept %s: as plain Newton steps',
  (rows, features, classes, ridge, intercept) => {
    const { x, classOf } = problem(rows, features, classes);
    const scaled = x.map((row) => row.map((value, j) => 3 ** (j % 4) * value + j)); // of other units, and not centred
    const plain = plainSoftmax({ x: scaled, classOf, classes, ridge, intercept });
    const softmax = new Softmax({ ridge, intercept, tolerance: 1e-13 }).add(scaled, classOf);
    const { weights, bias } = softmax.solve();
    expect(softmax.steps).toBe(rows);
    expect(relativeError(weights.data, plain.weights)).toBeLessThan(1e-8);
    if (intercept) expect(relativeError(bias, plain.bias)).toBeLessThan(1e-8);
    else expect([...bias]).toEqual(new Array(classes).fill(0));
  },
);

test('without features that tell anything, the intercepts are the logarithms of the shares', () => {
  const classOf = [0, 0, 0, 0, 0, 0, 1, 1, 1, 2];
  const { weights, bias } = new Softmax({ ridge: 1 })
    .add(
      classOf.map(() => [7]),
      classOf,
    )
    .solve();
  expect([...weights.data]).toEqual([0, 0, 0]);
  expect(bias[0]! - bias[2]!).toBeCloseTo(Math.log(6), 12);
  expect(bias[1]! - bias[2]!).toBeCloseTo(Math.log(3), 12);
});

test('of a feature that is 0 or 1, the weight is the logarithm of the odds ratio', () => {
  // 30 of 40 rows with 1 and 15 of 60 rows with 0 are of class 1.
  const rows = [
    [1, 1, 30],
    [1, 0, 10],
    [0, 1, 15],
    [0, 0, 45],
  ].flatMap(([x, k, count]) => Array.from({ length: count! }, () => [x!, k!]));
  const { weights, bias } = new Softmax({ ridge: 0 })
    .add(
      rows.map(([x]) => [x!]),
      rows.map(([, k]) => k!),
    )
    .solve();
  expect(bias[1]! - bias[0]!).toBeCloseTo(Math.log(15 / 45), 10);
  expect(weights.data[1]! - weights.data[0]!).toBeCloseTo(Math.log((30 * 45) / (10 * 15)), 10);
});

// Dalal, Fowlkes, Hoadley (1989), J. American Statistical Association 84: any distress of an O-ring, by temperature (F); 15.043 and
// -0.2322 are the logistic regression of it in many textbooks.
test('the O-rings of the space shuttle: 15.0429 - 0.2322 temperature', () => {
  const temperatures = [66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58];
  const distress = [0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1];
  const { weights, bias } = new Softmax({ ridge: 0 })
    .add(
      temperatures.map((t) => [t]),
      distress,
    )
    .solve();
  expect(bias[1]! - bias[0]!).toBeCloseTo(15.0429, 4);
  expect(weights.data[1]! - weights.data[0]!).toBeCloseTo(-0.2322, 4);
});

// scikit-learn 1.9.1: LogisticRegression(C=1/ridge, solver='newton-cg', tol=1e-14), its C times the loss beside ½ ‖W‖².
test.each<[number, number[][], number[]]>([
  [
    1,
    [
      [-0.004244208001356345, -0.06370192485240696, -0.027437542025111197, -0.005821486765836564],
      [0.06202943262589032, -0.1363576503186319, -0.15402027335803317, 0.05722352575913157],
      [-0.05778522462453261, 0.20005957517104, 0.1814578153831433, -0.051402038993294805],
    ],
    [0.21559032146758075, -0.015123255877997881, -0.2004670655823022],
  ],
  [
    0.01,
    [
      [-0.003110378051061452, -0.0756165871157158, -0.035152330678651623, -0.00502142013044081],
      [0.06773602239803991, -0.1734583808365132, -0.18095881784771936, 0.06184707430046233],
      [-0.0646256443469477, 0.2490749679522233, 0.21611114852630525, -0.056825654170002474],
    ],
    [0.2208990214130038, -0.0067449706874053795, -0.2141540507257822],
  ],
])('ridge %d: the weights of scikit-learn', (ridge, coefficients, intercepts) => {
  const x = Array.from({ length: 60 }, (_, t) =>
    Array.from({ length: 4 }, (_, j) => Math.sin(1.3 * t + 0.7 * j * j) + 0.1 * j),
  );
  const classOf = x.map(([first], t) => (t * t + Number(first! > 0.3) + Math.floor(t / 7)) % 3);
  const { weights, bias } = new Softmax({ ridge }).add(x, classOf).solve();
  const wanted = [0, 1, 2, 3].flatMap((j) => coefficients.map((row) => row[j]!));
  expect(relativeError(weights.data, wanted)).toBeLessThan(1e-7);
  expect(relativeError(bias, intercepts)).toBeLessThan(1e-7);
});

describe('rows', () => {
  const { x, classOf } = problem(60, 4, 3);
  const oneHot = classOf.map((k) => [0, 1, 2].map((m) => Number(m === k)));
  const whole = new Softmax({ ridge: 0.1 }).add(x, classOf).solve();

  test('in parts, one-hot, as a Matrix and in f32 are the same rows', () => {
    const parts = new Softmax({ ridge: 0.1 })
      .add(x.slice(0, 20), classOf.slice(0, 20))
      .add(x.slice(20), oneHot.slice(20));
    expect(parts.solve()).toEqual(whole);
    const given = new Softmax({ ridge: 0.1 }).add(matrix(60, 4, x.flat()), matrix(60, 3, oneHot.flat()));
    expect(given.solve()).toEqual(whole);
    const narrow = new Softmax({ ridge: 0.1 }).add(
      matrix(60, 4, Float32Array.from(x.flat())),
      Float32Array.from(classOf),
    );
    expect(relativeError(narrow.solve().weights.data, whole.weights.data)).toBeLessThan(1e-5);
  });

  test('more may follow a solve, and reset forgets them', () => {
    const softmax = new Softmax({ ridge: 0.1 }).add(x.slice(0, 30), classOf.slice(0, 30));
    softmax.solve();
    expect(softmax.add(x.slice(30), classOf.slice(30)).solve()).toEqual(whole);
    softmax.reset();
    expect(softmax.steps).toBe(0);
    expect(() => softmax.solve()).toThrow('call add first');
    const other = softmax
      .add(
        x.map((row) => row.slice(1)),
        classOf,
      )
      .solve();
    expect(other.states).toBe(3);
  });

  test('probabilities are exp(y_k) / Σ exp(y_m)', () => {
    const outputs = whole.apply(x);
    const { data } = Softmax.probabilities(outputs);
    const powers = outputs.data.map(Math.exp);
    for (let t = 0; t < 60; t++) {
      const sum = powers[3 * t]! + powers[3 * t + 1]! + powers[3 * t + 2]!;
      for (let k = 0; k < 3; k++) expect(data[3 * t + k]).toBeCloseTo(powers[3 * t + k]! / sum, 12);
    }
  });
});

test('of several ridges it is that of the least log loss over the folds', () => {
  const { x, classOf } = problem(50, 6, 3);
  const ridges = [1e-2, 1, 100];
  const foldOf = classOf.map((own, i) => classOf.slice(0, i).filter((k) => k === own).length % 5);
  const losses = ridges.map((ridge) => {
    let sum = 0;
    for (let fold = 0; fold < 5; fold++) {
      const isLearned = (i: number) => foldOf[i] !== fold;
      const parts = { x: x.filter((_, i) => isLearned(i)), classOf: classOf.filter((_, i) => isLearned(i)) };
      const { weights, bias } = plainSoftmax({ ...parts, classes: 3, ridge });
      for (const [i, row] of x.entries()) {
        if (isLearned(i)) continue;
        const outputs = bias.map((b, k) => row.reduce((y, value, j) => y + value * weights[3 * j + k]!, b));
        sum -= outputs[classOf[i]!]! - Math.log(outputs.reduce((all, y) => all + Math.exp(y), 0));
      }
    }
    return sum / 50;
  });
  const softmax = new Softmax({ ridge: ridges }).add(x, classOf);
  const readout = softmax.solve();
  softmax.validation!.table.forEach(({ error }, r) => {
    expect(error).toBeCloseTo(losses[r]!, 6);
  });
  expect(softmax.ridge).toBe(ridges[losses.indexOf(Math.min(...losses))]);
  expect(readout).toEqual(new Softmax({ ridge: softmax.ridge }).add(x, classOf).solve());
  const folds = new Softmax({ ridge: ridges });
  for (const [i, row] of x.entries()) folds.add([row], [classOf[i]!], { fold: foldOf[i]! });
  expect(folds.validate(ridges)).toEqual(softmax.validation);
});

test('classes in turn are in every fold, and a class of one row is not counted', () => {
  const classOf = Array.from({ length: 100 }, (_, i) => i % 5);
  const noise = sequence(500, 3);
  const x = classOf.map((own, i) => [0, 1, 2, 3, 4].map((j) => 2 * Number(j === own) + noise[5 * i + j]!));
  const softmax = new Softmax().add(x, classOf);
  softmax.solve();
  expect(softmax.ridge).toBeLessThan(10);
  const losses = softmax.validation!.table.map(({ error }) => error);
  expect(Math.min(...losses)).toBeLessThan(0.2);
  const alone = new Softmax().add([...x, [9, 9, 9, 9, 9]], [...classOf, 5]);
  alone.solve();
  const all = alone.validation!.table.map(({ error }) => error);
  expect(Math.min(...all)).toBeLessThan(0.2);
  expect(() => new Softmax().add([[1], [2]], [0, 1]).solve()).toThrow('rows of 2 classes or more in 2 folds or more');
});

test('the loss of a ridge whose search does not end is the same beside other ridges', () => {
  const { x, classOf } = problem(60, 5, 3);
  const softmax = new Softmax({ maximumIterations: 2 }).add(x, classOf);
  const [alone] = softmax.validate([1e-6]).table;
  const table = softmax.validate([1e-6, 1e-5, 1e-4]).table;
  expect(table[0]).toEqual(alone);
});

test('features in a line have the shortest weights without a ridge', () => {
  const { x, classOf } = problem(60, 2, 2);
  const one = new Softmax({ ridge: 0 }).add(x, classOf).solve().weights.data;
  const twice = new Softmax({ ridge: 0 })
    .add(
      x.map(([a, b]) => [a!, b!, a!]),
      classOf,
    )
    .solve().weights.data;
  expect(relativeError([...twice.slice(0, 4)], [one[0]! / 2, one[1]! / 2, one[2]!, one[3]!])).toBeLessThan(1e-8);
  expect(relativeError(twice.slice(4), twice.slice(0, 2))).toBeLessThan(1e-8);
});

test('classes that the features separate have weights with a ridge only', () => {
  const x = [[-2], [-1], [1], [2]];
  const separate = (ridge: number) => new Softmax({ ridge }).add(x, [0, 0, 1, 1]).solve();
  expect(() => separate(0)).toThrow(
    expect.objectContaining({
      code: 'ERR_DTESN_CONVERGENCE',
      message: expect.stringMatching(/did not converge in 100 iterations .*give a larger ridge/),
    }),
  );
  expect(separate(1e-6).weights.data[1]).toBeGreaterThan(1);
});

test('a search that may take few steps is an error', () => {
  const { x, classOf } = problem(80, 5, 3);
  const softmax = new Softmax({ ridge: 0.1, maximumIterations: 1 }).add(x, classOf);
  expect(() => softmax.solve()).toThrow('did not converge in 1 iterations');
  expect(softmax.iterations).toBe(1);
});

test('outputs of all rows and classes that do not fit in memory are an error before the search', () => {
  const rows = 1000;
  const softmax = new Softmax({ ridge: [1, 10] }).add(matrix(rows, 1, sequence(rows, 1)), [...Array(rows).keys()]);
  const memory = vi.spyOn(process, 'availableMemory').mockReturnValue(70 * rows * rows);
  try {
    for (const call of [() => softmax.solve(1), () => softmax.validate([1])]) {
      expect(call).toThrow(expect.objectContaining({ code: 'ERR_DTESN_MEMORY' }));
    }
  } finally {
    memory.mockRestore();
  }
});

describe('units of features', () => {
  const { x, classOf } = problem(60, 2, 2);
  const inUnits = (...units: number[]) => x.map((row) => row.map((value, j) => value * units[j]!));
  const solved = (rows: number[][], ridge = 0) => new Softmax({ ridge }).add(rows, classOf).solve().weights.data;
  const wanted = solved(x);

  test.each([[1e-150], [1e-10], [1e150]])('of all features, %d, change nothing without a ridge', (unit) => {
    const weights = solved(inUnits(unit, unit)).map((value) => value * unit);
    expect(relativeError(weights, wanted)).toBeLessThan(1e-6);
  });

  test.each([
    ['apart', [1e15, 1], 0, /scale the features.* for features, column 1,/],
    ['apart, with a ridge that would not hold the weight', [1e15, 1], 1, /scale the features/],
    ['whose squares overflow', [1e160, 1e160], 0, /finite square \(scale the features\)/],
    ['whose squares are lost', [1e-170, 1e-170], 0, /scale the features.* for features, column 0,/],
    ['for which the penalty is not finite', [1, 1], 1.7e308, /finite penalty.* for ridge/],
  ] as [string, number[], number, RegExp][])('%s are an error', (_, units, ridge, message) => {
    const error = expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT', message: expect.stringMatching(message) });
    expect(() => solved(inUnits(...units), ridge)).toThrow(error);
  });

  test('a feature that hardly varies is left out where the ridge holds its weight at 0', () => {
    const [first] = solved(inUnits(1, 1e-20), 1e-6);
    expect(
      relativeError(
        [first!],
        [
          solved(
            x.map(([a]) => [a!]),
            1e-6,
          )[0]!,
        ],
      ),
    ).toBeLessThan(1e-9);
  });
});

test.each<[string, () => unknown, RegExp]>([
  [
    'a negative ridge of a solve',
    () => new Softmax({ ridge: 1 }).add([[1], [2]], [0, 1]).solve(-1),
    /Expected a finite number, 0 or more for ridge/,
  ],
  ['a negative ridge', () => new Softmax({ ridge: -1 }), /0 or more.* for ridge/],
  ['an unknown option', () => new Softmax({ lambda: 1 } as SoftmaxOptions), /lambda/],
  ['a class that is no whole number', () => new Softmax().add([[1]], [0.5]), /indices of classes.*0\.5/],
  ['a class beyond those', () => new Softmax({ classes: 2 }).add([[1]], [2]), /from 0 to 1/],
  ['two ones in a row', () => new Softmax().add([[1]], [[1, 1]]), /one 1 and zeros/],
  ['columns beyond the classes', () => new Softmax({ classes: 3 }).add([[1]], [[1, 0]]), /targets with 3 columns/],
  ['fewer targets', () => new Softmax().add([[1], [2]], [0]), /targets with 2 steps/],
  ['NaN', () => new Softmax().add([[Number.NaN]], [0]), /finite numbers for states/],
  ['other features', () => new Softmax().add([[1]], [0]).add([[1, 2]], [0]), /states with 1 feature/],
  ['a class without rows', () => new Softmax({ classes: 3 }).add([[1], [2]], [0, 2]).solve(), /none of class 1/],
  ['one class', () => new Softmax().add([[1], [2]], [0, 0]).solve(), /rows of each class/],
  [
    'a typed array of unknown width',
    () => new Softmax().add(Float64Array.of(1, 2), [0, 1]),
    /a Matrix or rows for features/,
  ],
  ['one fold', () => new Softmax().add([[1], [2]], [0, 1], { fold: 0 }).solve(), /2 folds or more/],
])('refused: %s', (_, call, message) => {
  expect(call).toThrow(message);
});
