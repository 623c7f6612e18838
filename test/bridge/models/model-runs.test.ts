/** Runs of a saved model in one service: many at a time, a model that is taken away meanwhile, aborts. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/bridge/logs/index.js';
import { MetricsRegistry } from '../../../src/bridge/metrics/index.js';
import { checkBridgeOptions } from '../../../src/bridge/options.js';
import { sessionNetworks } from '../../../src/bridge/parts.js';
import {
  buildNetwork,
  modelDefinition,
  type SessionNetwork,
  SessionService,
} from '../../../src/bridge/sessions/index.js';
import { Esn, type Matrix, matrix } from '../../../src/index.js';
import { folder } from '../durability/state-bridge.js';
import { rowsOf, tree } from '../sessions/fixtures.js';

const fitted = () =>
  new Esn({ network: { units: 60, inputs: 3, seed: 1 }, scale: 'standard', washout: 20, readout: { ridge: 1e-3 } }).fit(
    rowsOf(0, 500),
  );

async function opened() {
  const file = path.join(folder(), 'model.safetensors');
  await fitted().save(file);
  const networks = [await buildNetwork('default', tree), await buildNetwork('model', modelDefinition(file))];
  const metrics = new MetricsRegistry();
  return { service: await SessionService.start({ networks, stateDir: null, log: silentLogger, metrics }), networks };
}

const same = (got: Matrix, wanted: Matrix) => {
  expect([got.rows, got.cols]).toEqual([wanted.rows, wanted.cols]);
  expect([...got.data]).toEqual([...wanted.data]);
};

test('many at a time, beside steps, answer what each answers alone, also where the model is taken away meanwhile', async () => {
  const { service, networks } = await opened();
  const esn = fitted();
  await service.create({ id: 'a', network: 'model' });
  const steps = service.steps('a', { from: 0, rows: rowsOf(0, 300) });
  const runs = Array.from({ length: 10 }, (_, i) => {
    const rows = rowsOf(9 * i, 300 + i);
    const request = { client: 'one' };
    return i % 2 === 0
      ? service.models.predict('model', rows, request)
      : service.models.forecast('model', rows, 50, request);
  });
  service.replaceNetworks([await buildNetwork('default', tree)]);
  expect(service.models.list()).toEqual([]);
  for (const [i, run] of runs.entries()) {
    const rows = matrix(300 + i, 3, rowsOf(9 * i, 300 + i));
    const state = esn.createState();
    const outputs = esn.predict(rows, { state });
    same(await run, i % 2 === 0 ? outputs : esn.forecast({ starts: [state], steps: 50 })[0]!);
  }
  const { outputs } = await steps;
  const wanted = esn.predict(matrix(300, 3, rowsOf(0, 300)), { state: 'reset' });
  expect(Math.max(...outputs.data.map((value, i) => Math.abs(value - wanted.data[i]!)))).toBeLessThan(1e-10);
  await expect(service.models.predict('model', [], { client: 'one' })).rejects.toMatchObject({ code: 'not_found' });
  const [, { model }] = networks as [unknown, { model: Esn }];
  expect(model.createState().data.length).toBe(model.featured.stateSize); // the session holds it
  await service.remove('a');
  await service.close();
});

test('a caller that leaves ends its run with its reason, and the next one runs', async () => {
  const { service } = await opened();
  const stop = new AbortController();
  const request = { client: 'one', signal: stop.signal };
  const runs = [1, 2, 3].map(() => service.models.predict('model', rowsOf(0, 40_000), request));
  const reasons = Promise.allSettled(runs);
  setTimeout(() => stop.abort(new Error('left')), 5);
  for (const outcome of await reasons) expect(outcome).toMatchObject({ reason: { message: 'left' } });
  expect((await service.models.predict('model', rowsOf(0, 2), { client: 'one' })).rows).toBe(2);
  await service.close();
  await expect(service.models.predict('model', [], { client: 'one' })).rejects.toMatchObject({ code: 'draining' });
});

test('a run keeps its place until its answer is made, and its room until the answer has left', async () => {
  const { service } = await opened();
  let made = 0;
  let atOnce = 0;
  const answer = async ({ rows }: Matrix) => {
    made++;
    atOnce = Math.max(atOnce, made);
    await new Promise((turn) => setTimeout(turn, 2));
    made--;
    return rows;
  };
  const small = rowsOf(0, 5);
  await Promise.all(Array.from({ length: 9 }, () => service.models.predict('model', small, { client: 'one', answer })));
  expect(atOnce).toBe(2);
  let leave = () => {};
  const sent = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const large = rowsOf(0, 40_000); // 120,000 numbers, 2.4 MB of text; a client may have 32 MiB unread
  const ask = () => service.models.predict('model', large, { client: 'one', sent, answer: () => 0 });
  for (let i = 0; i < 13; i++) await ask();
  await expect(ask()).rejects.toMatchObject({ code: 'memory', status: 429 });
  expect(await service.models.predict('model', large, { client: 'other', sent, answer: () => 0 })).toBe(0);
  leave();
  await sent;
  expect(await ask()).toBe(0);
  await service.close();
});

test('more numbers than an answer takes are impossible, with the rows that it takes', async () => {
  const { service } = await opened();
  const run = service.models.forecast('model', rowsOf(0, 5), 50_000, { client: 'one' });
  await expect(run).rejects.toMatchObject({ code: 'impossible', details: { rows: 43_690 } });
  await service.close();
});

test('rows that the model cannot take are refused before any runs, and outputs beyond f64 are no answer', async () => {
  const narrow = new Esn({ network: { units: 20, inputs: 1, seed: 1, dtype: 'f32' }, washout: 5 });
  const steep = new Esn({ network: { units: 20, inputs: 1, seed: 1 }, washout: 5, features: ['inputs'] });
  const series = Array.from({ length: 100 }, (_, t) => [Math.sin(t / 5)]);
  const where = folder();
  const networks = [await buildNetwork('default', tree)];
  for (const [name, esn] of Object.entries({ narrow, steep })) {
    const file = path.join(where, name);
    await esn.fit(
      series,
      series.map(([value]) => [3 * value!]),
    );
    await esn.save(file);
    networks.push(await buildNetwork(name, modelDefinition(file)));
  }
  const metrics = new MetricsRegistry();
  const service = await SessionService.start({ networks, stateDir: null, log: silentLogger, metrics });
  const run = (name: string, rows: number[][]) => service.models.predict(name, rows, { client: 'one' });
  await expect(run('narrow', [[1], [2], [1e39]])).rejects.toMatchObject({
    code: 'impossible',
    message: expect.stringMatching(/finite in f32 for rows\[2\]/),
  });
  await expect(run('steep', [[1], [1e308]])).rejects.toMatchObject({
    code: 'impossible',
    message: expect.stringMatching(/outputs of row 1 are infinite/),
  });
  await service.close();
});

test('networks that are made again keep a model open whose file was not written since', async () => {
  const file = path.join(folder(), 'model.safetensors');
  await fitted().save(file);
  const { config } = checkBridgeOptions({ models: { kept: { file } } });
  const modelOf = (networks: readonly SessionNetwork[]) => networks.find(({ name }) => name === 'kept')!;
  const open = await sessionNetworks(config);
  expect(modelOf(await sessionNetworks(config, open)).model).toBe(modelOf(open).model);
  await fitted().save(file);
  expect(modelOf(await sessionNetworks(config, open)).model).not.toBe(modelOf(open).model);
  await rm(file);
  await expect(sessionNetworks(config, open)).rejects.toMatchObject({ field: 'models.kept' });
  expect(modelOf(open).network.bytes).toBeGreaterThan(0);
});
