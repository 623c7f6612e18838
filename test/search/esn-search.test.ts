/** Searches over data: scores by hand, splits, forecasts, sets of features, files. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { groupFolds, lorenz, narma, noise, rowsOf, walkForward } from '../../src/datasets/index.js';
import { delays, Esn, type EsnOptions, matrix, Reservoir, Ridge, search } from '../../src/index.js';
import { nrmse } from '../../src/scores/index.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-esn-search-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { inputs: x, targets: y } = narma(600, { seed: 3 });
const space = {
  ...{ units: 20, washout: 30, spectralRadius: { low: 0.3, high: 1 }, inputScaling: { low: 0.05, high: 0.5 } },
  biasScaling: 0.2,
} as const;
const plain = (value: object) =>
  JSON.parse(JSON.stringify(value, (key, part) => (key === 'milliseconds' ? 0 : part))) as object;

/** Mean square of a new Esn on each test, in units of the variance of all tests. */
function byHand(options: EsnOptions, splits: ReturnType<typeof walkForward>): number {
  let [squares, all] = [0, [] as number[]];
  for (const { train, test: tested } of splits) {
    const esn = new Esn(options);
    const wanted = y.data.map((value, t) => (t >= train.from && t < train.to ? value : Number.NaN));
    esn.fit(x, matrix(600, 1, wanted));
    const outputs = esn.predict(x, { state: 'reset' }).data.slice(tested.from, tested.to);
    const targets = y.data.slice(tested.from, tested.to);
    squares += targets.reduce((sum, target, i) => sum + (target - outputs[i]!) ** 2, 0);
    all = all.concat(...targets);
    esn.close();
  }
  const mean = all.reduce((sum, value) => sum + value / all.length, 0);
  return squares / all.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}

describe('a search over a series with targets', () => {
  test('scores every candidate as new models on the splits do, with the best of its ridges', async () => {
    const ridge = [1e-9, 1e-5, 1e-1];
    const { best, table } = await search({ ...space, ridge }, { x, y }, { budget: 4, seeds: [5, 6] });
    const splits = walkForward(600, { folds: 3 });
    const network = (candidate: (typeof table)[number]['candidate'], seed: number) => {
      const { units, spectralRadius, inputScaling, biasScaling } = candidate;
      return { ...{ units, spectralRadius, inputScaling, biasScaling }, inputs: 1, seed };
    };
    for (const { candidate, scores, score } of table) {
      const errors = ridge.map((value) =>
        [5, 6].map((seed) =>
          byHand({ network: network(candidate, seed), washout: 30, readout: { ridge: value } }, splits),
        ),
      );
      const means = errors.map(([a, b]) => (a! + b!) / 2);
      expect(candidate.ridge).toBe(ridge[means.indexOf(Math.min(...means))]);
      expect(score! / Math.min(...means)).toBeCloseTo(1, 9);
      expect(scores[1]! / errors[ridge.indexOf(candidate.ridge)]![1]!).toBeCloseTo(1, 9);
    }
    expect(best!.score).toBe(Math.min(...table.map(({ score }) => score!)));
    const { candidate } = best!;
    expect(best!.options).toEqual({
      ...{ washout: 30, scale: 'none', features: ['states', 'inputs'], readout: { ridge: candidate.ridge } },
      network: { ...network(candidate, 5), dtype: 'f64' },
    });
    const train = { from: 0, to: 450 };
    const esn = new Esn(best!.options).fit(rowsOf(x, train), rowsOf(y, train));
    const rest = { from: 450, to: 600 };
    expect(esn.score(rowsOf(x, rest), rowsOf(y, rest))).toBeGreaterThan(0.7);
  });

  test('takes splits with a gap and a moving window', async () => {
    const splits = walkForward(600, { folds: 2, gap: 10, trainSteps: 150, testSteps: 100 });
    const { best } = await search({ ...space, ridge: 1e-6 }, { x, y }, { budget: 1, splits });
    expect(best!.score! / byHand(best!.options, splits)).toBeCloseTo(1, 9);
  });

  test('tries every set of features on the same states', async () => {
    const sets = [['states'], ['states', 'inputs', 'squares'], ['squares', delays(2)]] as const;
    const options = { budget: 3 };
    const together = await search({ ...space, ridge: [1e-8, 1e-4], features: sets }, { x, y }, options);
    const apart = await Promise.all(
      sets.map((set) => search({ ...space, ridge: [1e-8, 1e-4], features: [set] }, { x, y }, options)),
    );
    together.table.forEach(({ candidate, score }, i) => {
      const rows = apart.map(({ table }) => table[i]!);
      const least = rows.reduce((a, b) => (b.score! < a.score! ? b : a));
      expect(score! / least.score!).toBeCloseTo(1, 9);
      expect(candidate.features).toEqual(least.candidate.features);
    });
  });

  test('does not learn from targets that are NaN, and does not test on them', async () => {
    const gaps = matrix(
      600,
      1,
      y.data.map((value, t) => (t % 7 === 0 ? Number.NaN : value)),
    );
    const { best } = await search(
      { ...space, ridge: 1e-6 },
      { x, y: gaps },
      { budget: 1, splits: walkForward(600, { folds: 1 }) },
    );
    const esn = new Esn(best!.options).fit(
      x,
      matrix(
        600,
        1,
        gaps.data.map((value, t) => (t < 300 ? value : Number.NaN)),
      ),
    );
    const outputs = esn.predict(x, { state: 'reset' }).data;
    const known = [...new Array(300).keys()].map((i) => 300 + i).filter((t) => t % 7 !== 0);
    const error = nrmse(
      known.map((t) => y.data[t]!),
      known.map((t) => outputs[t]!),
      { normalizer: 'deviation' },
    );
    expect(best!.score! / error ** 2).toBeCloseTo(1, 9);
  });

  test('gives the same table in parallel and by halving finds a good candidate', async () => {
    const one = await search(space, { x, y }, { budget: 6, parallel: 1 });
    const four = await search(space, { x, y }, { budget: 6, parallel: 4 });
    expect(plain(four)).toEqual(plain(one));
    const halved = await search(space, { x, y }, { budget: 9, strategy: 'halving' });
    expect(halved.table.filter(({ budgetShare }) => budgetShare === 1)).toHaveLength(1);
    expect(halved.best!.score).toBeLessThan(0.5);
  });
});

