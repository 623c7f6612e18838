/** constructAsync: the bits of the constructor, what is copied, aborts and progress. */
import { describe, expect, test } from 'vitest';
import type { Progress } from '../../src/native/index.js';
import {
  DeepTreeModel,
  Es2n,
  EuSn,
  Network,
  type NetworkPlan,
  Nvar,
  planOf,
  Reservoir,
  registerKind,
} from '../../src/network/index.js';
import { csr, matrix } from '../../src/numeric/index.js';
import { sequence } from '../reference/reservoir.js';

const small = { units: 40, inputs: 2, seed: 5 } as const;
const sparse = () => csr(2, 2, { offsets: [0, 1, 2], columns: [1, 0], values: [0.5, -0.5] });
const weights = () => ({
  recurrent: matrix(2, 2, Float64Array.of(0, -0.5, 0.5, 0)),
  input: matrix(2, 2, Float64Array.of(1, 0, 0, 1)),
  bias: Float64Array.of(0.1, 0.2),
});

const topologies = ['dense', 'sparse', 'block-sparse', 'cycle', 'permutation', 'hadamard'] as const;
const cases: [string, () => Network, () => Promise<Network>][] = [
  ...topologies.map((topology): [string, () => Network, () => Promise<Network>] => {
    const options = { ...small, units: 64, topology, leak: 0.4, biasScaling: 0.2 };
    return [`a ${topology} Reservoir`, () => new Reservoir(options), () => Reservoir.constructAsync(options)];
  }),
  [
    'a Reservoir in f64',
    () => new Reservoir({ ...small, dtype: 'f64' }),
    () => Reservoir.constructAsync({ ...small, dtype: 'f64' }),
  ],
  [
    'a Reservoir in int8',
    () => new Reservoir({ ...small, precision: 'int8', topology: 'dense' }),
    () => Reservoir.constructAsync({ ...small, precision: 'int8', topology: 'dense' }),
  ],
  [
    'a Reservoir of given weights',
    () => new Reservoir({ weights: weights() }),
    () => Reservoir.constructAsync({ weights: weights() }),
  ],
  [
    'a Reservoir of given sparse weights',
    () => new Reservoir({ weights: { ...weights(), recurrent: sparse() } }),
    () => Reservoir.constructAsync({ weights: { ...weights(), recurrent: sparse() } }),
  ],
  ['an Es2n', () => new Es2n({ ...small, proximity: 0.3 }), () => Es2n.constructAsync({ ...small, proximity: 0.3 })],
  [
    'an Es2n of given weights',
    () => new Es2n({ weights: { ...weights(), orthogonal: matrix(2, 2, [0, 1, 1, 0]) }, proximity: 0.5 }),
    () => Es2n.constructAsync({ weights: { ...weights(), orthogonal: matrix(2, 2, [0, 1, 1, 0]) }, proximity: 0.5 }),
  ],
  ['an EuSn', () => new EuSn({ ...small, step: 0.1 }), () => EuSn.constructAsync({ ...small, step: 0.1 })],
  ['an Nvar', () => new Nvar({ inputs: 2, delay: 3 }), () => Nvar.constructAsync({ inputs: 2, delay: 3 })],
  [
    'a Deep Tree',
    () => new DeepTreeModel({ ...small, depth: 4, feedback: 0.2 }),
    () => DeepTreeModel.constructAsync({ ...small, depth: 4, feedback: 0.2 }),
  ],
];

