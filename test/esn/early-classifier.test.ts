/** Labels of series while they arrive. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseJapaneseVowels, rowsOf } from '../../src/datasets/index.js';
import { EarlyClassifier, matrix, Reservoir, Ridge, Softmax } from '../../src/index.js';

const network = { units: 20, inputs: 1, leak: 0.5, biasScaling: 0.2, seed: 2 };
const tone = (steps: number, pitch: number, shift: number) =>
  matrix(
    steps,
    1,
    Float64Array.from({ length: steps }, (_, t) => Math.sin(pitch * t + shift)),
  );
const pitches = [0.3, 0.6, 0.9];
const series = Array.from({ length: 60 }, (_, i) => tone(20 + (i % 9), pitches[i % 3]!, i));
const labels = series.map((_, i) => ['low', 'middle', 'high'][i % 3]!);

test('the readout is that of the rows after the shares of each series', () => {
  const classifier = new EarlyClassifier({ network, prefixes: [0.5, 1], ridge: 1e-3 }).fit(series, labels);
  const reservoir = new Reservoir({ ...network, dtype: 'f64' });
  const rows = [0.5, 1].flatMap((share) =>
    series.map(({ rows: steps, data }) => {
      const last = Math.round(share * steps) - 1;
      const states = reservoir.run(data, { state: reservoir.createState() });
      return [...states.data.slice(20 * last, 20 * last + 20), data[last]!];
    }),
  );
  const targets = [0, 1].flatMap(() => series.map((_, i) => [0, 1, 2].map((k) => Number(i % 3 === k))));
  const readout = new Ridge({ ridge: 1e-3 }).add(rows, targets).solve();
  expect(classifier.labels).toEqual(['low', 'middle', 'high']);
  const part = rowsOf(series[5]!, { from: 0, to: Math.round(0.5 * series[5]!.rows) });
  const outputs = readout.apply([rows[5]!]).data;
  const logs = classifier.predictProba([part]).data.map(Math.log);
  // log p_k - log p_j = s (y_k - y_j): the same s for both pairs.
  const sharpness = (logs[0]! - logs[1]!) / (outputs[0]! - outputs[1]!);
  expect((logs[1]! - logs[2]!) / (outputs[1]! - outputs[2]!) / sharpness).toBeCloseTo(1, 6);
});

test('a stream says after each step what predictProba says of the part, and keeps its decision', () => {
  const classifier = new EarlyClassifier({ network, scale: 'standard' }).fit(series, labels);
  const stream = classifier.stream({ confidence: 1 });
  const decided = classifier.stream({ confidence: 0.6 });
  const one = tone(25, 0.6, 100);
  let kept: object | null = null;
  for (let t = 0; t < 25; t++) {
    const { label, probability, decidedAfter } = stream.step([one.data[t]!]);
    const row = classifier.predictProba([rowsOf(one, { from: 0, to: t + 1 })]).data;
    expect(probability).toBeCloseTo(Math.max(...row), 9);
    expect(label).toBe(classifier.labels[row.indexOf(Math.max(...row))]);
    if (probability < 1) expect(decidedAfter).toBeNull();
    const early = decided.step([one.data[t]!]);
    if (kept !== null) expect(early).toBe(kept);
    else if (probability >= 0.6) {
      expect(early.decidedAfter).toBe(t + 1);
      kept = early;
    }
  }
  expect(kept).not.toBeNull();
  decided.reset();
  decided.step([one.data[0]!]);
  expect(decided.steps).toBe(1);
});

const larger = series.map(({ rows, data }) =>
  matrix(
    rows,
    1,
    Float64Array.from(data, (u) => 5 + 30 * u),
  ),
);

test('a fit that fails leaves the fit before it, and no fit changes a stream', () => {
  const classifier = new EarlyClassifier({ network, scale: 'standard', ridge: 1e-3, washout: 2 }).fit(series, labels);
  const before = classifier.predictProba(series);
  const short = [...larger.slice(1), matrix(2, 1, [1, 2])];
  expect(() => classifier.fit(short, labels)).toThrow();
  expect(classifier.predictProba(series)).toEqual(before);
  const steps = () => {
    const stream = classifier.stream({ confidence: 1 });
    return (refit: () => void) =>
      Array.from(series[7]!.data, (u, t) => {
        if (t === 5) refit();
        return stream.step([u]).probability;
      });
  };
  const expected = steps()(() => {});
  expect(steps()(() => classifier.fit(larger, labels))).toEqual(expected);
});

test('a Softmax reads the same rows, whole series in a fold, and a stream says its probabilities', () => {
  const readout = new Softmax({ ridge: [0.1, 1] });
  const classifier = new EarlyClassifier({ network, prefixes: [0.5, 1], readout }).fit(series, labels);
  const other = new Softmax({ ridge: [0.1, 1] });
  const reservoir = new Reservoir({ ...network, dtype: 'f64' });
  for (const share of [0.5, 1]) {
    for (const [i, { rows: steps, data }] of series.entries()) {
      const last = Math.round(share * steps) - 1;
      const states = reservoir.run(data, { state: reservoir.createState() });
      const row = [...states.data.slice(20 * last, 20 * last + 20), data[last]!];
      other.add([row], [i % 3], { fold: Math.floor(i / 3) % 5 });
    }
  }
  const expected = other.solve();
  expect(classifier.ridge).toBe(other.ridge);
  const one = tone(25, 0.6, 100);
  const states = reservoir.run(one.data, { state: reservoir.createState() });
  const row = [...states.data.slice(-20), one.data[24]!];
  const wanted = Softmax.probabilities(expected.apply([row])).data;
  classifier.predictProba([one]).data.forEach((p, k) => {
    expect(p).toBeCloseTo(wanted[k]!, 9);
  });
  const stream = classifier.stream({ confidence: 1 });
  for (const u of one.data.slice(0, -1)) stream.step([u]);
  expect(stream.step([one.data[24]!]).probability).toBeCloseTo(Math.max(...wanted), 9);
});

test.each([
  ['ridge regression', undefined],
  ['a Softmax', new Softmax({ ridge: [1e-4, 100] })],
])('five labels in turn are learned by %s, and a label of one series with them', (_, readout) => {
  const five = Array.from({ length: 50 }, (_, i) => tone(20 + (i % 7), 0.2 + 0.25 * (i % 5), i));
  const own = [...five.map((_, i) => i % 5), 5];
  const all = [...five, matrix(20, 1, new Float64Array(20).fill(2))];
  const classifier = new EarlyClassifier({ network, prefixes: [0.5, 1], ...(readout && { readout }) }).fit(all, own);
  expect(classifier.score(all, own)).toBeGreaterThan(0.9);
  expect(classifier.ridge).toBeLessThan(10);
});

test('nothing is decided within the washout', () => {
  const classifier = new EarlyClassifier({ network, washout: 4 }).fit(series, labels);
  const stream = classifier.stream({ confidence: 1e-9 });
  const decided = Array.from(series[0]!.data.subarray(0, 6), (u) => stream.step([u]).decidedAfter);
  expect(decided).toEqual([null, null, null, null, 5, 5]);
});

test('what cannot be learned or decided is refused', () => {
  const classifier = new EarlyClassifier({ network });
  expect(() => classifier.stream()).toThrow('call fit first');
  expect(() => classifier.fit(series.slice(0, 4), labels.slice(0, 4))).toThrow('5 series or more');
  expect(() => classifier.fit(series, labels.slice(1))).toThrow('labels with 60 elements');
  expect(() =>
    classifier.fit(
      series,
      series.map(() => 'one'),
    ),
  ).toThrow('at least 2 classes');
  const alone = series.slice(0, 6);
  expect(() => classifier.fit(alone, [...alone.keys()])).toThrow('2 series or more of a label');
  expect(() => new EarlyClassifier({ network, prefixes: [2] })).toThrow('prefixes');
  const readout = new Softmax();
  expect(() => new EarlyClassifier({ network, ridge: 1, readout })).toThrow('a ridge in the Softmax for ridge');
  expect(() => new EarlyClassifier({ network, readout: {} as Softmax })).toThrow('a Softmax for readout');
  classifier.fit(series, labels);
  expect(() => classifier.stream({ confidence: 0 })).toThrow('a number in (0, 1] for confidence');
});

describe('Japanese vowels', () => {
  const pathOf = (name: string) =>
    fileURLToPath(new URL(`../../../shared/data/japanese-vowels.${name}`, import.meta.url));
  test('half of each series has 95 % of the accuracy of whole ones, and decisions at 95 % take a third of the steps', {
    tags: ['slow'],
    timeout: 120_000,
  }, ({ skip }) => {
    if (!existsSync(pathOf('test'))) return skip('skipped: no ../shared/data/japanese-vowels.test');
    const [train, tested] = ['train', 'test'].map((name) => parseJapaneseVowels(readFileSync(pathOf(name), 'utf8')));
    const options = { units: 300, inputs: 12, leak: 0.3, inputScaling: 0.3, biasScaling: 0.3, seed: 0 };
    const classifier = new EarlyClassifier({ network: options }).fit(train!.series, train!.labels);
    const half = tested!.series.map((one) => rowsOf(one, { from: 0, to: Math.round(one.rows / 2) }));
    const [whole, early] = [classifier.score(tested!.series, tested!.labels), classifier.score(half, tested!.labels)];
    expect(whole).toBeGreaterThan(0.97);
    expect(early / whole).toBeGreaterThan(0.95);
    const stream = classifier.stream({ confidence: 0.95 });
    let [right, seen, steps] = [0, 0, 0];
    for (const [i, { rows, data }] of tested!.series.entries()) {
      stream.reset();
      let last = stream.step(data.subarray(0, 12));
      for (let t = 1; t < rows; t++) last = stream.step(data.subarray(12 * t, 12 * t + 12));
      right += Number(last.label === tested!.labels[i]);
      seen += last.decidedAfter ?? rows;
      steps += rows;
    }
    expect(right / 370).toBeGreaterThan(0.94);
    expect(seen / steps).toBeLessThan(0.3);
  });
});
