/** Esn against the plainest loops: a reservoir, the rows of its features, and ridge regression. */
import { describe, expect, test } from 'vitest';
import {
  DeepTreeModel,
  delays,
  Esn,
  type EsnOptions,
  type Feature,
  firstStates,
  LeastMeanSquares,
  type Matrix,
  matrix,
  RecursiveLeastSquares,
  Reservoir,
  Ridge,
} from '../../src/index.js';
import { plainRun } from '../reference/reservoir.js';
import { plainRidge } from '../reference/ridge.js';

const units = 12;
const network = { units, inputs: 1, leak: 0.4, biasScaling: 0.3, seed: 5 };
const wave = (t: number) => Math.sin(t / 3) + Math.cos(t / 7);
const series = Array.from({ length: 300 }, (_, t) => wave(t));
const targets = series.map((_, t) => [wave(t - 2), wave(t + 1) ** 2]);

/** States of the reservoir of these options over a series, from rest. */
function plainStates(inputs: number[]): Float64Array {
  const reservoir = new Reservoir({ ...network, dtype: 'f64' });
  const { recurrent, input, bias } = reservoir.weights();
  const weights = { units, inputs: 1, recurrent: recurrent.data, input: input.data, bias: bias };
  return plainRun({ ...weights, leak: new Float64Array(units).fill(0.4) }, inputs, new Float64Array(units));
}

/** Rows [x(t), u(t), u(t - 1)]. */
function plainRows(inputs: number[]): number[][] {
  const states = plainStates(inputs);
  return inputs.map((u, t) => [...states.subarray(t * units, (t + 1) * units), u, inputs[t - 1] ?? 0]);
}

const features: Feature[] = ['states', 'inputs', delays(1)];
const options = { network, features, readout: { ridge: 1e-6 } } satisfies EsnOptions;

function near(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): void {
  expect(a.length).toBe(b.length);
  const worst = Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
  expect(worst).toBeLessThan(tolerance);
}

function applied(rows: number[][], { weights, bias }: ReturnType<typeof plainRidge>): number[] {
  const outputs = bias.length;
  return rows.flatMap((row) =>
    Array.from(bias, (value, o) => row.reduce((sum, x, i) => sum + x * weights[i * outputs + o]!, value)),
  );
}

test('fit and predict give the numbers of the plainest loops', () => {
  const esn = new Esn({ ...options, washout: 20 }).fit(series, targets);
  const rows = plainRows(series);
  const used = { x: rows.slice(20).flat(), y: targets.slice(20).flat(), steps: 280, ridge: 1e-6, intercept: true };
  const plain = plainRidge(used);
  near(esn.readout.bias, plain.bias, 1e-7);
  near(esn.predict(series, { state: 'reset' }).data, applied(rows, plain), 1e-7);
});

test('a fit without targets learns the next step, and the forecast is the loop of predictions', () => {
  const esn = new Esn(options).fit(series);
  const rows = plainRows(series);
  const plain = plainRidge({
    x: rows.slice(0, -1).flat(),
    y: series.slice(1),
    steps: 299,
    ridge: 1e-6,
    intercept: true,
  });
  near(esn.readout.weights.data, plain.weights, 1e-5);
  const loop = [...series];
  for (let t = 0; t < 10; t++) loop.push(applied([plainRows(loop).at(-1)!], plain)[0]!);
  near(esn.forecast({ steps: 10 }).data, loop.slice(-10), 1e-7);
  near(esn.forecast({ steps: 1 }).data, applied([plainRows(loop).at(-1)!], plain), 1e-6); // goes on from there
});

test('predictions go on from the last fit, prediction or forecast, and reset starts again', () => {
  const esn = new Esn(options).fit(series, targets);
  const whole = esn.predict(series, { state: 'reset' }).data;
  esn.reset();
  const pieces = [series.slice(0, 100), series.slice(100, 101), series.slice(101)].flatMap((some) => [
    ...esn.predict(some).data,
  ]);
  expect(pieces).toEqual([...whole]);
  esn.reset();
  const rest = esn.predict([matrix(300, 1, series)])[0]!.data;
  expect(rest).toEqual(whole);
});

