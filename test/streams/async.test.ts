/** Streams off the JavaScript thread: the bits of push, step and state one by one. */
import { expect, test } from 'vitest';
import { setThreads } from '../../src/native/index.js';
import { DeepTreeModel, type Network, Nvar, Reservoir } from '../../src/network/index.js';
import { LinearReadout } from '../../src/readout/index.js';
import { StreamPool } from '../../src/streams/index.js';
import { sequence } from '../reference/reservoir.js';

const makeModel = () => new Reservoir({ units: 30, inputs: 2, leak: 0.5, seed: 2 });
const busy = expect.objectContaining({ code: 'ERR_DTESN_BUSY' });

function shared(values: ArrayLike<number>): Float32Array {
  const copy = new Float32Array(new SharedArrayBuffer(4 * values.length));
  copy.set(values);
  return copy;
}

/** The state after each row of each stream, by push, step and state. */
function oneByOne(model: Network, series: Float32Array, rows: number[]): Float32Array[][] {
  const pool = new StreamPool({ model, capacity: rows.length, ring: 1 });
  let row = 0;
  return rows.map((count, id) => {
    pool.push(id, []);
    return Array.from({ length: count }, () => {
      pool.push(id, series.subarray(row * model.inputs, ++row * model.inputs));
      pool.step();
      return Float32Array.from(pool.state(id) as Float32Array);
    });
  });
}

function begun(model: Network, streams: number): StreamPool {
  const pool = new StreamPool({ model, capacity: streams, ring: 1 });
  for (let id = 0; id < streams; id++) pool.push(id, []);
  return pool;
}

test.each([1, 2, 5])('stepAsync gives the bits of step, whatever the threads: %i', async (threads) => {
  setThreads(threads);
  const model = new Reservoir({ units: 200, inputs: 2, topology: 'dense', seed: 1 });
  const [here, there] = [0, 1].map(() => new StreamPool({ model, capacity: 150, ring: 4 }));
  for (let id = 0; id < 150; id++) {
    const series = sequence(2 * (1 + (id % 4)), id);
    here!.push(id, series);
    there!.push(id, series);
  }
  const steps: [number, number][] = [];
  while (here!.ready > 0) steps.push([here!.step(), await there!.stepAsync()]);
  expect(steps).toEqual([150, 112, 74, 37].map((n) => [n, n]));
  expect(there!.arena.view('states')).toEqual(here!.arena.view('states'));
  expect(await there!.stepAsync()).toBe(0);
});

test.each([
  ['a reservoir', makeModel],
  ['a Deep Tree', () => new DeepTreeModel({ units: 60, depth: 3, inputs: 2, seed: 3 })],
  ['a delay line', () => new Nvar({ inputs: 2, delay: 3, order: 2 })],
])('runAsync through %s gives every row the bits of push, step and state', async (_name, make) => {
  setThreads(2);
  const model = make();
  const rows = Array.from({ length: 150 }, (_, id) => (id * 7) % 12);
  const total = rows.reduce((a, b) => a + b);
  const series = shared(sequence(2 * total, 5));
  const states = oneByOne(model, series, rows);
  const size = model.featureSize;
  const features = (state: Float32Array) => Float64Array.from(model.featuresOf(state));

  const pool = begun(model, rows.length);
  const ids = rows.map((_, id) => id);
  const kept = await pool.runAsync({ ids, rows, series, features: size });
  expect([kept.rows, kept.cols]).toEqual([total, size]);
  const flat = states.flat();
  flat.forEach((state, row) => {
    expect(kept.data.subarray(row * size, (row + 1) * size)).toEqual(features(state));
  });
  states.forEach((all, id) => {
    if (all.length > 0) expect(pool.state(id)).toEqual(all.at(-1));
  });

  for (const inputs of [0, 2]) {
    const readout = new LinearReadout({
      states: size,
      inputs,
      weights: { rows: size + inputs, cols: 3, data: sequence(3 * (size + inputs), 9) },
      bias: [1, 2, 3],
    });
    const out = new Float64Array(new SharedArrayBuffer(8 * 3 * total));
    const run = await begun(model, rows.length).runAsync({ ids, rows, series, readout, out });
    expect(run.data).toBe(out);
    const x = flat.flatMap((state) => [...features(state)]);
    const wanted = readout.apply(Float32Array.from(x), inputs > 0 ? Float32Array.from(series) : undefined);
    expect(out).toEqual(wanted.data);
  }
});

