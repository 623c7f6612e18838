/** Closed loops of a network and its readout: the numbers, the starts, and what ends them. */
import { describe, expect, test } from 'vitest';
import { setThreads, sharedFloats } from '../../src/native/index.js';
import { DeepTreeModel, type Network, Nvar, Reservoir } from '../../src/network/index.js';
import { matrix } from '../../src/numeric/index.js';
import { type TrainedNetwork, trainForecaster, trainReadout } from '../../src/readout/index.js';
import { plainRun, relativeError, sequence } from '../reference/reservoir.js';

const wave = Float64Array.from({ length: 500 }, (_, t) => Math.sin(t / 5) + 0.5 * Math.sin(t / 11));
const options = { inputs: 1, leak: 0.6, inputScaling: 0.2, biasScaling: 0.5, seed: 3 } as const;
const forecaster = (network: Network, ridge = 1e-4) => trainForecaster(network, wave, { washout: 50, ridge });
const diverges = expect.objectContaining({ code: 'ERR_DTESN_DIVERGED' });

/** Doubles its input at every step. */
function doubling(dtype: 'f32' | 'f64'): TrainedNetwork {
  const weights = { recurrent: matrix(1, 1, [0]), input: matrix(1, 1, [1]) };
  const network = new Reservoir({ weights, activation: 'identity', dtype });
  const growth = Float64Array.from({ length: 12 }, (_, t) => 2 ** t);
  return trainForecaster(network, growth, { ridge: 0, inputs: false, intercept: false });
}

test.each([
  ['f64', true, 1e-12],
  ['f64', false, 1e-12],
  ['f32', true, 1e-5],
  ['f32', false, 1e-5],
] as const)('a forecast in %s equals plain loops (the readout sees the inputs: %s)', (dtype, seesInputs, tolerance) => {
  const network = new Reservoir({ ...options, units: 40, dtype });
  // A large ridge makes a loop that contracts.
  const trained = trainReadout(network, wave.subarray(0, 499), wave.subarray(1), { ridge: 100, inputs: seesInputs });
  network.reset();
  trained.run(wave.subarray(0, 60));
  const weights = { units: 40, inputs: 1, leak: network.leak, ...flat(network) };
  let x = Float64Array.from(network.state);
  const read = (u: number) => {
    const { weights: w, bias } = trained.readout;
    return x.reduce((sum, value, i) => sum + value * w.data[i]!, bias[0]!) + (seesInputs ? u * w.data[40]! : 0);
  };
  let u = read(wave[59]!);
  const wanted: number[] = [];
  for (let t = 0; t < 100; t++) {
    wanted.push(u);
    x = plainRun(weights, [u], x).slice(-40);
    u = read(u);
  }
  expect(relativeError(trained.forecast(100).data, wanted)).toBeLessThan(tolerance);
});

function flat(network: Reservoir) {
  const { recurrent, input, bias } = network.weights();
  return { recurrent: recurrent.data, input: input.data, bias };
}

test('a forecast updates the given state and no other', () => {
  const network = new Reservoir({ ...options, units: 30 });
  const trained = forecaster(network);
  const state = network.createState();
  const outputs = trained.run(wave.subarray(0, 80), { state });
  const before = [...network.state];
  const first = trained.forecast(10, { state });
  expect(first.data[0]).toBe(outputs.data.at(-1));
  expect([...network.state]).toEqual(before);
  const other = network.createState();
  trained.run(wave.subarray(0, 80), { state: other });
  expect([...trained.forecast(4, { state: other }).data, ...trained.forecast(6, { state: other }).data]).toEqual([
    ...first.data,
  ]);
  expect([...other.data]).toEqual([...state.data]);
});

test('off the JavaScript thread a forecast has the same bits', async () => {
  const network = new Reservoir({ ...options, units: 30 });
  const trained = forecaster(network);
  const [one, two] = [network.createState(), network.createState()];
  for (const state of [one, two]) trained.run(wave.subarray(0, 80), { state });
  const seen: number[] = [];
  const pending = trained.forecastAsync(500, { state: one, onProgress: ({ done }) => seen.push(done) });
  expect(one.busy).toBe(true);
  expect(() => trained.forecast(1, { state: one })).toThrow(expect.objectContaining({ code: 'ERR_DTESN_BUSY' }));
  expect((await pending).data).toEqual(trained.forecast(500, { state: two }).data);
  expect(seen.at(-1)).toBe(500);
  expect((await trained.forecastAsync(5, { state: one })).data).toEqual(trained.forecast(5, { state: two }).data);
});

test('an aborted forecast continues from its last step in the next call', async () => {
  const network = new Reservoir({ ...options, units: 200, topology: 'dense' });
  const trained = forecaster(network);
  const [one, two] = [network.createState(), network.createState()];
  for (const state of [one, two]) trained.run(wave.subarray(0, 80), { state });
  const controller = new AbortController();
  let reached = 0;
  const pending = trained.forecastAsync(20_000_000, {
    state: one,
    signal: controller.signal,
    onProgress: ({ done }) => {
      reached = done;
      controller.abort(new Error('enough'));
    },
  });
  await expect(pending).rejects.toThrow('enough');
  expect(reached).toBeGreaterThan(0);
  const next = trained.forecast(3, { state: one }).data;
  const all = trained.forecast(reached + 2000, { state: two }).data;
  expect(Array.from(all.keys()).some((t) => t >= reached && next.every((value, i) => value === all[t + i]))).toBe(true);
});