test('a list of series is scored by folds of whole series, as Ridge.validate does', async () => {
  const parts = Array.from({ length: 6 }, (_, i) => ({ from: 100 * i, to: 100 * i + 80 + i }));
  const list = { x: parts.map((part) => rowsOf(x, part)), y: parts.map((part) => rowsOf(y, part)) };
  const splits = groupFolds(['a', 'a', 'b', 'b', 'c', 'c'], 3);
  const { best } = await search({ ...space, ridge: [1e-6, 1e-2] }, list, { budget: 1, splits });
  const reservoir = new Reservoir(best!.options.network as never);
  const ridge = new Ridge({ folds: 3 });
  parts.forEach((_, i) => {
    const states = reservoir.run(list.x[i]!, { state: reservoir.createState() });
    const rows = [...new Array(states.rows - 30).keys()].map((t) => [
      ...states.data.slice((t + 30) * 20, (t + 31) * 20),
      list.x[i]!.data[t + 30]!,
    ]);
    const fold = splits.findIndex(({ test: tested }) => tested.includes(i));
    ridge.add(rows, rowsOf(list.y[i]!, { from: 30, to: states.rows }), undefined, { fold });
  });
  const { table } = ridge.validate([1e-6, 1e-2]);
  expect(best!.score! / Math.min(...table.map(({ error }) => error))).toBeCloseTo(1, 8);
});

describe('a search over a series without targets', () => {
  const { data } = lorenz(1500, { discard: 500 });
  const series = matrix(1500, 3, data);
  const forecasting = {
    units: 60,
    washout: 100,
    scale: 'standard',
    inputScaling: [0.1],
    spectralRadius: [0.4, 0.9],
    biasScaling: 1,
  } as const;

  test('scores forecasts in closed loop', async () => {
    const options = { budget: 2, horizon: 40, splits: walkForward(1500, { folds: 1, testSteps: 300 }) };
    const { table } = await search({ ...forecasting, ridge: 1e-8 }, series, options);
    for (const { candidate, score } of table) {
      expect(score).toBeLessThan(0.5);
      const network = {
        units: 60,
        inputs: 3,
        inputScaling: 0.1,
        biasScaling: 1,
        spectralRadius: candidate.spectralRadius,
      };
      const mean = [0, 1, 2].map((d) => data.reduce((sum, v, i) => sum + (i % 3 === d ? v / 1500 : 0), 0));
      const deviation = [0, 1, 2].map((d) =>
        Math.sqrt(data.reduce((sum, v, i) => sum + (i % 3 === d ? (v - mean[d]!) ** 2 / 1500 : 0), 0)),
      );
      const scaledRows = (from: number, to: number) =>
        matrix(
          to - from,
          3,
          data.slice(3 * from, 3 * to).map((v, i) => (v - mean[i % 3]!) / deviation[i % 3]!),
        );
      const esn = new Esn({ network, washout: 100, readout: { ridge: 1e-8 } }).fit(scaledRows(0, 1201));
      const starts = Array.from({ length: 16 }, (_, i) => 1200 + Math.round((i * 259) / 15));
      const logs = starts.map((start) => {
        const out = esn.forecast({ steps: 40, warmup: scaledRows(0, start) });
        return Math.log(nrmse(scaledRows(start, start + 40), out, { normalizer: 1 }));
      });
      const byHandScore = Math.exp(logs.reduce((sum, log) => sum + log / 16, 0));
      expect(Math.abs(Math.log(score! / byHandScore))).toBeLessThan(0.02); // the scaling of the search has one row less
    }
  });

  test('scores a test at the beginning of the series as any other', async () => {
    const splits = [{ train: { from: 300, to: 1500 }, test: { from: 0, to: 300 } }];
    const { table } = await search({ ...forecasting, ridge: 1e-8 }, series, { budget: 2, horizon: 40, splits });
    for (const { score } of table) expect(score).toBeGreaterThan(1e-6);
    const tooLong = { budget: 1, horizon: 300, splits };
    await expect(search({ ...forecasting, ridge: 1e-8 }, series, tooLong)).rejects.toThrow(/1 to 299/);
  });

  test('with sets of features forecasts as each set alone', async () => {
    const options = { budget: 1, horizon: 20 };
    const sets = [
      ['states', 'inputs'],
      ['states', 'squares'],
    ] as const;
    const ridge = [1e-9, 1e-5];
    const both = await search({ ...forecasting, ridge, features: sets }, series, options);
    const apart = await Promise.all(
      sets.map((set) => search({ ...forecasting, ridge, features: [set] }, series, options)),
    );
    const least = Math.min(...apart.map(({ best }) => best!.score!));
    expect(both.best!.score! / least).toBeCloseTo(1, 5);
  });
});