test('runs follow each other from the state that is there, for any of the streams in any order', async () => {
  const model = makeModel();
  const series = shared(sequence(2 * 30, 1));
  const [states] = oneByOne(model, series, [30]);
  const pool = begun(model, 3);
  const first = await pool.runAsync({ ids: [2], rows: [10], series: series.subarray(0, 20), features: 8 });
  const second = await pool.runAsync({ ids: [1, 2], rows: [0, 20], series: series.subarray(20), features: 8 });
  const wanted = states!.flatMap((state) => [...state.subarray(0, 8)]);
  expect([...first.data, ...second.data]).toEqual(wanted);
  expect([...pool.state(1)]).toEqual(new Array(30).fill(0));
  expect((await pool.runAsync({ ids: [1], rows: [1], series: [[1, 2]] })).data.length).toBe(0);
  expect((await pool.runAsync({ ids: [], rows: [], series: [] })).rows).toBe(0);
});

test('while a call is under way the pool is busy, and idle after it', async () => {
  const pool = begun(makeModel(), 2);
  pool.push(0, [1, 2]);
  const running = pool.stepAsync();
  const calls = [
    () => pool.push(0, [1, 2]),
    () => pool.step(),
    () => pool.release(0),
    () => pool.restore('new', new Float32Array(30)),
    () => pool.state(0),
  ];
  for (const call of calls) expect(call).toThrow(busy);
  await expect(pool.stepAsync()).rejects.toThrow(busy);
  await expect(pool.runAsync({ ids: [1], rows: [1], series: [[1, 2]] })).rejects.toThrow(busy);
  expect(await running).toBe(1);
  expect(pool.ready).toBe(0);
  pool.release(0);
  const run = pool.runAsync({ ids: [1], rows: [1], series: [[1, 2]] });
  expect(() => pool.step()).toThrow(busy);
  await run;
  expect(pool.step()).toBe(0);
});