test('a forecast after reset is that of a state at rest', () => {
  const esn = new Esn(options).fit(series);
  esn.predict(series.slice(0, 50));
  esn.reset();
  const atRest = esn.forecast({ steps: 3 }).data;
  expect(atRest[0]).toBeCloseTo(esn.readout.bias[0]!, 12);
  near(esn.forecast({ steps: 3, starts: [esn.createState()] })[0]!.data, atRest, 1e-12);
});

test('forecasts of many starts equal those of each, after a warm-up or from rows of states', () => {
  const esn = new Esn(options).fit(series);
  const warmups = [series.slice(0, 80), series.slice(100, 150), series.slice(30, 100)];
  const alone = warmups.map((warmup) => esn.forecast({ steps: 5, warmup }));
  const list = warmups.map((warmup) => matrix(warmup.length, 1, warmup));
  const many = esn.forecast({ steps: 5, warmup: list });
  const states = warmups.map((warmup) => {
    const state = esn.createState();
    esn.predict(warmup, { state });
    return state;
  });
  const rows = matrix(3, states[0]!.data.length, Float64Array.from(states.flatMap(({ data }) => [...data])));
  const ofRows = esn.forecast({ steps: 5, starts: rows });
  const ofStates = esn.forecast({ steps: 5, starts: states });
  alone.forEach(({ data }, i) => {
    near(many[i]!.data, data, 1e-10);
    near(ofRows[i]!.data, data, 1e-10);
    near(ofStates[i]!.data, data, 1e-10);
  });
});

test('inputs beyond the outputs are given to a forecast', () => {
  const driven = series.map((u, t) => [u, Math.sin(t)]);
  const next = series.map((_, t) => wave(t + 1));
  const esn = new Esn({ network: { ...network, inputs: 2 }, readout: { ridge: 1e-8 } }).fit(driven, next);
  const known = Array.from({ length: 20 }, (_, t) => Math.sin(300 + t));
  const copy = esn.state.copy();
  const { data } = esn.forecast({ steps: 20, inputs: known });
  // The first output is that of the last step of the series; each is fed back with the input of its step.
  const loop = [data[0]!];
  for (let t = 0; t < 19; t++) loop.push(esn.predict([[loop[t]!, known[t]!]], { state: copy }).data[0]!);
  near(data, loop, 1e-12);
  expect(() => esn.forecast({ steps: 3 })).toThrow(/inputs with 1 columns/);
});

test('lists of series train like the rows of each, and every one starts from rest', () => {
  const parts = [series.slice(0, 120), series.slice(50, 90), series.slice(200)].map((one) =>
    matrix(one.length, 1, one),
  );
  const wanted = parts.map((one) =>
    matrix(
      one.rows,
      1,
      [...one.data].map((u) => u * u),
    ),
  );
  const esn = new Esn({ ...options, washout: 5 }).fit(parts, wanted);
  const rows = parts.flatMap((one) => plainRows([...one.data]).slice(5));
  const y = wanted.flatMap((one) => [...one.data].slice(5));
  const plain = plainRidge({ x: rows.flat(), y, steps: rows.length, ridge: 1e-6, intercept: true });
  near(esn.readout.weights.data, plain.weights, 1e-4);
  const predicted = esn.predict(parts);
  parts.forEach((one, i) => {
    near(predicted[i]!.data, applied(plainRows([...one.data]), plain), 1e-7);
  });
});

test('targets that are NaN are not learned, and are counted', () => {
  const holes = targets.map((row, t) => (t % 5 === 2 ? [Number.NaN, row[1]!] : row));
  const ridge = new Ridge({ ridge: 1e-6 });
  const esn = new Esn({ ...options, readout: ridge }).fit(series, holes);
  const kept = plainRows(series).filter((_, t) => t % 5 !== 2);
  const y = targets.filter((_, t) => t % 5 !== 2).flat();
  const plain = plainRidge({ x: kept.flat(), y, steps: kept.length, ridge: 1e-6, intercept: true });
  near(esn.readout.weights.data, plain.weights, 1e-4);
  expect([ridge.steps, ridge.dropped]).toEqual([240, 60]);
});

test('weights of steps are those of the weighted problem', () => {
  const weights = series.map((_, t) => (t % 4) / 2);
  const esn = new Esn(options).fit(series, targets, { weights });
  const importance = (t: number) => weights[t]!;
  const x = plainRows(series).flat();
  const plain = plainRidge({ x, y: targets.flat(), steps: 300, ridge: 1e-6, intercept: true, importance });
  near(esn.readout.weights.data, plain.weights, 1e-4);
});

