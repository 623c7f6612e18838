/** EsnClassifier against the plainest loops, and on the Japanese vowels of UCI. */
import { expect, test } from 'vitest';
import { parseJapaneseVowels } from '../../src/datasets/index.js';
import {
  ClassifierEnsemble,
  Ensemble,
  Esn,
  EsnClassifier,
  type EsnClassifierOptions,
  type Matrix,
  matrix,
  Reservoir,
  type SeriesFeatures,
  Softmax,
} from '../../src/index.js';
import { plainRidge } from '../reference/ridge.js';
import { plainSoftmax } from '../reference/softmax.js';
import { sharedText } from '../shared-files.js';

const network = { units: 8, inputs: 1, leak: 0.5, biasScaling: 0.2, seed: 2 };
/** Sines of two frequencies, 5 to 24 steps each. */
const series = Array.from({ length: 40 }, (_, i) => {
  const steps = 5 + ((7 * i) % 20);
  return matrix(
    steps,
    1,
    Array.from({ length: steps }, (_, t) => Math.sin((i % 2 ? 0.9 : 0.5) * t + i)),
  );
});
const labels = series.map((_, i) => (i % 2 ? 'fast' : 'slow'));

/** Rows [x(t), u(t)] of a series from rest. */
function rowsOf(one: Matrix): number[][] {
  const { data } = new Reservoir({ ...network, dtype: 'f64' }).run(one);
  return Array.from({ length: one.rows }, (_, t) => [...data.subarray(8 * t, 8 * t + 8), one.data[t]!]);
}

const cases: [string, SeriesFeatures, number, (rows: number[][]) => number[]][] = [
  ['the last step', 'last', 0, (rows) => rows.at(-1)!],
  [
    'the mean after a washout',
    'mean',
    3,
    (rows) => rows[0]!.map((_, k) => rows.slice(3).reduce((sum, row) => sum + row[k]! / (rows.length - 3), 0)),
  ],
  [
    'three snapshots',
    { snapshots: 3 },
    2,
    (rows) => [1, 2, 3].flatMap((k) => rows[2 + Math.round((k * (rows.length - 2)) / 3) - 1]!),
  ],
];

test.each(cases)('%s of each series is what the readout reads', (_, features, washout, read) => {
  const classifier = new EsnClassifier({ network, features, washout, readout: { ridge: 1e-3 } }).fit(series, labels);
  const rows = series.map((one) => read(rowsOf(one)));
  const y = labels.flatMap((label) => (label === 'slow' ? [1, 0] : [0, 1]));
  const plain = plainRidge({ x: rows.flat(), y, steps: 40, ridge: 1e-3, intercept: true });
  expect(classifier.labels).toEqual(['slow', 'fast']);
  const { data } = classifier.readout.weights;
  data.forEach((weight, i) => {
    expect(weight).toBeCloseTo(plain.weights[i]!, 8);
  });
  const probabilities = classifier.predictProba(series);
  const predicted = classifier.predict(series);
  rows.forEach((row, i) => {
    const outputs = [0, 1].map((k) => row.reduce((sum, x, j) => sum + x * plain.weights[2 * j + k]!, plain.bias[k]!));
    expect(predicted[i]).toBe(outputs[0]! > outputs[1]! ? 'slow' : 'fast');
    const [p, q] = probabilities.data.subarray(2 * i, 2 * i + 2);
    expect(p! + q!).toBeCloseTo(1, 12);
    expect(p! > q!).toBe(predicted[i] === 'slow');
  });
  expect(classifier.score(series, labels)).toBeCloseTo(predicted.filter((one, i) => one === labels[i]).length / 40, 12);
});