test('an abort during stepAsync leaves each stream stepped, or with its input waiting', async () => {
  setThreads(1);
  const model = new Reservoir({ units: 1500, inputs: 1, topology: 'dense', seed: 1 });
  const pool = new StreamPool({ model, capacity: 2000, ring: 1 });
  for (let id = 0; id < 2000; id++) pool.push(id, [1]);
  const controller = new AbortController();
  const running = pool.stepAsync({ signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
  const counts = pool.arena.view('counts');
  const waiting = counts.filter((count) => count === 1).length;
  expect(pool.ready).toBe(waiting);
  expect(waiting).toBeGreaterThan(0);
  for (const id of [0, 1999]) expect(pool.state(id).every((x) => x === 0)).toBe(counts[id] === 1);
  expect(pool.step()).toBe(waiting);
  const alone = begun(model, 1);
  alone.push(0, [1]);
  alone.step();
  for (let id = 0; id < 2000; id += 97) expect(pool.state(id)).toEqual(alone.state(0));
});

test('an aborted signal begins nothing, and an abort during runAsync rejects with its reason', async () => {
  const pool = begun(makeModel(), 1);
  const run = { ids: [0], rows: [200_000], series: shared(sequence(400_000, 1)) };
  await expect(pool.runAsync({ ...run, signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
  expect([...pool.state(0)]).toEqual(new Array(30).fill(0));
  const controller = new AbortController();
  const running = pool.runAsync({ ...run, signal: controller.signal });
  controller.abort(new Error('meanwhile'));
  await expect(running).rejects.toThrow('meanwhile');
  expect(pool.size).toBe(1);
});

test('progress counts rows', async () => {
  // Long enough that it is polled several times meanwhile.
  const pool = begun(new Reservoir({ units: 500, inputs: 2, topology: 'dense', seed: 2 }), 3);
  const rows = [9000, 10_000, 11_000];
  const seen: number[] = [];
  await pool.runAsync({
    ids: [0, 1, 2],
    rows,
    series: shared(sequence(60_000, 1)),
    onProgress: ({ done, total, stage }) => {
      expect([total, stage]).toEqual([30_000, 'run']);
      seen.push(done);
    },
  });
  expect(seen.at(-1)).toBe(30_000);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(seen.filter((done) => done > 0 && done < 30_000).length).toBeGreaterThan(0);
});

test('a restored stream goes on to the bit, in f32 and in f64', () => {
  for (const dtype of ['f32', 'f64'] as const) {
    const model = new Reservoir({ units: 30, inputs: 2, seed: 2, dtype });
    const pool = new StreamPool({ model, capacity: 2 });
    pool.push('a', sequence(10, 1));
    while (pool.step() > 0);
    const saved = [...pool.state('a')];
    const other = new StreamPool({ model, capacity: 1 });
    other.restore('b', saved);
    expect(other.size).toBe(1);
    for (const [one, id] of [
      [pool, 'a'],
      [other, 'b'],
    ] as const) {
      one.push(id, sequence(10, 2));
      while (one.step() > 0);
    }
    expect(other.state('b')).toEqual(pool.state('a'));
  }
});

test('restore copies the state, and a refused one begins no stream', () => {
  const pool = new StreamPool({ model: makeModel(), capacity: 1 });
  const state = new Float32Array(30).fill(0.5);
  const bad = (change: (values: number[]) => number[]) => change([...state]);
  expect(() =>
    pool.restore(
      'a',
      bad((values) => values.slice(1)),
    ),
  ).toThrow(expect.objectContaining({ code: 'ERR_DTESN_SHAPE' }));
  expect(() =>
    pool.restore(
      'a',
      bad((values) => values.with(29, NaN)),
    ),
  ).toThrow(/state \(element 29\)/);
  expect(() =>
    pool.restore(
      'a',
      bad((values) => values.with(29, 1e300)),
    ),
  ).toThrow(RangeError);
  expect(() => pool.restore('a', 'x' as never)).toThrow(TypeError);
  expect(() => pool.restore({} as never, state)).toThrow(TypeError);
  expect([pool.size, pool.has('a')]).toEqual([0, false]);
  pool.push('fresh', []);
  expect([...pool.state('fresh')]).toEqual(new Array(30).fill(0));
  expect(() => pool.restore('b', state)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_CAPACITY' }));
  pool.release('fresh');
  pool.restore('a', state);
  state.fill(7);
  expect([...pool.state('a')]).toEqual(new Array(30).fill(0.5));
  expect(() => pool.restore('a', state)).toThrow(/without a stream/);
});

const readoutOf = (states: number, inputs = 0) =>
  new LinearReadout({
    states,
    inputs,
    weights: { rows: states + inputs, cols: 1, data: new Float64Array(states + inputs) },
    bias: [0],
  });

test.each([
  ['an unknown stream', { ids: ['x'], rows: [1], series: [[1, 2]] }, /a stream of this pool for id/],
  [
    'a stream twice',
    {
      ids: [0, 0],
      rows: [1, 1],
      series: [
        [1, 2],
        [1, 2],
      ],
    },
    /each stream once for ids but received 0/,
  ],
  ['a stream with a waiting input', { ids: [1], rows: [1], series: [[1, 2]] }, /without waiting inputs/],
  ['rows of another length', { ids: [0], rows: [1, 1], series: [[1, 2]] }, /rows with 1 elements/],
  ['a negative number of rows', { ids: [0], rows: [-1], series: [] }, /for rows\[0\] but received -1/],
  ['too few rows', { ids: [0], rows: [2], series: [[1, 2]] }, /series with 2 rows/],
  ['an input that is not finite', { ids: [0], rows: [1], series: [[1, NaN]] }, /NaN/],
  ['memory that is not shared', { ids: [0], rows: [1], series: new Float32Array(2) }, /SharedArrayBuffer/],
  ['more features than there are', { ids: [0], rows: [1], series: [[1, 2]], features: 31 }, /at most 30/],
  ['a readout of other features', { ids: [0], rows: [1], series: [[1, 2]], readout: readoutOf(29) }, /30 features/],
  ['a readout of other inputs', { ids: [0], rows: [1], series: [[1, 2]], readout: readoutOf(30, 1) }, /2 inputs or/],
  ['both', { ids: [0], rows: [1], series: [[1, 2]], readout: readoutOf(30), features: 1 }, /either readout or/],
  ['no readout', { ids: [0], rows: [1], series: [[1, 2]], readout: {} }, /a LinearReadout for readout/],
  ['a private out', { ids: [0], rows: [1], series: [[1, 2]], features: 1, out: new Float64Array(1) }, /Shared/],
  ['a misspelt key', { ids: [0], rows: [1], series: [[1, 2]], feature: 1 }, /did you mean features/],
])('runAsync with %s is refused', async (_name, options, message) => {
  const pool = new StreamPool({ model: makeModel(), capacity: 2, ring: 1 });
  pool.push(0, []);
  pool.push(1, [1, 2]);
  await expect(pool.runAsync(options as never)).rejects.toThrow(message);
  expect(pool.step()).toBe(1);
});

test('memory that a run writes must lie apart from its series', async () => {
  const pool = new StreamPool({ model: new Reservoir({ units: 5, inputs: 1, dtype: 'f64' }), capacity: 1 });
  pool.push(0, []);
  const memory = new Float64Array(new SharedArrayBuffer(80));
  const run = { ids: [0], rows: [10], series: memory, features: 1, out: memory };
  await expect(pool.runAsync(run)).rejects.toThrow(/does not overlap/);
});

test('a network that is closed during a run stays in memory until the run ends', async () => {
  const model = makeModel();
  const pool = begun(model, 1);
  const series = shared(sequence(4000, 1));
  const running = pool.runAsync({ ids: [0], rows: [2000], series, features: 30 });
  model.close();
  const kept = await running;
  const again = await begun(makeModel(), 1).runAsync({ ids: [0], rows: [2000], series, features: 30 });
  expect(kept.data).toEqual(again.data);
  await expect(pool.runAsync({ ids: [0], rows: [1], series: [[1, 2]] })).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_DTESN_CLOSED' }),
  );
});
