/** Elementary differentials as features, against nested derivatives and what networks give at single states. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  DeepTreeModel,
  delays,
  differentials,
  Es2n,
  Esn,
  EuSn,
  elementaryDifferentials,
  Featured,
  matrix,
  Network,
  Nvar,
  Reservoir,
  rootedTrees,
  StreamPool,
} from '../../src/index.js';
import { forged } from '../esn/forged.js';
import { treeDifferential } from '../reference/elementary-differentials.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-differentials-'));
afterAll(() => rmSync(folder, { recursive: true }));

const series = Array.from({ length: 12 }, (_, t) => [Math.sin(t), Math.cos(2 * t)]);
const long = Array.from({ length: 300 }, (_, t) => [Math.sin(t / 3), Math.cos(t / 5)]);
const units = 7;
const reservoir = () =>
  new Reservoir({ units, inputs: 2, leak: 0.4, dtype: 'f64', biasScaling: 0.2, topology: 'dense', seed: 3 });
const trees = (order: number) => Array.from({ length: order }, (_, n) => rootedTrees(n + 1)).flat();

function near(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 1e-12) {
  expect(found.length).toBe(wanted.length);
  const worst = Math.max(...Array.from(wanted, (value, i) => Math.abs(value - found[i]!)));
  expect(worst).toBeLessThan(tolerance);
}

/** network.differentials after every step of a run: a row a step. */
function stepByStep(network: Network, order: number, gates?: readonly number[]): number[] {
  const state = network.createState();
  if (gates) state.gates!.set(gates);
  const out = new Float64Array(trees(order).length * network.stateSize);
  return series.flatMap((u) => {
    network.run([u], { state });
    network.differentials(order, u, out, state);
    return [...out];
  });
}

describe('differentials(order)', () => {
  const order = 5;

  test('are the nested derivatives of the flow at each state, of all 17 trees', () => {
    const network = reservoir();
    const { data: states } = network.run(series);
    const { data, cols } = new Featured({ network, features: [differentials(order)] }).run(series);
    expect(cols).toBe(17 * units);
    const { recurrent, input, bias } = network.weights();
    for (const [t, u] of series.entries()) {
      const drive = bias.map((b: number, i: number) => b + input.data[2 * i]! * u[0]! + input.data[2 * i + 1]! * u[1]!);
      const state = states.slice(t * units, (t + 1) * units);
      const point = { state, drive, decay: new Float64Array(units).fill(1) };
      const flow = { ...point, units, weights: recurrent.data };
      const wanted = trees(order).flatMap(({ levels }) => treeDifferential(levels, flow));
      near(data.slice(t * cols, (t + 1) * cols), wanted);
      near(
        data.slice(t * cols, (t + 1) * cols),
        elementaryDifferentials({ ...point, weights: recurrent, order }).values.data,
      );
    }
  });

  test.each<[string, () => Network]>([
    ['a reservoir', reservoir],
    [
      'a sparse reservoir of sines',
      () => new Reservoir({ units, inputs: 2, dtype: 'f64', density: 0.5, activation: 'sine' }),
    ],
    [
      'softplus and sigmoid',
      () =>
        new Reservoir({
          ...{ units, inputs: 2, dtype: 'f64' },
          activation: [
            { units: 3, activation: 'softplus' },
            { units: 4, activation: 'sigmoid' },
          ],
        }),
    ],
    ['an Es2n', () => new Es2n({ units, inputs: 2, proximity: 0.6, dtype: 'f64' })],
    ['an EuSn', () => new EuSn({ units, inputs: 2, step: 0.1, dtype: 'f64' })],
    ['a deep tree', () => new DeepTreeModel({ depth: 3, units: 9, inputs: 2, feedback: 0.3, dtype: 'f64' })],
    [
      'a synchronous deep tree',
      () => new DeepTreeModel({ depth: 3, units: 9, inputs: 2, update: 'synchronous', dtype: 'f64' }),
    ],
  ])('of %s are those that network.differentials gives, in runs, batches and streams', async (_, make) => {
    const network = make();
    const wanted = stepByStep(network, order);
    const featured = new Featured({ network, features: [differentials(order)] });
    near(featured.run(series).data, wanted);
    featured.reset();
    near([...featured.run(series.slice(0, 5)).data, ...featured.run(series.slice(5)).data], wanted);
    const [first, second] = featured.runBatch([series, series]);
    near(first!.data, wanted);
    near(second!.data, wanted);
    featured.reset();
    near((await featured.runAsync(series)).data, wanted);
    near((Network.from(featured.share()) as Featured).run(series).data, wanted);
    const pool = new StreamPool({ model: featured, capacity: 2 });
    const rows = series.flatMap((row) => {
      pool.push('a', row);
      pool.step();
      return [...featured.featuresOf(pool.state('a'))];
    });
    near(rows, wanted);
  });

  test('of closed membranes are 0, and their neighbours do not see them', () => {
    const network = new DeepTreeModel({ depth: 2, units: 6, inputs: 2, feedback: 0.5, dtype: 'f64' });
    const featured = new Featured({ network, features: [differentials(3)] });
    featured.ownState.gates!.set([1, 0]);
    const { data, cols } = featured.run(series);
    near(data, stepByStep(network, 3, [1, 0]));
    expect([...data.slice(-cols)].map((value, i) => i % 6 < 3 || value === 0)).not.toContain(false);
    const states = [featured.createState(), featured.createState()];
    states[1]!.gates!.set([1, 0]);
    near(featured.runBatch([series, series], { states })[1]!.data, data);
  });

  test('stand among other features, and of two orders the rows of the smaller one are the first of the other', () => {
    const network = reservoir();
    const features = ['states', differentials(2), delays(1, { of: 'states' }), differentials(4), 'inputs'] as const;
    const { data, cols } = new Featured({ network, features }).run(series);
    expect(cols).toBe((1 + 2 + 1 + 8) * units + 2);
    const row = data.slice(-cols);
    expect([...row.slice(units, 3 * units)]).toEqual([...row.slice(4 * units, 6 * units)]);
    expect([...row.slice(3 * units, 4 * units)]).toEqual([...data.slice(-2 * cols).slice(0, units)]);
    expect([...row.slice(-2)]).toEqual(series.at(-1));
  });

  test('in f32 agree with f64 to rounding', () => {
    const options = { units, inputs: 2, biasScaling: 0.2, seed: 3 };
    const [single, double] = (['f32', 'f64'] as const).map((dtype) =>
      new Featured({ network: new Reservoir({ ...options, dtype }), features: [differentials(4)] }).run(series),
    );
    near(single!.data, double!.data, 1e-4);
  });
});