test('carried states go on from series to series; given ones start where they are', () => {
  const halves = [series.slice(0, 150), series.slice(150)].map((one) => matrix(150, 1, one));
  const wanted = [targets.slice(0, 150), targets.slice(150)].map((one) => matrix(150, 2, one));
  const whole = new Esn(options).fit(series, targets).readout.weights.data;
  near(new Esn(options).fit(halves, wanted, { state: 'carry' }).readout.weights.data, whole, 1e-6);
  const esn = new Esn(options).fit(series, targets);
  const [first, second] = [esn.createState(), esn.createState()];
  esn.predict(halves[0]!, { state: second });
  near(new Esn(options).fit(series, targets).readout.weights.data, whole, 1e-12);
  near(esn.fit(halves, wanted, { state: [first, second] }).readout.weights.data, whole, 1e-6);
});

test('partialFit adds to what fit learned', () => {
  const esn = new Esn(options).fit(series.slice(0, 200), targets.slice(0, 200));
  near(
    esn.partialFit(series.slice(200), targets.slice(200)).readout.weights.data,
    new Esn(options).fit(series, targets).readout.weights.data,
    1e-6,
  );
});

test('several ridges are tried over contiguous folds', () => {
  const ridge = new Ridge({ ridge: [1e-9, 1e-3, 1e3], folds: 4 });
  const esn = new Esn({ ...options, readout: ridge, washout: 20 }).fit(series, targets);
  const rows = plainRows(series).slice(20);
  const errors = ridge.validation!.table.map(({ error }) => error);
  expect(errors).toHaveLength(3);
  expect(ridge.ridge).toBe([1e-9, 1e-3, 1e3][errors.indexOf(Math.min(...errors))]);
  const plain = plainRidge({
    x: rows.flat(),
    y: targets.slice(20).flat(),
    steps: 280,
    ridge: ridge.ridge,
    intercept: true,
  });
  near(esn.predict(series, { state: 'reset' }).data.slice(40), applied(rows, plain), 1e-6);
  expect(errors[2]).toBeGreaterThan(errors[0]!);
});

describe('online readouts', () => {
  test('recursive least squares learns what a ridge learns', () => {
    const readout = new RecursiveLeastSquares({ ridge: 1e-6, intercept: false });
    const online = new Esn({ ...options, readout }).fit(series, targets);
    const batch = new Esn({ ...options, readout: new Ridge({ ridge: 1e-6, intercept: false }) }).fit(series, targets);
    const a = online.predict(series, { state: 'reset' }).data;
    near(a, batch.predict(series, { state: 'reset' }).data, 1e-4);
  });

  test('least mean squares follows its law', () => {
    const readout = new LeastMeanSquares({ learningRate: 0.05 });
    const esn = new Esn({ network, features: ['states'], readout }).fit(series, series);
    const states = plainStates(series);
    const w = new Float64Array(units);
    let b = 0;
    for (let t = 0; t < series.length; t++) {
      const x = states.subarray(t * units, (t + 1) * units);
      const e = x.reduce((sum, value, i) => sum + value * w[i]!, b) - series[t]!;
      x.forEach((value, i) => {
        w[i] = w[i]! - 0.05 * e * value;
      });
      b -= 0.05 * e;
    }
    near(esn.readout.weights.data, w, 1e-12);
    expect(esn.readout.bias[0]).toBeCloseTo(b, 12);
  });

  test('a stream predicts before it learns, and what it learns the Esn knows', () => {
    const esn = new Esn({ network, readout: new RecursiveLeastSquares({ outputs: 1, forgetting: 0.99, ridge: 1e-4 }) });
    esn.partialFit(series.slice(0, 1), series.slice(1, 2));
    const stream = esn.stream();
    const errors = series.slice(1, -1).map((u, t) => Math.abs(stream.step([u], [series[t + 2]!])[0]! - series[t + 2]!));
    const mean = (some: number[]) => some.reduce((sum, e) => sum + e / some.length, 0);
    expect(mean(errors.slice(-50))).toBeLessThan(0.03);
    expect(esn.predict(series, { state: 'reset' }).data.at(-2)).toBeCloseTo(series.at(-1)!, 1);
  });
});