test('the ridge is that of the least error where each series is left out', () => {
  const path = [1e-6, 1e-2, 10];
  const classifier = new EsnClassifier({ network, readout: { ridge: path } }).fit(series, labels);
  const rows = series.map((one) => rowsOf(one).at(-1)!);
  const target = labels.map((label) => (label === 'slow' ? 1 : 0));
  const errors = path.map((ridge) => {
    let error = 0;
    rows.forEach((row, i) => {
      const x = rows.filter((_, k) => k !== i).flat();
      const y = target.filter((_, k) => k !== i);
      const plain = plainRidge({ x, y, steps: 39, ridge, intercept: true });
      error += (row.reduce((sum, value, j) => sum + value * plain.weights[j]!, plain.bias[0]!) - target[i]!) ** 2;
    });
    return error;
  });
  expect(classifier.ridge).toBe(path[errors.indexOf(Math.min(...errors))]);
});

test('labels are of any type, and asynchronous fits give the same readout', async () => {
  const numbers = labels.map((label) => label === 'fast');
  const one = new EsnClassifier({ network, features: { snapshots: 2 } }).fit(series, numbers);
  expect(one.predict(series).every((label) => typeof label === 'boolean')).toBe(true);
  const other = await new EsnClassifier({ network, features: { snapshots: 2 } }).fitAsync(series, numbers);
  expect(other.readout.weights).toEqual(one.readout.weights);
});

test('more snapshots than steps repeat the one before', () => {
  const short = [matrix(1, 1, [0.3]), matrix(2, 1, [0.3, 0.1])];
  const classifier = new EsnClassifier({ network, features: { snapshots: 3 }, readout: { ridge: 0.1 } }).fit(
    short,
    [0, 1],
  );
  expect(classifier.readout.weights.rows).toBe(27);
  expect(classifier.predict(short)).toEqual([0, 1]);
});

/** The utterances of a published file; null where it is missing. */
function vowels(part: 'train' | 'test') {
  const text = sharedText(`data/japanese-vowels.${part}`);
  return text === null ? null : parseJapaneseVowels(text);
}

const vowelOptions = (seed: number): EsnClassifierOptions => ({
  network: { units: 300, inputs: 12, leak: 0.3, spectralRadius: 0.2, inputScaling: 0.3, biasScaling: 0.3, seed },
  features: { snapshots: 3 },
});

test('vowels: five seeds make at most 5 errors of 370 each', { tags: ['slow'], timeout: 240_000 }, ({ skip }) => {
  const [train, testing] = [vowels('train'), vowels('test')];
  if (!train || !testing) return skip('skipped: no ../shared/data/japanese-vowels');
  for (let seed = 0; seed < 5; seed++) {
    const classifier = new EsnClassifier(vowelOptions(seed)).fit(train.series, train.labels);
    const errors = Math.round(370 * (1 - classifier.score(testing.series, testing.labels)));
    expect(errors).toBeLessThanOrEqual(5);
  }
});

test('vowels: an ensemble of twenty small ones makes at most 2 errors', { tags: ['slow'], timeout: 240_000 }, ({
  skip,
}) => {
  const [train, testing] = [vowels('train'), vowels('test')];
  if (!train || !testing) return skip('skipped: no ../shared/data/japanese-vowels');
  const make = (seed: number) =>
    new EsnClassifier({
      network: { units: 50, inputs: 12, leak: 0.3, inputScaling: 0.3, biasScaling: 0.3, seed },
      features: { snapshots: 4 },
      readout: { ridge: 0.1 },
    });
  const ensemble = new ClassifierEnsemble({ members: 20, make }).fit(train.series, train.labels);
  const errors = Math.round(370 * (1 - ensemble.score(testing.series, testing.labels)));
  expect(errors).toBeLessThanOrEqual(2);
});