describe('an Esn with differentials', () => {
  const features = ['states', 'inputs', differentials(3)] as const;
  const make = () => new Esn({ network: reservoir(), features: [...features], readout: { ridge: 1e-8 }, washout: 20 });

  test('forecasts in closed loop as single steps do', () => {
    const esn = make().fit(long);
    const [forecast] = esn.forecast({ steps: 30, warmup: [matrix(300, 2, long)] });
    let row = [...esn.predict(long, { state: 'reset' }).data.slice(-2)];
    const rows: number[] = [];
    for (let t = 0; t < 30; t++) {
      rows.push(...row);
      row = [...esn.predict([row]).data];
    }
    near(rows, forecast!.data, 1e-8);
  });

  test('streams what it predicts', () => {
    const esn = make().fit(long);
    const wanted = esn.predict(series, { state: 'reset' });
    const stream = esn.stream({ state: 'reset' });
    near(
      series.flatMap((u) => [...stream.step(u)]),
      wanted.data,
    );
  });

  test('is saved and loaded to the last bit', async () => {
    const esn = make().fit(long);
    const file = path.join(folder, 'model');
    await esn.save(file);
    const loaded = await Esn.load(file);
    expect([...loaded.state.data]).toEqual([...esn.state.data]);
    expect([...loaded.forecast({ steps: 40 }).data]).toEqual([...esn.forecast({ steps: 40 }).data]);
  });

  test('of an order that no network has is not loaded', async () => {
    const esn = make().fit(long);
    const file = path.join(folder, 'forged');
    await esn.save(file);
    const change = (model: { features: unknown[] }) => {
      model.features[2] = { feature: 'differentials', order: 13 };
    };
    writeFileSync(file, forged(readFileSync(file), change as never));
    await expect(Esn.load(file)).rejects.toThrow(/from 1 to 10/);
  });

  test('has no C header', () => {
    expect(() => make().fit(long).toC()).toThrow(/features without differentials\(\) for C for features/);
  });
});

test.each<[string, () => unknown, RegExp]>([
  ['order 0', () => differentials(0), /from 1 to 10 for order but received 0/],
  ['order 11', () => differentials(11), /from 1 to 10 for order but received 11/],
  [
    'a delay line',
    () =>
      new Featured({ network: new Nvar({ inputs: 1, delay: 2, order: 2 }), features: ['states', differentials(2)] }),
    /a network with a flow for differentials\(\) for features\[1\] but received/,
  ],
  [
    'a Featured',
    () => {
      const network = new Featured({ network: reservoir(), features: ['states'] });
      return new Featured({ network, features: [differentials(2)] });
    },
    /a network with a flow/,
  ],
])('%s is refused', (_, call, message) => {
  expect(call).toThrow(message);
});
