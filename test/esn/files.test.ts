/** Files of models: what was saved comes back to the last bit. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import {
  csr,
  DeepTreeModel,
  delays,
  Es2n,
  Esn,
  EsnClassifier,
  type EsnOptions,
  EuSn,
  Featured,
  LeastMeanSquares,
  matrix,
  Network,
  Nvar,
  products,
  RecursiveLeastSquares,
  Reservoir,
  Ridge,
  Softmax,
} from '../../src/index.js';
import { cycle, uniform } from '../../src/initializers/index.js';
import { bundle } from '../worker-sources.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-files-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = () => path.join(folder, `${files++}.safetensors`);

const wave = (t: number) => [Math.sin(t / 3) + Math.cos(t / 7), Math.cos(t / 5)];
const series = Array.from({ length: 203 }, (_, t) => wave(t));
const random = (length: number) => Float64Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) ** 2) / 3);

async function reopened(options: EsnOptions): Promise<[Esn, Esn, string]> {
  const esn = new Esn(options);
  if (options.readout instanceof RecursiveLeastSquares || options.readout instanceof LeastMeanSquares) {
    esn.partialFit(series.slice(0, -1), series.slice(1));
  } else esn.fit(series);
  const file = newFile();
  await esn.save(file);
  return [esn, await Esn.load(file), file];
}

const given = { recurrent: matrix(9, 9, random(81)), input: matrix(9, 2, random(18)), bias: random(9) };
const rows = csr(9, 9, {
  offsets: [0, 2, 3, 3, 4, 5, 6, 7, 8, 9],
  columns: [1, 8, 0, 2, 3, 4, 5, 6, 7],
  values: Float64Array.from([0.3, -0.2, 0.5, 0, 0.25, -0.7, 0.1, 0.2, 0.9]),
});
const dtype = 'f64';
const networks: [string, () => EsnOptions['network']][] = [
  ['options', () => ({ units: 30, inputs: 2, leak: 0.3, biasScaling: 0.2, seed: 7 })],
  [
    'a drawn f32 reservoir',
    () => new Reservoir({ units: 300, inputs: 2, seed: 3, leak: Array.from({ length: 300 }, (_, i) => (i + 1) / 300) }),
  ],
  ['a reservoir of bf16', () => new Reservoir({ units: 64, inputs: 2, seed: 3, precision: 'bf16' })],
  ['a hadamard reservoir', () => new Reservoir({ units: 64, inputs: 2, topology: 'hadamard', dtype })],
  ['given dense weights', () => new Reservoir({ weights: given })],
  ['given weights in bf16', () => new Reservoir({ weights: given, precision: 'bf16' })],
  ['given weights in int8', () => new Reservoir({ weights: given, precision: 'int8' })],
  [
    'given dense weights whose zeros are not stored',
    () =>
      new Reservoir({
        weights: {
          ...given,
          recurrent: matrix(
            9,
            9,
            random(81).map((w, i) => (i % 3 ? 0 : w)),
          ),
        },
        topology: 'sparse',
      }),
  ],
  ['given sparse weights, one of them zero', () => new Reservoir({ weights: { recurrent: rows, input: given.input } })],
  [
    'initializers',
    () =>
      new Reservoir({
        units: 20,
        inputs: 2,
        dtype,
        weights: { recurrent: cycle({ weight: 0.8 }), input: uniform(), bias: uniform() },
        seed: 4,
      }),
  ],
  [
    'a sparse initializer',
    () =>
      new Reservoir({
        units: 20,
        inputs: 2,
        dtype,
        weights: { recurrent: uniform({ degree: 3, spectralRadius: 0.9 }), input: uniform() },
        seed: 4,
      }),
  ],
  ['an Es2n', () => new Es2n({ units: 16, inputs: 2, proximity: 0.5, dtype })],
  ['a given Es2n', () => new Es2n({ weights: { ...given, orthogonal: rows }, proximity: 0.5 })],
  ['an EuSn', () => new EuSn({ units: 16, inputs: 2, step: 0.1, dtype })],
  ['a given EuSn', () => new EuSn({ weights: given, step: 0.1, diffusion: 0.01 })],
  [
    'a deep tree',
    () =>
      new DeepTreeModel({ depth: 3, units: 40, inputs: 2, feedback: 0.1, dtype, activation: ['tanh', 'sine', 'relu'] }),
  ],
  ['an Nvar', () => new Nvar({ inputs: 2, delay: 2, order: 2, dtype })],
  [
    'a Featured',
    () => new Featured({ network: new Reservoir({ units: 12, inputs: 2, dtype }), features: ['states', 'squares'] }),
  ],
];

describe('Esn.save and Esn.load', () => {
  test.each(networks)('the network of %s forecasts as before, to the last bit', async (_, network) => {
    const [esn, loaded] = await reopened({
      network: network(),
      features: ['inputs', 'states', delays(2)],
      scale: 'standard',
      washout: 20,
    });
    expect(loaded.network.constructor).toBe(esn.network.constructor);
    expect([...loaded.state.data]).toEqual([...esn.state.data]);
    expect([...loaded.forecast({ steps: 40 }).data]).toEqual([...esn.forecast({ steps: 40 }).data]);
    expect([...loaded.predict(series).data]).toEqual([...esn.predict(series).data]);
    expect([loaded.washout, loaded.scale]).toEqual([20, 'standard']);
  });

  test('another process forecasts the same, to the last bit', { timeout: 60_000 }, async () => {
    const script = await bundle(path.resolve(import.meta.dirname, 'forecast-process.ts'));
    for (const network of [{ units: 100, inputs: 2, seed: 3 }, new Reservoir({ weights: given, precision: 'f32' })]) {
      const [esn, , file] = await reopened({ network, scale: 'range' });
      const { stdout } = await promisify(execFile)(process.execPath, [script, file, '100']);
      expect(stdout).toBe(Buffer.from(esn.forecast({ steps: 100 }).data.buffer).toString('hex'));
    }
  });

  test('given weights in int8 keep their rounded numbers', async () => {
    for (let seed = 1; seed < 40; seed++) {
      const data = random(1600).map((w, i) => Math.fround(w * (1 + ((i * seed) % 17)) * 1.1 ** seed));
      const input = matrix(
        40,
        2,
        random(80).map((w) => w * seed),
      );
      const network = new Reservoir({ weights: { recurrent: matrix(40, 40, data), input }, precision: 'int8' });
      await reopened({ network });
    }
  });

  test('drawn weights are not in the file: 300 units take kilobytes', async () => {
    const [, , file] = await reopened({ network: { units: 300, inputs: 2 } });
    expect(statSync(file).size).toBeLessThan(16_000);
  });

  test('sparse weights take the room of their non-zeros', async () => {
    const n = 600;
    const each = {
      offsets: Array.from({ length: n + 1 }, (_, i) => i),
      columns: Array.from({ length: n }, (_, i) => (i + 1) % n),
      values: new Float64Array(n).map((_, i) => 0.5 + i / 5000),
    };
    const [, , file] = await reopened({
      network: new Reservoir({ weights: { recurrent: csr(n, n, each), input: matrix(n, 2, random(2 * n)) } }),
      readout: { ridge: 1e-6 },
    });
    expect(statSync(file).size).toBeLessThan(60_000);
  });

  test('weights that the caller has written over since are saved as the network has them', async () => {
    const weights = { recurrent: matrix(9, 9, random(81)), input: rows9(), bias: random(9) };
    const esn = new Esn({ network: new Reservoir({ weights }) }).fit(series);
    for (const written of [weights.recurrent.data, weights.input.values, weights.bias]) written.fill(7);
    const file = newFile();
    await esn.save(file);
    expect([...(await Esn.load(file)).forecast({ steps: 9 }).data]).toEqual([...esn.forecast({ steps: 9 }).data]);
  });

  test('a recursive readout goes on learning', async () => {
    const readout = new RecursiveLeastSquares({ forgetting: 0.99 });
    const [esn, loaded] = await reopened({ network: { units: 10, inputs: 2 }, readout });
    const more = [esn, loaded].map((one) => [
      ...one.partialFit(series.slice(0, -1), series.slice(1)).readout.weights.data,
    ]);
    expect(more[1]).toEqual(more[0]);
  });

  test.each([
    ['options of a Ridge', { ridge: [1e-6, 1e-4], folds: 4 }],
    ['a Ridge', new Ridge({ ridge: 1e-5, solver: 'cholesky', intercept: false })],
    ['a LeastMeanSquares', new LeastMeanSquares({ learningRate: 0.01, normalised: true })],
  ])('%s is fitted again with the same options', async (_, readout) => {
    const [esn, loaded] = await reopened({
      network: { units: 10, inputs: 2 },
      readout,
      features: ['states', products()],
    });
    expect([...loaded.readout.weights.data]).toEqual([...esn.readout.weights.data]);
    const again = [esn, loaded].map((one) => [...one.fit(series.slice(0, -1), series.slice(1)).readout.weights.data]);
    expect(again[1]).toEqual(again[0]);
  });

  test('an Esn that was not fitted, and one whose network came by a handle, are not saved', async () => {
    await expect(new Esn({ network: { units: 5, inputs: 2 } }).save(newFile())).rejects.toMatchObject({
      code: 'ERR_DTESN_EMPTY',
    });
    const reservoir = new Reservoir({ units: 5, inputs: 2, dtype });
    const esn = new Esn({ network: Network.from(reservoir.share()) }).fit(series);
    await expect(esn.save(newFile())).rejects.toMatchObject({ name: 'TypeError', code: 'ERR_DTESN_ARGUMENT' });
  });

  test('a save replaces the file and leaves nothing beside it', async () => {
    const esn = new Esn({ network: { units: 5, inputs: 2 } }).fit(series);
    const place = mkdtempSync(path.join(folder, 'place-'));
    const file = path.join(place, 'model');
    writeFileSync(file, 'before');
    await esn.save(file);
    await esn.save(file);
    expect(readdirSync(place)).toEqual(['model']);
    await expect(esn.save(path.join(place, 'none', 'model'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(esn.save(place)).rejects.toThrow();
    expect(readdirSync(path.dirname(place)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

function rows9() {
  return csr(9, 2, {
    offsets: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    columns: [0, 1, 0, 1, 0, 1, 0, 1, 0],
    values: random(9),
  });
}

describe('EsnClassifier.save and load', () => {
  const lists = Array.from({ length: 20 }, (_, i) =>
    matrix(
      15 + i,
      1,
      Array.from({ length: 15 + i }, (_, t) => Math.sin((i % 2 ? 0.3 : 0.8) * t)),
    ),
  );

  test.each<[string, unknown[]]>([
    ['strings', ['a', 'b']],
    ['numbers that JSON has not', [Number.NaN, -0]],
    ['whole numbers of any size', [2n ** 70n, 1n]],
    ['booleans', [true, false]],
  ])('labels that are %s come back', async (_, kinds) => {
    const labels = lists.map((_, i) => kinds[i % 2]) as string[];
    const network = { units: 20, inputs: 1 };
    const classifier = new EsnClassifier({ network, features: { snapshots: 2 }, scale: 'range', washout: 2 }).fit(
      lists,
      labels,
    );
    const file = newFile();
    await classifier.save(file);
    const loaded = await EsnClassifier.load(file);
    expect(loaded.predict(lists)).toEqual(classifier.predict(lists));
    expect([...loaded.predictProba(lists).data]).toEqual([...classifier.predictProba(lists).data]);
    expect(loaded.labels).toEqual(classifier.labels);
    await expect(Esn.load(file)).rejects.toMatchObject({
      code: 'ERR_DTESN_FILE',
      message: expect.stringContaining('EsnClassifier'),
    });
  });
});

test('a classifier with a Softmax comes back to the bit, and can be fitted again', async () => {
  const lists = Array.from({ length: 24 }, (_, i) =>
    Array.from({ length: 12 + i }, (_, t) => [Math.sin((0.3 + 0.2 * (i % 3)) * t)]),
  );
  const labels = lists.map((_, i) => i % 3);
  const readout = new Softmax({ ridge: [0.01, 0.1], tolerance: 1e-10 });
  const classifier = new EsnClassifier({ network: { units: 20, inputs: 1 }, features: 'mean', readout });
  const file = newFile();
  await classifier.fit(lists, labels).save(file);
  const loaded = await EsnClassifier.load(file);
  expect([...loaded.predictProba(lists).data]).toEqual([...classifier.predictProba(lists).data]);
  expect(loaded.ridge).toBe(classifier.ridge);
  expect([...loaded.fit(lists, labels).readout.weights.data]).toEqual([...classifier.readout.weights.data]);
});
