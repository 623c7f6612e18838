/** Training off the JavaScript thread: the bits of the synchronous calls, aborts, objects that are closed meanwhile. */
import { describe, expect, test } from 'vitest';
import type { Progress } from '../../src/native/index.js';
import { DeepTreeModel, Nvar, Reservoir } from '../../src/network/index.js';
import { matrix } from '../../src/numeric/index.js';
import {
  ReadoutTrainer,
  RecursiveLeastSquares,
  Ridge,
  trainForecaster,
  trainForecasterAsync,
  trainReadout,
  trainReadoutAsync,
} from '../../src/readout/index.js';
import { sequence } from '../reference/reservoir.js';

const shared = (values: ArrayLike<number>) => {
  const copy = new Float64Array(new SharedArrayBuffer(8 * values.length));
  copy.set(values);
  return copy;
};
const code = (name: string) => expect.objectContaining({ code: name });
const wave = shared(Float64Array.from({ length: 900 }, (_, t) => Math.sin(t / 5) + 0.5 * Math.sin(t / 11)));
const targets = shared(sequence(1800, 2));
const small = { units: 60, inputs: 1, leak: 0.6, inputScaling: 0.2, biasScaling: 0.5, dtype: 'f64', seed: 3 } as const;
const large = () => new Reservoir({ units: 500, inputs: 1, topology: 'dense', dtype: 'f64' });
const long = shared(sequence(200_000));

const networks = [
  ['a Reservoir', () => new Reservoir(small)],
  ['a Reservoir in f32', () => new Reservoir({ ...small, dtype: 'f32' })],
  ['a Deep Tree', () => new DeepTreeModel({ ...small, units: 64, depth: 3 })],
  ['an Nvar', () => new Nvar({ inputs: 1, delay: 4 })],
] as const;

describe('training off the JavaScript thread', () => {
  test.each(
    networks.flatMap(([name, make]) => (['qr', 'cholesky'] as const).map((solver) => [name, solver, make] as const)),
  )('trainReadoutAsync of %s by %s gives the bits of trainReadout', async (_name, solver, make) => {
    const options = { washout: 37, ridge: 1e-4, solver };
    const wanted = trainReadout(make(), wave, matrix(900, 2, targets), options);
    const network = make();
    const series = network.dtype === 'f64' ? wave : [...wave];
    const got = await trainReadoutAsync(network, series, matrix(900, 2, targets), options);
    expect(got.readout.weights).toEqual(wanted.readout.weights);
    expect(got.readout.bias).toEqual(wanted.readout.bias);
    expect(network.state).toEqual(wanted.network.state);
  });

  test('trainForecasterAsync forecasts what trainForecaster forecasts', async () => {
    const wanted = trainForecaster(new Reservoir(small), wave, { washout: 50 }).forecast(40);
    const got = await trainForecasterAsync(new Reservoir(small), wave, { washout: 50 });
    expect(got.forecast(40)).toEqual(wanted);
  });

  test('add and addAsync, solve and solveAsync of a trainer give the same bits', async () => {
    const trainers = [0, 1].map(() => new ReadoutTrainer(new Reservoir(small), { outputs: 2, washout: 10 }));
    const pieces = [
      [0, 300],
      [300, 330],
      [330, 900],
    ] as const;
    for (const [from, to] of pieces) {
      const part = [wave.subarray(from, to), targets.subarray(2 * from, 2 * to)] as const;
      trainers[0]!.add(...part);
      await trainers[1]!.addAsync(...part);
    }
    const wanted = trainers[0]!.solve(1e-5).readout;
    expect((await trainers[1]!.solveAsync(1e-5)).readout.weights).toEqual(wanted.weights);
    expect(trainers[1]!.solve(1e-5).readout.bias).toEqual(wanted.bias);
  });

  test.each(['qr', 'cholesky'] as const)('Ridge adds and solves by %s to the same bits', async (solver) => {
    const states = shared(sequence(700 * 30, 5));
    const inputs = shared(sequence(700, 6));
    const wanted = new Ridge({ states: 30, inputs: 1, outputs: 2, solver });
    const got = new Ridge({ states: 30, inputs: 1, outputs: 2, solver });
    wanted.add(states, targets.subarray(0, 1400), inputs);
    await got.addAsync(states, targets.subarray(0, 1400), inputs);
    expect(got.steps).toBe(700);
    expect((await got.solveAsync()).weights).toEqual(wanted.solve().weights);
    expect((await got.solveAsync(1e-3)).bias).toEqual(wanted.solve(1e-3).bias);
  });

  test('RecursiveLeastSquares learns to the same bits, and predicts them', async () => {
    const states = shared(sequence(300 * 20, 5));
    const options = { states: 20, outputs: 2, forgetting: 0.99 };
    const [wanted, got] = [new RecursiveLeastSquares(options), new RecursiveLeastSquares(options)];
    const predictions = wanted.update(states, targets.subarray(0, 600));
    expect(await got.updateAsync(states, targets.subarray(0, 600))).toEqual(predictions);
    expect(got.steps).toBe(300);
    expect(got.readout().weights).toEqual(wanted.readout().weights);
  });

  test('progress counts the steps of the series, and then the solution', async () => {
    const seen: Progress[] = [];
    const onProgress = (progress: Progress) => seen.push(progress);
    await trainReadoutAsync(new Reservoir(small), wave, targets.subarray(0, 900), { washout: 7, onProgress });
    expect(seen.filter(({ stage }) => stage === 'train').at(-1)).toEqual({ done: 900, total: 900, stage: 'train' });
    expect(seen.at(-1)).toEqual({ done: 1, total: 1, stage: 'solve' });
  });
});