test('a stream gives the rows of predict', () => {
  const esn = new Esn({ ...options, scale: 'standard' }).fit(series, targets);
  const expected = esn.predict(series, { state: 'reset' }).data;
  const stream = esn.stream({ state: 'reset' });
  near(
    series.flatMap((u) => [...stream.step([u])]),
    expected,
    1e-12,
  );
  expect(stream.steps).toBe(300);
  const forecaster = new Esn(options).fit(series);
  const live = forecaster.stream();
  near(live.forecast(4).data, forecaster.forecast({ steps: 4 }).data, 1e-9);
});

test.each(['standard', 'range'] as const)('the scale %s makes the units of the data irrelevant', (scale) => {
  const other = series.map((u) => 1000 + 50 * u);
  const a = new Esn({ ...options, scale, readout: { ridge: 1e-8 } }).fit(series);
  const b = new Esn({ ...options, scale, readout: { ridge: 1e-8 } }).fit(other);
  const [p, q] = [a.forecast({ steps: 20 }).data, b.forecast({ steps: 20 }).data];
  near(
    q,
    Float64Array.from(p, (u) => 1000 + 50 * u),
    1e-3,
  );
  expect(Math.abs(p[0]! - wave(300))).toBeLessThan(0.05);
});

test('a snapshot goes on in another object to the bit', () => {
  for (const readout of [{ ridge: 1e-6 }, () => new RecursiveLeastSquares({ ridge: 1e-4 })]) {
    const make = () =>
      new Esn({ ...options, scale: 'range', readout: typeof readout === 'function' ? readout() : readout });
    const esn = make().fit(series.slice(0, 250));
    const other = make().restore(structuredClone(esn.snapshot()));
    expect(other.predict(series.slice(250))).toEqual(esn.predict(series.slice(250)));
    expect(other.forecast({ steps: 9 })).toEqual(esn.forecast({ steps: 9 }));
  }
});