test('an ensemble says the mean of its members and their spread', () => {
  const wave = Array.from({ length: 200 }, (_, t) => Math.sin(t / 5));
  const make = (seed: number) => new Esn({ network: { ...network, seed }, readout: { ridge: 1e-6 } });
  const ensemble = new Ensemble({ members: 3, make }).fit(wave.slice(0, 150));
  const alone = [0, 1, 2].map((seed) => make(seed).fit(wave.slice(0, 150)));
  const { mean, spread } = ensemble.forecastSpread({ steps: 4 });
  const rows = alone.map((esn) => esn.forecast({ steps: 4, starts: [esn.state] })[0]!.data);
  for (let t = 0; t < 4; t++) {
    const values = rows.map((row) => row[t]!);
    const center = values.reduce((sum, value) => sum + value / 3, 0);
    expect(mean.data[t]).toBeCloseTo(center, 12);
    const square = values.reduce((sum, value) => sum + (value - center) ** 2 / 3, 0);
    expect(spread.data[t]).toBeCloseTo(Math.sqrt(square), 12);
  }
  const other = new Ensemble({ members: 3, make }).fit(wave.slice(0, 150));
  const next = matrix(49, 1, wave.slice(151));
  expect(other.score(wave.slice(150, 199), next)).toBeGreaterThan(0.99);
});

test.each<[string, () => unknown, RegExp]>([
  [
    'one class',
    () =>
      new EsnClassifier({ network }).fit(
        series,
        labels.map(() => 1),
      ),
    /at least 2 classes/,
  ],
  ['fewer labels than series', () => new EsnClassifier({ network }).fit(series, ['a']), /labels with 40 elements/],
  ['a prediction before a fit', () => new EsnClassifier({ network }).predict(series), /call fit first/],
  [
    'an unknown feature',
    () => new EsnClassifier({ network, features: { snapshot: 2 } as unknown as 'last' }),
    /snapshots: 1 to 1000/,
  ],
  [
    'an unknown option',
    () => new EsnClassifier({ network, feature: 'last' } as object as EsnClassifierOptions),
    /did you mean features/,
  ],
  ['no members', () => new Ensemble({ members: 0, make: () => new Esn({ network }) }), /from 1 to 10000 for members/],
])('refused: %s', (_, call, message) => {
  expect(call).toThrow(message);
});

const scaledOptions = { network, scale: 'standard', readout: { ridge: 1e-3 } } satisfies EsnClassifierOptions;
const larger = series.map(({ rows, data }) =>
  matrix(
    rows,
    1,
    Array.from(data, (u) => 5 + 30 * u),
  ),
);

test('a fit that fails leaves the fit before it', async () => {
  const classifier = new EsnClassifier(scaledOptions).fit(series, labels);
  const before = classifier.predictProba(series);
  const wrong = [...larger.slice(1), matrix(1, 2, [1, 2])];
  expect(() => classifier.fit(wrong, labels)).toThrow();
  expect(() =>
    classifier.fit(
      larger,
      labels.map(() => 1),
    ),
  ).toThrow('at least 2 classes');
  await expect(classifier.fitAsync(larger, labels, { signal: AbortSignal.abort() })).rejects.toThrow();
  expect(classifier.predictProba(series)).toEqual(before);
  const running = classifier.fitAsync(larger, labels);
  expect(classifier.predictProba(series)).toEqual(before);
  await running;
  expect(classifier.predictProba(larger).data[0]).toBeCloseTo(before.data[0]!, 6);
});

test('NaN is a label as any other', () => {
  const numbers = labels.map((label) => (label === 'slow' ? Number.NaN : 1));
  const classifier = new EsnClassifier(scaledOptions).fit(series, numbers);
  const named = new EsnClassifier(scaledOptions).fit(series, labels);
  expect(classifier.labels).toEqual([Number.NaN, 1]);
  expect(classifier.readout.weights).toEqual(named.readout.weights);
  expect(classifier.score(series, numbers)).toBe(named.score(series, labels));
});

test('an ensemble is scored on as many labels as series', () => {
  const make = (seed: number) => new EsnClassifier({ ...scaledOptions, network: { ...network, seed } });
  const ensemble = new ClassifierEnsemble({ members: 2, make }).fit(series, labels);
  expect(ensemble.score(series, labels)).toBeGreaterThan(0.5);
  expect(() => ensemble.score(series, labels.slice(1))).toThrow('labels with 40 elements');
});

