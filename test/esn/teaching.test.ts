/** What a fit promises beside its numbers: one at a time, errors before anything is learned, and readouts that can be told from data. */
import { expect, test, vi } from 'vitest';
import { varianceOf } from '../../src/esn/closed-loop.js';
import { determination } from '../../src/esn/score.js';
import {
  ClassifierEnsemble,
  DeepTreeModel,
  type DtesnError,
  Ensemble,
  Esn,
  EsnClassifier,
  LeastMeanSquares,
  type Matrix,
  matrix,
  RecursiveLeastSquares,
  StreamPool,
} from '../../src/index.js';

const network = { units: 20, inputs: 1, leak: 0.5, biasScaling: 0.3, seed: 5 };
const series = Array.from({ length: 600 }, (_, t) => Math.sin(t / 3) + Math.cos(t / 7));

test('while a fitAsync is under way everything else that teaches is refused, and the fit ends as if alone', async () => {
  const esn = new Esn({ network });
  const first = esn.fitAsync(series);
  await expect(esn.fitAsync(series)).rejects.toMatchObject({ code: 'ERR_DTESN_BUSY' });
  for (const call of [() => esn.fit(series), () => esn.partialFit(series)]) {
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_DTESN_BUSY' }) as DtesnError);
  }
  await first;
  const alone = new Esn({ network }).fit(series);
  expect(esn.forecast({ steps: 5, warmup: series }).data).toEqual(alone.forecast({ steps: 5, warmup: series }).data);
  expect(esn.fit(series).isFitted).toBe(true);
});

test('an Esn whose fitAsync was aborted can be fitted again', async () => {
  const esn = new Esn({ network });
  const abort = new AbortController();
  const stopped = esn.fitAsync(series, undefined, { signal: abort.signal, onProgress: () => abort.abort() });
  await expect(stopped).rejects.toThrow(/abort/i);
  expect((await esn.fitAsync(series)).isFitted).toBe(true);
});

test('a forecaster takes the same ridge on and off the thread, with the condition of its own solve', async () => {
  const [plain, off] = [new Esn({ network }).fit(series), await new Esn({ network }).fitAsync(series)];
  const [a, b] = [plain, off].map(({ learner }) => learner as import('../../src/index.js').Ridge);
  expect(b!.validation).toEqual(a!.validation);
  const { ridge, condition } = a!;
  a!.solve(ridge);
  expect(condition).toBe(a!.condition);
});

test('a column that is there twice leaves the small ridges without a readout, and a larger one is taken', async () => {
  const two = series.map((value) => [30 * value, 30 * value]);
  const options = {
    network: { ...network, inputs: 2 },
    features: ['inputs'],
    readout: { solver: 'cholesky' },
  } as const;
  const esn = new Esn(options).fit(two);
  const { validation } = esn.learner as import('../../src/index.js').Ridge;
  expect(validation!.table.some(({ error }) => error === Number.POSITIVE_INFINITY)).toBe(true);
  expect(Number.isFinite(validation!.table.find(({ ridge }) => ridge === validation!.best)!.error)).toBe(true);
  const off = await new Esn(options).fitAsync(two);
  expect((off.learner as import('../../src/index.js').Ridge).validation).toEqual(validation);
});

test('force refuses a target that is NaN before it learns anything', () => {
  const esn = new Esn({ network, readout: new RecursiveLeastSquares() });
  const before = esn.state.data.slice();
  expect(() => esn.force([...series.slice(0, 50), Number.NaN])).toThrow(
    /finite numbers.*targets|targets.*finite numbers/,
  );
  expect(esn.state.data).toEqual(before);
  expect(esn.isFitted).toBe(false);
});

test('score names targets that are missing, and lists of another length', () => {
  const esn = new Esn({ network }).fit(
    series,
    series.map((value) => [value, value ** 2]),
  );
  expect(() => esn.score(series)).toThrow(/targets of the 2 outputs/);
  expect(() =>
    new Esn({ network }).fit(series).score(
      [series, series].map((one) => Float64Array.from(one)),
      [series],
    ),
  ).toThrow(/targets with 2 elements/);
  const lists = [series.slice(0, 60), series.slice(60, 120)].map((one) => Float64Array.from(one));
  const ensemble = new ClassifierEnsemble({
    members: 2,
    make: (seed) => new EsnClassifier({ network: { ...network, seed } }),
  });
  ensemble.fit(lists, ['a', 'b']);
  expect(() => ensemble.score(lists, ['a'])).toThrow(/labels with 2 elements/);
  expect(new Ensemble({ members: 2, make: (seed) => new Esn({ network: { ...network, seed } }) }).members.length).toBe(
    2,
  );
});