describe('forecasts from many starts', () => {
  const starts = 67;
  const startAt = (i: number) => 60 + 5 * i;

  test.each([
    ['a reservoir in f32', () => new Reservoir({ ...options, units: 50 })],
    ['a reservoir in f64', () => new Reservoir({ ...options, units: 50, dtype: 'f64' })],
    ['a Deep Tree', () => new DeepTreeModel({ ...options, units: 50, depth: 3, dtype: 'f64' })],
    ['a delay line', () => new Nvar({ inputs: 1, delay: 3, order: 2, dtype: 'f64' })],
  ] as [string, () => Network][])('depend on no other start, and equal single ones: %s', (_, make) => {
    const network = make();
    const trained = forecaster(network, 1);
    const statesAfter = () =>
      Array.from({ length: starts }, (_, i) => {
        const state = network.createState();
        trained.run(wave.subarray(0, startAt(i)), { state });
        return state;
      });
    const all = statesAfter();
    const together = trained.forecastBatch(all, 30);
    const tolerance = network.dtype === 'f32' ? 1e-4 : 1e-10;
    statesAfter().forEach((state, i) => {
      const alone = network.createState();
      trained.run(wave.subarray(0, startAt(i)), { state: alone });
      expect(trained.forecastBatch([alone], 30)[0]!.data).toEqual(together[i]!.data);
      expect([...alone.data]).toEqual([...all[i]!.data]);
      expect(relativeError(trained.forecast(30, { state }).data, together[i]!.data)).toBeLessThan(tolerance);
    });
    expect(trained.forecastBatch(all.slice(0, 2), 3)[1]!.rows).toBe(3);
  });

  test('have the same bits on any number of threads and off the JavaScript thread, from rows too', async () => {
    const network = new Reservoir({ ...options, units: 50 });
    const trained = forecaster(network);
    const rows = () => {
      const states = sharedFloats('f32', starts * 50);
      states.set(sequence(starts * 50, 9));
      return { states, inputs: sequence(starts, 8) };
    };
    const first = rows();
    const wanted = trained.forecastBatch(first, 20);
    for (const threads of [1, 3]) {
      setThreads(threads);
      const next = rows();
      expect(trained.forecastBatch(next, 20)).toEqual(wanted);
      expect(next.states).toEqual(first.states);
      const seen: number[] = [];
      const off = await trained.forecastBatchAsync(rows(), 20, { threads, onProgress: ({ done }) => seen.push(done) });
      expect(off).toEqual(wanted);
      expect(seen.at(-1)).toBe(20 * starts);
    }
    expect(trained.forecastBatch([], 5)).toEqual([]);
    expect(await trained.forecastBatchAsync([], 5)).toEqual([]);
  });

  test('forecasts that become infinite or NaN end there, and the others continue', () => {
    const trained = doubling('f32');
    const inputs = [1, 2 ** 100, 3, Number.MAX_VALUE];
    const [slow, fast, other, never] = trained.forecastBatch({ states: new Float32Array(4), inputs }, 40);
    expect([...slow!.data].slice(0, 4).map((y) => Math.round(y))).toEqual([1, 2, 4, 8]);
    expect([slow!.rows, other!.rows, never!.rows]).toEqual([40, 40, 0]);
    expect(fast!.rows).toBeGreaterThan(25);
    expect(fast!.rows).toBeLessThan(30);
  });

  test('starts that do not fit are refused', async () => {
    const network = new Reservoir({ ...options, units: 50 });
    const trained = forecaster(network);
    const states = new Float32Array(100);
    const fresh = network.createState();
    const refused: [() => unknown, RegExp][] = [
      [() => trained.forecastBatch({ states, inputs: [1] }, 3), /states with 50 elements/],
      [() => trained.forecastBatch({ states, inputs: [1, NaN] }, 3), /finite numbers for starts.inputs/],
      [() => trained.forecastBatch({ states: new Float64Array(100), inputs: [1, 2] } as never, 3), /Float32Array/],
      [() => trained.forecastBatch({ states, input: [1, 2] } as never, 3), /did you mean inputs/],
      [() => trained.forecastBatch(undefined as never, 3), /for starts/],
      [() => trained.forecastBatch([fresh], 3), /call run with the series that precedes it/],
      [() => trained.forecastBatch([network.ownState, network.ownState], 3), /distinct states/],
      [() => trained.forecastBatch([new Reservoir(options50).ownState], 3), /a state of this reservoir/],
      [() => trained.forecastBatch([], -1), /0 or more, for steps/],
      [() => trained.forecast(2, { state: {} as never }), /a State/],
    ];
    for (const [call, message] of refused) expect(call).toThrow(message);
    await expect(trained.forecastBatchAsync({ states, inputs: [1, 2] }, 3)).rejects.toThrow(/SharedArrayBuffer/);
    await expect(trained.forecastBatchAsync([], 3, { threads: 0 })).rejects.toThrow(/for threads/);
    network.close();
    expect(() => trained.forecastBatch({ states, inputs: [1, 2] }, 3)).toThrow(
      expect.objectContaining({ code: 'ERR_DTESN_CLOSED' }),
    );
  });
  const options50 = { ...options, units: 50 };
});

test.each(['f32', 'f64'] as const)(
  'a forecast that becomes infinite or NaN in %s is an error on any thread',
  async (dtype) => {
    const trained = doubling(dtype);
    expect(() => trained.forecast(2000)).toThrow(diverges);
    const again = doubling(dtype);
    const error = await again.forecastAsync(2000).then(
      () => null,
      (reason: unknown) => reason as { code: string; cause: { rows: number; data: Float64Array } },
    );
    expect(error).toEqual(diverges);
    const { rows, data } = error!.cause;
    expect(Math.abs(rows - ((dtype === 'f32' ? 128 : 1024) - 12))).toBeLessThanOrEqual(2);
    expect(data.every(Number.isFinite)).toBe(true);
  },
);