describe('wrong calls', () => {
  test('typed arrays on ordinary memory are refused', async () => {
    const plain = new Float64Array(20);
    await expect(trainReadoutAsync(new Reservoir(small), plain, plain)).rejects.toThrow(/over a SharedArrayBuffer/);
    await expect(new Ridge({ states: 2, outputs: 1 }).addAsync(plain, plain)).rejects.toThrow(/for states/);
    const rls = new RecursiveLeastSquares({ states: 2, outputs: 1 });
    await expect(rls.updateAsync(shared(plain), plain.subarray(0, 10))).rejects.toThrow(/for targets/);
  });

  test('misspelt options are refused', async () => {
    const network = new Reservoir(small);
    await expect(trainReadoutAsync(network, wave, wave, { signl: 1 } as never)).rejects.toThrow(/did you mean signal/);
    await expect(trainReadoutAsync(network, wave, wave, { signal: 1 } as never)).rejects.toThrow(/an AbortSignal/);
    const trainer = new ReadoutTrainer(network, { outputs: 1 });
    await expect(trainer.addAsync(wave, wave, { onprogress: 1 } as never)).rejects.toThrow(/did you mean onProgress/);
  });

  test('dependent features and empty sums are refused', async () => {
    const sums = new Ridge({ states: 2, outputs: 1, ridge: 0 });
    await expect(sums.solveAsync()).rejects.toThrow(code('ERR_DTESN_SINGULAR'));
    await sums.addAsync(
      [1, 1, 2, 2, 3, 3].map((x, i, all) => [x, all[i]!]),
      [1, 2, 3, 4, 5, 6],
    );
    await expect(sums.solveAsync()).rejects.toThrow(code('ERR_DTESN_SINGULAR'));
  });

  test('states that become infinite are refused with their step', async () => {
    const growing = () =>
      new Reservoir({
        weights: { recurrent: matrix(1, 1, [1e10]), input: matrix(1, 1, [1]) },
        activation: 'identity',
      });
    const series = shared(new Float64Array(300).fill(1));
    const message = /finite numbers for states \(step 31, feature 0\) but received Infinity/;
    expect(() => trainReadout(growing(), series, series)).toThrow(message);
    await expect(trainReadoutAsync(growing(), series, series)).rejects.toThrow(message);
  });

  test('a second call while one is under way and any call after close() are refused', async () => {
    const trainer = new ReadoutTrainer(large(), { outputs: 1 });
    const first = trainer.addAsync(long.subarray(0, 2000), long.subarray(0, 2000));
    expect(() => trainer.add([1], [1])).toThrow(code('ERR_DTESN_BUSY'));
    expect(() => trainer.solve()).toThrow(code('ERR_DTESN_BUSY'));
    expect(() => trainer.network.run([1])).toThrow(code('ERR_DTESN_BUSY'));
    await expect(trainer.addAsync([1], [1])).rejects.toThrow(code('ERR_DTESN_BUSY'));
    await first;
    trainer.close();
    trainer.close();
    expect(() => trainer.solve()).toThrow(code('ERR_DTESN_CLOSED'));
    await expect(trainer.addAsync([1], [1])).rejects.toThrow(code('ERR_DTESN_CLOSED'));
    expect(trainer.network.run([1]).rows).toBe(1);

    const sums = new Ridge({ states: 400, outputs: 1 });
    const adding = sums.addAsync(long.subarray(0, 400 * 400), long.subarray(0, 400));
    expect(() => sums.solve()).toThrow(code('ERR_DTESN_BUSY'));
    await adding;
    sums.close();
    expect(() => sums.add([], [])).toThrow(code('ERR_DTESN_CLOSED'));

    const rls = new RecursiveLeastSquares({ states: 400, outputs: 1 });
    const learning = rls.updateAsync(long.subarray(0, 400 * 400), long.subarray(0, 400));
    expect(() => rls.readout()).toThrow(code('ERR_DTESN_BUSY'));
    await learning;
    rls.close();
    expect(() => rls.readout()).toThrow(code('ERR_DTESN_CLOSED'));
  });
});