test('the coefficient of determination of columns is the mean of one column at a time', () => {
  const wanted = [1, 10, 2, 30, 4, Number.NaN, 7, -5];
  const predicted = [1.5, 11, 2, 28, 3, 0, 7.5, -4];
  const of = (o: number) => {
    const pairs = wanted.map((y, i) => [y, predicted[i]!] as const).filter(([y], i) => i % 2 === o && !Number.isNaN(y));
    const mean = pairs.reduce((sum, [y]) => sum + y, 0) / pairs.length;
    const left = pairs.reduce((sum, [y, p]) => sum + (y - p) ** 2, 0);
    return 1 - left / pairs.reduce((sum, [y]) => sum + (y - mean) ** 2, 0);
  };
  expect(determination([{ wanted, predicted }], 2)).toBeCloseTo((of(0) + of(1)) / 2, 12);
  const many = Array.from({ length: 200_000 }, (_, t) => Math.sin(t));
  expect(determination([{ wanted: many, predicted: many }], 1)).toBe(1);
});

test('the variance of a series far from zero keeps its digits', () => {
  const far = Float64Array.from(series, (value) => value + 1e9);
  expect(varianceOf([far], 1) / varianceOf([Float64Array.from(series)], 1)).toBeCloseTo(1, 5);
});

test('online steps do not make a readout until one is asked for, and outputs come in the units of the data', () => {
  const learner = new LeastMeanSquares({ learningRate: 0.05 });
  const readout = learner.readout.bind(learner);
  let made = 0;
  learner.readout = () => {
    made++;
    return readout();
  };
  const scaled = series.map((value) => 100 + 10 * value);
  const esn = new Esn({ network, readout: learner, scale: 'standard' });
  esn.partialFit(scaled.slice(0, 300), scaled.slice(1, 301));
  made = 0;
  const stream = esn.stream();
  const seen = scaled.slice(300, 400).map((value, i) => stream.step([value], [scaled[301 + i]!])[0]!);
  expect(made).toBeLessThanOrEqual(1);
  for (const one of seen) expect(Math.abs(one - 100)).toBeLessThan(40);
});

test.each(['standard', 'range'] as const)('only a fit learns a scaling: %s', (scale) => {
  const esn = new Esn({ network, scale, readout: new RecursiveLeastSquares() });
  const empty = expect.objectContaining({ code: 'ERR_DTESN_EMPTY' }) as DtesnError;
  const pool = new StreamPool({ esn, capacity: 1 });
  const stream = esn.stream();
  expect(() => stream.step([0.4], [0.5])).toThrow(empty);
  expect(() => pool.push(1, [0.4], [0.5])).toThrow(empty);
  expect(() => esn.force(series)).toThrow(empty);
  expect(esn.isFitted).toBe(false);
  esn.partialFit(series);
  expect(stream.step([0.4])).not.toEqual(stream.step([5]));
  expect(pool.push(1, [0.4], [0.5])).toBe(true);
  expect(esn.force(series.slice(0, 9)).rows).toBe(9);
});

test('a snapshot of another scaling is refused', () => {
  const [plain, scaled] = [new Esn({ network }).fit(series), new Esn({ network, scale: 'standard' }).fit(series)];
  const shape = expect.objectContaining({ code: 'ERR_DTESN_SHAPE' }) as DtesnError;
  expect(() => plain.restore(scaled.snapshot())).toThrow(shape);
  expect(() => scaled.restore(plain.snapshot())).toThrow(shape);
  const wide = { offset: new Float64Array(2), factor: new Float64Array(2) };
  expect(() => scaled.restore({ ...scaled.snapshot(), scaling: wide })).toThrow(shape);
  expect(scaled.restore(scaled.snapshot()).isFitted).toBe(true);
});

test('a score moves no state, own or given', () => {
  const esn = new Esn({ network }).fit(series);
  const state = esn.createState();
  const own = esn.state.data.slice();
  const first = esn.score(series, undefined, { state });
  expect(esn.score(series, undefined, { state: [state] } as never)).toBe(first);
  expect(first).toBe(esn.score(series, undefined, { state: 'reset' }));
  expect([...state.data].every((value) => value === 0)).toBe(true);
  expect(esn.state.data).toEqual(own);
});

test('the score of a series without a next step is an error', () => {
  expect(() => new Esn({ network }).fit(series).score([1])).toThrow(/at least 2 steps/);
});

test('arguments that are wrong leave what was learned as it is', async () => {
  const esn = new Esn({ network, scale: 'standard' }).fit(series);
  const before = esn.forecast({ steps: 3, warmup: series }).data;
  const wrong = [1, 2, 3] as unknown as number[][];
  expect(() => esn.fit(series, wrong)).toThrow(/targets with 600 steps/);
  expect(() => esn.fit(series, undefined, { state: 'rest' as 'reset' })).toThrow(/states of this model/);
  await expect(esn.fitAsync(series, wrong)).rejects.toThrow(/targets with 600 steps/);
  expect(esn.forecast({ steps: 3, warmup: series }).data).toEqual(before);
  expect(esn.fit(series, undefined, { state: undefined }).isFitted).toBe(true);
  const online = new Esn({ network, readout: new RecursiveLeastSquares() }).fit(series);
  const { data } = online.readout.weights;
  await expect(online.fitAsync(series)).rejects.toThrow(/a Ridge/);
  expect(() => online.fit(series, undefined, { weights: series })).toThrow(/no weights/);
  expect(online.readout.weights.data).toEqual(data);
});

