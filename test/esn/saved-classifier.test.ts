/** Files of classifiers whose description was changed and whose checksum was made right again. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { EsnClassifier, type EsnClassifierOptions } from '../../src/index.js';
import { forged } from './forged.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-classifiers-'));
afterAll(() => rmSync(folder, { recursive: true }));

const series = Array.from({ length: 12 }, (_, i) =>
  Array.from({ length: 12 + i }, (_, t) => [Math.sin((0.3 + 0.2 * (i % 3)) * t), Math.cos(t)]),
);
const labels = series.map((_, i) => i % 3);

interface Saved {
  fitted: Record<string, unknown>;
  scaling: unknown;
}

async function loaded(name: string, change: (model: Saved) => void, options: Partial<EsnClassifierOptions> = {}) {
  const network = { units: 5, inputs: 2 };
  const classifier = new EsnClassifier({ network, scale: 'standard', features: { snapshots: 2 }, ...options });
  const file = path.join(folder, `${name.replaceAll(/\W/g, '-')}.safetensors`);
  await classifier.fit(series, labels).save(file);
  writeFileSync(file, forged(readFileSync(file), change as never));
  return EsnClassifier.load(file);
}

const set = (key: string, value: unknown) => (model: Saved) => {
  model.fitted[key] = value;
};
const fill = (length: number, value = 0.5) => ({ $fill: ['F64', length, value] });

test.each<[string, (model: Saved) => void, RegExp]>([
  ['labels that are objects', set('labels', [{}, [], null]), /fitted\.labels\.0: a label/],
  ['no labels', set('labels', undefined), /fitted\.labels/],
  ['fewer labels', set('labels', [0, 1]), /3 labels/],
  ['a label twice', set('labels', [0, 1, 1]), /3 labels/],
  ['a sharpness of 0', set('sharpness', 0), /fitted\.sharpness/],
  ['a sharpness of NaN', set('sharpness', { $number: 'NaN' }), /fitted\.sharpness/],
  ['a sharpness of text', set('sharpness', '1'), /fitted\.sharpness/],
  ['a negative ridge', set('ridge', -1), /fitted\.ridge/],
  ['other weights', set('weights', fill(39)), /weights of 14 features x 3 classes/],
  ['weights of text', set('weights', 'abc'), /fitted\.weights: finite f64 numbers/],
  ['other biases', set('bias', fill(6)), /6 labels/],
  [
    'a scaling of one input',
    (model) => (model.scaling = { offset: fill(1), factor: fill(1) }),
    /a scaling of 2 inputs/,
  ],
  ['a scaling by 0', (model) => (model.scaling = { offset: fill(2), factor: fill(2, 0) }), /not 0/],
  ['a scaling of text', (model) => (model.scaling = { offset: 'a', factor: 'b' }), /scaling\.offset/],
  ['no scaling', (model) => (model.scaling = null), /a scaling/],
])('%s is ERR_DTESN_FILE', async (name, change, message) => {
  const error = await loaded(name, change).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ name: 'DtesnError', code: 'ERR_DTESN_FILE', message: expect.stringMatching(message) });
});

test('a scaling of inputs that are not scaled is ERR_DTESN_FILE, and a file as it was saved is none', async () => {
  const scaled = (model: Saved) => {
    model.scaling = { offset: fill(2), factor: fill(2) };
  };
  await expect(loaded('not scaled', scaled, { scale: 'none' })).rejects.toMatchObject({ code: 'ERR_DTESN_FILE' });
  const same = await loaded('the same', () => {});
  expect(same.labels).toEqual([0, 1, 2]);
});