test('a Softmax learns the probabilities themselves', async () => {
  const readout = new Softmax({ ridge: 0.1, tolerance: 1e-12 });
  const classifier = new EsnClassifier({ network, features: 'mean', readout }).fit(series, labels);
  const rows = series.map((one) => {
    const steps = rowsOf(one);
    return steps[0]!.map((_, k) => steps.reduce((sum, row) => sum + row[k]! / steps.length, 0));
  });
  const classOf = labels.map((label) => Number(label === 'fast'));
  const plain = plainSoftmax({ x: rows, classOf, classes: 2, ridge: 0.1 });
  const { data } = classifier.predictProba(series);
  const predicted = classifier.predict(series);
  rows.forEach((row, i) => {
    const [slow, fast] = plain.bias.map((b, k) => row.reduce((y, x, j) => y + x * plain.weights[2 * j + k]!, b));
    expect(data[2 * i + 1]).toBeCloseTo(1 / (1 + Math.exp(slow! - fast!)), 9);
    expect(predicted[i]).toBe(fast! > slow! ? 'fast' : 'slow');
  });
  expect(classifier.ridge).toBe(0.1);
  const other = await new EsnClassifier({ network, features: 'mean', readout: new Softmax(readout.options) }).fitAsync(
    series,
    labels,
  );
  expect(other.readout.weights).toEqual(classifier.readout.weights);
});

test('an ensemble of Softmax classifiers says the mean of their probabilities', () => {
  const make = (seed: number) =>
    new EsnClassifier({ network: { ...network, seed }, readout: new Softmax({ ridge: [0.1, 1] }) });
  const ensemble = new ClassifierEnsemble({ members: 2, make }).fit(series, labels);
  const [a, b] = ensemble.members.map((one) => one.predictProba(series).data);
  ensemble.predictProba(series).data.forEach((p, i) => {
    expect(p).toBeCloseTo((a![i]! + b![i]!) / 2, 12);
  });
});

test('a Softmax that does not converge leaves the fit before it', () => {
  const readout = new Softmax({ ridge: 0.1, maximumIterations: 8 });
  const classifier = new EsnClassifier({ network, readout }).fit(series, labels);
  const before = classifier.predictProba(series);
  const loud = series.map(({ rows, data }, i) =>
    matrix(
      rows,
      1,
      data.map((u) => (i % 2 ? 1e4 : -1e4) + 1e4 * u),
    ),
  );
  expect(() => classifier.fit(loud, labels)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_CONVERGENCE' }));
  expect(classifier.predictProba(series)).toEqual(before);
});

test('an Esn refuses a Softmax', () => {
  const readout = new Softmax() as unknown as { ridge: number };
  expect(() => new Esn({ network, readout })).toThrow(
    'Expected a readout of numbers (a Softmax is for the labels of an EsnClassifier) for readout but received a Softmax',
  );
});

// What docs/tasks.md states of both readouts.
test('vowels: a Softmax makes at most 8 errors, and says probabilities of at most 0.09 log loss', {
  tags: ['slow'],
  timeout: 240_000,
}, ({ skip }) => {
  const [train, testing] = [vowels('train'), vowels('test')];
  if (!train || !testing) return skip('skipped: no ../shared/data/japanese-vowels');
  const classifier = new EsnClassifier({ ...vowelOptions(0), readout: new Softmax() }).fit(train.series, train.labels);
  const { data } = classifier.predictProba(testing.series);
  const losses = testing.labels.map((label, i) => -Math.log(data[9 * i + classifier.labels.indexOf(label)]!));
  expect(losses.reduce((sum, one) => sum + one / 370, 0)).toBeLessThan(0.09);
  expect(Math.round(370 * (1 - classifier.score(testing.series, testing.labels)))).toBeLessThanOrEqual(8);
});
