/** Training on series, running and forecasting with what was trained. */
import { describe, expect, test, vi } from 'vitest';
import { DeepTreeModel, Reservoir } from '../../src/network/index.js';
import { matrix } from '../../src/numeric/index.js';
import { ReadoutTrainer, Ridge, trainForecaster, trainReadout } from '../../src/readout/index.js';
import { relativeError, sequence } from '../reference/reservoir.js';

const wave = Float64Array.from({ length: 700 }, (_, t) => Math.sin(t / 5) + 0.5 * Math.sin(t / 11));
const small = { units: 60, inputs: 1, leak: 0.6, inputScaling: 0.2, biasScaling: 0.5, dtype: 'f64', seed: 3 } as const;

test.each([
  ['a reservoir', () => new Reservoir(small)],
  ['a Deep Tree', () => new DeepTreeModel({ ...small, units: 64, depth: 3 })],
])('the sums are those of the stored states: %s', (_, make) => {
  const targets = sequence(1400, 2);
  const trained = trainReadout(make(), wave, matrix(700, 2, targets), { washout: 37, ridge: 1e-4 });
  const network = make();
  const states = network.run(wave).data;
  const sums = new Ridge({ states: network.units, inputs: 1, outputs: 2, ridge: 1e-4 });
  sums.add(states.subarray(37 * network.units), targets.subarray(74), wave.subarray(37));
  expect(relativeError(trained.readout.weights.data, sums.solve().weights.data)).toBeLessThan(1e-9);
});

test('several series of any length are one regression, each from the zero state without its washout', () => {
  const network = new Reservoir(small);
  const trainer = new ReadoutTrainer(network, { outputs: 1, washout: 10, inputs: false, ridge: 1e-4 });
  const sums = new Ridge({ states: 60, outputs: 1, ridge: 1e-4 });
  for (const [from, to] of [
    [0, 300],
    [300, 320],
    [320, 700],
  ] as const) {
    const series = wave.subarray(from, to);
    trainer.add(series, series);
    network.reset();
    sums.add(network.run(series).data.subarray(600), series.subarray(10));
  }
  expect(relativeError(trainer.solve().readout.weights.data, sums.solve().weights.data)).toBeLessThan(1e-9);
});

test('a delay of the input is learned', () => {
  const targets = wave.map((_, t) => wave[Math.max(0, t - 3)]!);
  const trained = trainReadout(new Reservoir(small), wave, targets, { washout: 50, ridge: 1e-10 });
  trained.network.reset();
  const outputs = trained.run(wave).data;
  for (let t = 100; t < 700; t++) expect(outputs[t]).toBeCloseTo(targets[t]!, 3);
});

test('one step of a trained network takes memory for the states of one step', () => {
  const trained = trainReadout(new Reservoir(small), wave, wave, { washout: 50 });
  const run = vi.spyOn(trained.network, 'run');
  trained.run([0.5]);
  const out = run.mock.calls[0]![1]!.out as Float64Array;
  expect(out.buffer.byteLength).toBe(60 * Float64Array.BYTES_PER_ELEMENT);
});

describe('a forecast', () => {
  test('continues from the end of the training series', () => {
    const trained = trainForecaster(new Reservoir(small), wave.subarray(0, 600), { washout: 50, ridge: 1e-10 });
    const next = trained.forecast(50).data;
    for (let t = 0; t < 50; t++) expect(next[t]).toBeCloseTo(wave[600 + t]!, 2);
  });

  test('feeds its outputs back one by one, and may be computed in pieces', () => {
    const trained = trainForecaster(new Reservoir(small), wave, { washout: 50 });
    trained.network.reset();
    let [next] = trained.run(wave).data.slice(-1);
    const byHand: number[] = [];
    for (let t = 0; t < 20; t++) {
      byHand.push(next!);
      [next] = trained.run([next!]).data;
    }
    trained.network.reset();
    trained.run(wave);
    expect([...trained.forecast(5).data, ...trained.forecast(15).data]).toEqual(byHand);
  });

  test('needs outputs that are inputs, a series before it, and finite numbers', () => {
    const two = trainReadout(new Reservoir(small), wave, matrix(700, 2, sequence(1400, 2)));
    two.run(wave);
    expect(() => two.forecast(3)).toThrow(/Expected a readout with 1 outputs/);
    const fresh = trainReadout(new Reservoir(small), wave, wave);
    expect(() => fresh.forecast(3)).toThrow(expect.objectContaining({ code: 'ERR_DTESN_STATE' }));
    expect(() => trainForecaster(new Reservoir(small), wave).forecast(-1)).toThrow(
      /whole number, 0 or more, for steps/,
    );
  });

  test('that becomes infinite or NaN throws with the step and the rows before it', () => {
    const weights = { recurrent: matrix(1, 1, [1]), input: matrix(1, 1, [1]) };
    const network = new Reservoir({ weights, activation: 'identity', dtype: 'f64' });
    const growth = Float64Array.from({ length: 20 }, (_, t) => 2 ** t);
    const trained = trainForecaster(network, growth, { ridge: 0, inputs: false, intercept: false });
    expect(() => trained.forecast(2000)).toThrow(
      expect.objectContaining({ code: 'ERR_DTESN_DIVERGED', cause: expect.objectContaining({ cols: 1 }) }),
    );
  });
});

test.each<[string, () => unknown, RegExp]>([
  ['targets of other steps', () => trainReadout(new Reservoir(small), [1, 2, 3], [1, 2]), /targets with 3 steps/],
  [
    'a series no longer than the washout',
    () => trainReadout(new Reservoir(small), [1, 2], [1, 2], { washout: 2 }),
    /more than 2 steps/,
  ],
  ['a series of one step to forecast from', () => trainForecaster(new Reservoir(small), [1]), /at least 2 steps/],
  [
    'an unknown option',
    () => trainReadout(new Reservoir(small), [1], [1], { washuot: 1 } as object),
    /did you mean washout/,
  ],
])('refused: %s', (_, call, message) => {
  expect(call).toThrow(message);
});