describe('closing during an asynchronous call', () => {
  test('a trainer, sums and a recursive learner reject with ERR_DTESN_CLOSED', async () => {
    const trainer = new ReadoutTrainer(large(), { outputs: 1 });
    const adding = trainer.addAsync(long.subarray(0, 2000), long.subarray(0, 2000));
    trainer.close();
    await expect(adding).rejects.toThrow(/open ReadoutTrainer but it was closed while/);
    const sums = new Ridge({ states: 400, outputs: 1 });
    const rows = sums.addAsync(long.subarray(0, 400 * 400), long.subarray(0, 400));
    sums.close();
    await expect(rows).rejects.toThrow(/open Ridge but it was closed while/);
    const rls = new RecursiveLeastSquares({ states: 400, outputs: 1 });
    const learning = rls.updateAsync(long.subarray(0, 400 * 400), long.subarray(0, 400));
    rls.close();
    await expect(learning).rejects.toThrow(/open RecursiveLeastSquares but it was closed while/);
  });

  test('a network rejects the training with ERR_DTESN_CLOSED', async () => {
    const network = large();
    const training = trainForecasterAsync(network, long.subarray(0, 2000));
    network.close();
    await expect(training).rejects.toThrow(code('ERR_DTESN_CLOSED'));
  });
});

describe('an abort', () => {
  test('stops the training with the reason of the signal, and the network and the trainer can be used on', async () => {
    const network = large();
    const trainer = new ReadoutTrainer(network, { outputs: 1 });
    const abort = new AbortController();
    const reason = new Error('enough');
    const adding = trainer.addAsync(long, long, { signal: abort.signal });
    setTimeout(() => abort.abort(reason), 20);
    await expect(adding).rejects.toBe(reason);
    await expect(trainer.addAsync(long, long, { signal: abort.signal })).rejects.toBe(reason);
    await expect(trainForecasterAsync(network, long, { signal: abort.signal })).rejects.toBe(reason);
    await trainer.addAsync(long.subarray(0, 1000), long.subarray(0, 1000));
    expect(trainer.solve().run([1]).rows).toBe(1);
  });

  test('leaves sums of the rows before it, as many as steps says', async () => {
    const states = shared(sequence(3000 * 300, 5));
    const sums = new Ridge({ states: 300, outputs: 1, solver: 'cholesky' });
    const abort = new AbortController();
    const adding = sums.addAsync(states, long.subarray(0, 3000), undefined, { signal: abort.signal });
    setImmediate(() => abort.abort());
    await adding.catch(() => {});
    const { steps } = sums;
    expect(steps === 3000 || steps % 128 === 0).toBe(true);
    if (steps === 0) return;
    const wanted = new Ridge({ states: 300, outputs: 1, solver: 'cholesky' });
    wanted.add(states.subarray(0, 300 * steps), long.subarray(0, steps));
    expect(sums.solve(1).weights).toEqual(wanted.solve(1).weights);
  });

  test('stops a solution and a listener that throws stops a training', async () => {
    const states = shared(sequence(1500 * 1200, 5));
    const sums = new Ridge({ states: 1200, outputs: 1, solver: 'cholesky', ridge: 1 });
    await sums.addAsync(states, long.subarray(0, 1500));
    const abort = new AbortController();
    const solving = sums.solveAsync(undefined, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(solving).rejects.toThrow('enough');
    expect((await sums.solveAsync()).outputs).toBe(1);
    const onProgress = () => {
      throw new Error('of the listener');
    };
    await expect(trainReadoutAsync(large(), long, long, { onProgress })).rejects.toThrow('of the listener');
  });
});

test('a network that its caller moves while the readout is solved still forecasts from the end of the series', async () => {
  const series = shared(Float64Array.from({ length: 600 }, (_, t) => Math.sin(t / 5)));
  const make = () => new Reservoir({ ...small, units: 600, topology: 'dense' });
  const expected = trainForecaster(make(), series).forecast(5);
  const network = make();
  const training = trainForecasterAsync(network, series);
  let moved = false;
  while (
    !moved &&
    (await Promise.race([training.then(() => true), new Promise<false>((go) => setImmediate(go, false))])) === false
  ) {
    if (network.ownState.busy) continue;
    network.run([9, 9, 9]);
    moved = true;
  }
  expect(moved).toBe(true);
  expect((await training).forecast(5).data).toEqual(expected.data);
});