describe('constructAsync', () => {
  test.each(cases)('%s gives the bits that the constructor gives', async (_name, make, makeAsync) => {
    const [wanted, got] = [make(), await makeAsync()];
    expect(got.constructor).toBe(wanted.constructor);
    expect(got.bytes).toBe(wanted.bytes);
    const series = sequence(60);
    expect(got.run(series).data).toEqual(wanted.run(series).data);
    expect(Network.from(got.share())).toBeInstanceOf(wanted.constructor);
  });

  test('the object has the fields of the constructed one and uses the given memory for its state', async () => {
    const state = new Float32Array(new SharedArrayBuffer(4 * 40));
    const tree = await DeepTreeModel.constructAsync({ ...small, depth: 3, state });
    expect(tree).toBeInstanceOf(DeepTreeModel);
    expect(tree.membranes).toEqual(new DeepTreeModel({ ...small, depth: 3 }).membranes);
    expect(tree.state).toBe(state);
    const reservoir = await Reservoir.constructAsync({ ...small, leak: 0.25 });
    expect(reservoir.leak[0]).toBe(0.25);
  });

  test('writes to given weights after the call have no effect', async () => {
    const given = weights();
    const wanted = new Reservoir({ weights: weights() }).run(sequence(20)).data;
    const making = Reservoir.constructAsync({ weights: given });
    given.recurrent.data.fill(9);
    given.input.data.fill(9);
    given.bias.fill(9);
    expect((await making).run(sequence(20)).data).toEqual(wanted);
  });

  test('progress counts the regions to the last one', async () => {
    const seen: Progress[] = [];
    await DeepTreeModel.constructAsync({ ...small, depth: 3 }, { onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toEqual({ done: 4, total: 4, stage: 'construct' });
  });

  test('an abort in the middle of drawing rejects with the reason of the signal', async () => {
    for (const options of [
      { units: 6000, inputs: 1, topology: 'dense' } as const,
      { units: 3000, inputs: 1, topology: 'sparse', density: 0.5 } as const,
    ]) {
      const abort = new AbortController();
      const reason = new Error('enough');
      const making = Reservoir.constructAsync(options, { signal: abort.signal });
      setTimeout(() => abort.abort(reason), 10);
      await expect(making).rejects.toBe(reason);
      await expect(Reservoir.constructAsync(small, { signal: abort.signal })).rejects.toBe(reason);
    }
    const abort = new AbortController();
    const making = Es2n.constructAsync({ units: 4000, inputs: 1, topology: 'cycle' }, { signal: abort.signal });
    setTimeout(() => abort.abort(), 10);
    await expect(making).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('a listener that throws ends the construction, which rejects once with its error', async () => {
    let calls = 0;
    const onProgress = () => {
      calls++;
      throw new Error('of the listener');
    };
    const making = Reservoir.constructAsync({ units: 6000, inputs: 1, topology: 'dense' }, { onProgress });
    await expect(making).rejects.toThrow('of the listener');
    expect(calls).toBe(1);
  });

  test('the errors of the constructor are rejections', async () => {
    await expect(Reservoir.constructAsync({ units: 0, inputs: 1 })).rejects.toThrow(/for units but received 0/);
    await expect(Reservoir.constructAsync({ ...small, state: new Float32Array(3) })).rejects.toThrow(/40 elements/);
    await expect(Reservoir.constructAsync(small, { signl: 1 } as never)).rejects.toThrow(/did you mean signal/);
    await expect(Reservoir.constructAsync(small, { signal: 1 } as never)).rejects.toThrow(/an AbortSignal for signal/);
    await expect(Reservoir.constructAsync(small, { onProgress: 1 } as never)).rejects.toThrow(/for onProgress/);
  });

  test('a failed allocation is the same RangeError from the constructor and in a rejection', async () => {
    const units = 2 ** 24;
    class Huge extends Network {
      constructor(options: object) {
        super(planOf(options, planHuge));
      }
    }
    const recurrent = { kind: 'topology', topology: 'dense', spectralRadius: 1, density: 1, blockRows: 8 } as const;
    const planHuge = (): NetworkPlan => {
      const rate = new Float32Array(units).fill(1);
      const segments = [{ units, activation: 'tanh' }];
      const region = {
        units,
        law: 'leaky' as const,
        rate,
        segments,
        recurrent,
        input: null,
        bias: null,
        seed: 0,
        stream: 0,
      };
      return {
        kind: 'Huge',
        dtype: 'f32',
        facts: {},
        spec: { kind: 'regions', inputs: 1, parentFirst: true, regions: [region] },
      };
    };
    registerKind('Huge', Huge, planHuge);
    const wanted = { name: 'RangeError', code: 'ERR_DTESN_MEMORY' };
    expect(() => new Huge({})).toThrow(expect.objectContaining(wanted));
    await expect(Huge.constructAsync({})).rejects.toMatchObject(wanted);
  });

  test('a user-defined kind is constructed once it is registered with its plan', async () => {
    class Lines extends Network<{ delay: number }> {
      constructor(options: { delay: number }) {
        super(planOf(options, planLines));
      }
    }
    const planLines = ({ delay }: { delay: number }): NetworkPlan<{ delay: number }> => ({
      ...{ kind: 'Lines', dtype: 'f64', facts: { delay } },
      spec: { kind: 'nvar', inputs: 1, delay, order: 1, strides: 1 },
    });
    await expect(Lines.constructAsync({ delay: 2 })).rejects.toThrow(/registerKind\(name, kind, plan\)/);
    registerKind('Lines', Lines, planLines);
    expect((await Lines.constructAsync({ delay: 2 })).run([1, 2]).data).toEqual(
      Float64Array.of(1, 0, 1, 0, 2, 1, 2, 1),
    );
  });

  test('the event loop turns while a large network is drawn', async () => {
    let turns = 0;
    const turning = setInterval(() => turns++, 1);
    await Reservoir.constructAsync({ units: 1500, inputs: 1, topology: 'dense' });
    clearInterval(turning);
    expect(turns).toBeGreaterThan(0);
  });
});