describe('a file', () => {
  test('goes on with the table of a search that was aborted, and refuses other data', async () => {
    const file = path.join(folder, 'search.jsonl');
    const stop = new AbortController();
    const onProgress = ({ done }: { done: number }) => done === 3 && stop.abort(new Error('enough'));
    const options = { budget: 6, seeds: 2, file } as const;
    await expect(
      search(space, { x, y }, { ...options, signal: stop.signal, onProgress: onProgress as never }),
    ).rejects.toThrow('enough');
    const kept = readFileSync(file, 'utf8').split('\n').length - 2;
    expect(kept).toBeGreaterThanOrEqual(3);
    const finished: number[] = [];
    const whole = await search(space, { x, y }, { ...options, onProgress: ({ done }) => finished.push(done) });
    expect(finished[0]).toBe(kept + 1);
    expect(plain(whole)).toEqual(plain(await search(space, { x, y }, { budget: 6, seeds: 2 })));
    const other = { x, y: noise(600, { seed: 1 }) };
    await expect(search(space, other, options)).rejects.toThrow('it has another data');
  });
});

test('wrong spaces, data and splits are refused by name', async () => {
  const wrong = (changed: object, data: object = { x, y }, options: object = {}) =>
    search({ ...space, ...changed } as never, data as never, { budget: 1, ...options });
  await expect(wrong({ spectralRadios: 1 })).rejects.toThrow('did you mean spectralRadius?');
  await expect(wrong({ units: undefined })).rejects.toThrow('space.units');
  await expect(wrong({ features: ['states'] })).rejects.toThrow('space.features');
  await expect(wrong({}, { x, z: y })).rejects.toThrow('Unknown option z of data');
  await expect(wrong({}, { x, y: y.data.slice(1) })).rejects.toThrow('targets with 600 rows');
  await expect(wrong({}, 7 as never)).rejects.toThrow('data or a function');
  await expect(wrong({}, { x, y }, { horizon: 3 })).rejects.toThrow('no horizon');
  await expect(
    wrong({}, { x, y }, { splits: [{ train: { from: 0, to: 5 }, test: { from: 5, to: 900 } }] }),
  ).rejects.toThrow('splits[0].test.to');
  await expect(wrong({}, { x: [x, x], y: [y, y] }, { splits: [{ train: [0], test: [1] }] })).rejects.toThrow(
    'each series in one test',
  );
  const failed = await wrong({ leak: 2 });
  expect(failed.best).toBeNull();
  expect(failed.table[0]!.error).toContain('leak');
});

// Rodan & Tino (2011), IEEE Trans. Neural Netw. 22: NMSE 0.0425 with 200 units.
test('NARMA-10: 200 units leave at most 0.016 of the variance after a search of 40 candidates', {
  tags: ['slow'],
  timeout: 120_000,
}, async () => {
  const { inputs, targets } = narma(6000, { seed: 1 });
  const [train, rest] = [
    { from: 0, to: 4000 },
    { from: 4000, to: 6000 },
  ];
  const { best } = await search(
    {
      ...{ units: 200, washout: 200, spectralRadius: { low: 0.5, high: 1.2 }, biasScaling: { low: 0, high: 0.5 } },
      inputScaling: { low: 0.02, high: 0.5, scale: 'log' },
    },
    { x: rowsOf(inputs, train), y: rowsOf(targets, train) },
    { budget: 40 },
  );
  const esn = new Esn(best!.options).fit(rowsOf(inputs, train), rowsOf(targets, train));
  expect(1 - esn.score(rowsOf(inputs, rest), rowsOf(targets, rest))).toBeLessThan(0.016);
});