test('asynchronous twins give the same bits, and tell their progress', async () => {
  const twin = { ...options, readout: { ridge: [1e-8, 1e-6] }, scale: 'standard' as const };
  const parts = [matrix(100, 1, series.slice(0, 100)), matrix(200, 1, series.slice(100))];
  const esn = new Esn(twin).fit(parts);
  const stages = new Map<string, string>();
  const other = await new Esn(twin).fitAsync(parts, undefined, {
    onProgress: ({ done, total, stage }) => stages.set(stage, `${done} of ${total}`),
  });
  expect(stages.get('train')).toBe('298 of 298');
  expect(other.readout.weights).toEqual(esn.readout.weights);
  expect(await other.predictAsync(series)).toEqual(esn.predict(series));
  expect(await other.predictAsync(parts)).toEqual(esn.predict(parts));
  expect(await other.forecastAsync({ steps: 7 })).toEqual(esn.forecast({ steps: 7 }));
  expect(await other.forecastAsync({ steps: 7, warmup: parts })).toEqual(esn.forecast({ steps: 7, warmup: parts }));
  await expect(other.fitAsync(series, undefined, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
});

test('one factor has the readout of every level of a Deep Tree', () => {
  const tree = () => new DeepTreeModel({ depth: 3, units: 24, inputs: 1, dtype: 'f64', biasScaling: 0.3, seed: 2 });
  const ridge = new Ridge({ ridge: 1e-4 });
  new Esn({ network: tree(), features: ['inputs', 'states'], readout: ridge, washout: 20 }).fit(series, targets);
  const units = [1, 2, 3].map((level) =>
    tree()
      .membranes.filter((one) => one.level <= level)
      .reduce((sum, one) => sum + one.units, 0),
  );
  ridge.nested(units.map((count) => 1 + count)).forEach(({ readout, errors }, level) => {
    const upper: Feature[] = ['inputs', firstStates(units[level]!)];
    const alone = new Ridge({ ridge: 1e-4 });
    const esn = new Esn({ network: tree(), features: upper, readout: alone, washout: 20 }).fit(series, targets);
    near(readout.weights.data, esn.readout.weights.data, 1e-8);
    near(errors!, alone.nested([1 + units[level]!])[0]!.errors!, 1e-8);
  });
});

test('score is the share of the variance that predictions explain, and does not move the state', () => {
  const esn = new Esn(options).fit(series.slice(0, 200), targets.slice(0, 200));
  const before = esn.state.data.slice();
  const score = esn.score(series.slice(200), targets.slice(200));
  expect(esn.state.data).toEqual(before);
  const { data } = esn.predict(series.slice(200));
  const y = targets.slice(200);
  const shares = [0, 1].map((o) => {
    const mean = y.reduce((sum, row) => sum + row[o]! / y.length, 0);
    const left = y.reduce((sum, row, t) => sum + (row[o]! - data[2 * t + o]!) ** 2, 0);
    return 1 - left / y.reduce((sum, row) => sum + (row[o]! - mean) ** 2, 0);
  });
  expect(score).toBeCloseTo((shares[0]! + shares[1]!) / 2, 12);
  expect(new Esn(options).fit(series).score(series.slice(0, 100), undefined, { state: 'reset' })).toBeGreaterThan(0.9);
});

test('a forecast that leaves the numbers ends with its rows', () => {
  const esn = new Esn({ network: { ...network, dtype: 'f32' }, features: ['inputs'], readout: { ridge: 0 } });
  esn.fit([1, 10, 100, 1000, 1e4, 1e5]);
  expect(() => esn.forecast({ steps: 100 })).toThrow(expect.objectContaining({ code: 'ERR_DTESN_DIVERGED' }));
  const [one] = esn.forecast({ steps: 100, warmup: [matrix(2, 1, [1, 10])] });
  expect(one!.rows).toBeLessThan(60);
  expect(one!.data[0]! / 100).toBeCloseTo(1, 4);
});

const fitted = () => new Esn(options).fit(series, targets);
test.each<[string, () => unknown, RegExp]>([
  ['an unknown option', () => new Esn({ netwrok: network } as unknown as EsnOptions), /did you mean network/],
  [
    'an unknown option of the readout',
    () => new Esn({ network, readout: { rigde: 1 } as object }),
    /did you mean ridge/,
  ],
  [
    'an unknown option of fit',
    () => new Esn(options).fit(series, targets, { wieghts: [] } as object),
    /did you mean weights/,
  ],
  [
    'an unknown option of forecast',
    () => fitted().forecast({ step: 1 } as unknown as { steps: number }),
    /did you mean steps/,
  ],
  ['a prediction before a fit', () => new Esn(options).predict(series), /call fit first/],
  ['a forecast of more outputs than inputs', () => fitted().forecast({ steps: 1 }), /up to 1 outputs/],
  ['targets of other steps', () => new Esn(options).fit(series, targets.slice(1)), /targets with 300 steps/],
  [
    'fewer targets than series',
    () => new Esn(options).fit([matrix(300, 1, series)], [] as Matrix[]),
    /targets with 1 elements/,
  ],
  [
    'a series no longer than the washout',
    () => new Esn({ ...options, washout: 300 }).fit(series, targets),
    /more than 300 steps/,
  ],
  ['a snapshot of other sizes', () => new Esn({ network }).restore(fitted().snapshot()), /a snapshot of/],
  [
    'a state of another model',
    () => fitted().predict(series, { state: new Reservoir(network).createState() }),
    /states of this model/,
  ],
])('refused: %s', (_, call, message) => {
  expect(call).toThrow(message);
});

describe('fits of few series or few steps', () => {
  const several = { ...options, readout: { ridge: [1e-6, 1e-2, 1e3] } };

  test('a list of one series chooses the ridge of the series alone', async () => {
    const alone = new Esn(several).fit(series, targets);
    const one = [Float64Array.from(series)];
    const wanted = [matrix(300, 2, Float64Array.from(targets.flat()))];
    const chosen = (esn: Esn) => (esn.learner as Ridge).validation;
    expect(chosen(new Esn(several).fit(one, wanted))).toEqual(chosen(alone));
    expect(chosen(alone)!.best).toBe(1e-6);
    const shared = [matrix(300, 1, new Float64Array(new SharedArrayBuffer(2400)))];
    shared[0]!.data.set(series);
    expect(chosen(await new Esn(several).fitAsync(shared, wanted))).toEqual(chosen(alone));
  });

  test('fewer steps than folds start from rest', () => {
    const [x, y] = [series.slice(0, 3), targets.slice(0, 3)];
    const fresh = new Esn(several).fit(x, y);
    const used = new Esn(several);
    used.state.data.fill(0.5);
    expect(used.fit(x, y).readout.weights.data).toEqual(fresh.readout.weights.data);
  });
});