const tree = () => new DeepTreeModel({ depth: 3, units: 24, inputs: 1, seed: 1, dtype: 'f64', biasScaling: 0.1 });

test('the ridge of a forecaster is chosen with the own gates, whatever the network itself does', async () => {
  const forecaster = () => new Esn({ network: tree(), features: ['states'] });
  const closed = (esn: Esn) => {
    esn.state.gates!.set([1, 0, 0, 0, 0, 0, 0].slice(0, esn.state.gates!.length));
    return esn;
  };
  const [free, used] = [forecaster(), forecaster()].map(closed) as [Esn, Esn];
  used.network.state.fill(0.5);
  (used.network as DeepTreeModel).gates.fill(0);
  const validation = (esn: Esn) => (esn.learner as { validation: unknown } | null)?.validation;
  expect(validation(used.fit(series))).toEqual(validation(free.fit(series)));
  const shared = new Float64Array(new SharedArrayBuffer(8e5 * 8)).fill(0.1);
  const run = used.network.runAsync(matrix(8e5, 1, shared), { out: null });
  used.fit(series);
  await run;
  expect(validation(forecaster().fit(series))).not.toEqual(validation(free));
});

test('a warmup, and a list of one, run with the own gates, on and off the thread', async () => {
  const esn = new Esn({ network: tree() }).fit(series);
  esn.state.gates!.fill(0, 1);
  const warmup = series.slice(0, 50);
  const one: Matrix = esn.forecast({ steps: 4, warmup });
  const rows: Matrix = esn.forecast({ steps: 4, warmup: warmup.map((u) => [u]) });
  const [many] = esn.forecast({ steps: 4, warmup: [matrix(50, 1, Float64Array.from(warmup))] });
  const shared = matrix(50, 1, new Float64Array(new SharedArrayBuffer(400)));
  shared.data.set(warmup);
  const [off] = await esn.forecastAsync({ steps: 4, warmup: [shared] });
  const alone = await esn.forecastAsync({ steps: 4, warmup });
  for (const other of [rows, many!, off!, alone]) {
    other.data.forEach((value, i) => {
      expect(value).toBeCloseTo(one.data[i]!, 9);
    });
  }
});

test('the warmup of forecastAsync is off the thread: an abort ends it, and the state is busy meanwhile', async () => {
  const esn = new Esn({ network }).fit(series);
  const warmup = new Float64Array(new SharedArrayBuffer(8e6)).fill(0.1);
  const abort = new AbortController();
  const onThread = vi.spyOn(esn.featured, 'run');
  const forecast = esn.forecastAsync({ steps: 1, warmup, signal: abort.signal });
  expect(() => esn.predict(series)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_BUSY' }) as DtesnError);
  abort.abort();
  await expect(forecast).rejects.toThrow(/abort/i);
  expect(onThread).not.toHaveBeenCalled();
});

test('an option of the readout that is undefined counts as left out', () => {
  const few = series.slice(0, 30);
  const named = new Esn({ network, readout: { ridge: undefined, folds: undefined } }).fit(few);
  expect(named.readout.weights.data).toEqual(new Esn({ network }).fit(few).readout.weights.data);
  const nested = new Esn({ network: tree(), nested: true, readout: { folds: undefined } }).fit(series);
  expect(nested.levels[0]!.nrmse).not.toBeNull();
  expect(new Esn({ network: { ...network, dtype: undefined } }).network.dtype).toBe('f64');
});

test('what is no series to force and no snapshot is refused with a code', () => {
  const argument = expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' }) as DtesnError;
  const online = new Esn({ network, readout: new RecursiveLeastSquares() });
  for (const wrong of [null, undefined, 3, 'x']) expect(() => online.force(wrong as never)).toThrow(argument);
  expect(() => online.restore({ dtesn: 'esn', version: 1 } as never)).toThrow(argument);
  const nested = new Esn({ network: tree(), nested: true }).fit(series);
  const levels = nested.snapshot().levels!.map(() => null);
  expect(() => nested.restore({ ...nested.snapshot(), levels } as never)).toThrow(argument);
});

test.each([true, false])('a LeastMeanSquares goes on learning after restore: intercept %s', (intercept) => {
  const make = () => new Esn({ network, readout: new LeastMeanSquares({ learningRate: 0.01, intercept }) });
  const esn = make().fit(series);
  const other = make().restore(structuredClone(esn.snapshot()));
  expect(other.readout.weights.data).toEqual(esn.readout.weights.data);
  const more = series.slice(0, 20);
  expect(other.partialFit(more).readout.weights.data).toEqual(esn.partialFit(more).readout.weights.data);
  expect(other.fit(more).readout.weights.data).toEqual(make().fit(more).readout.weights.data);
});
