/** Runs of a saved model in one service: many at a time, a model that is taken away meanwhile, aborts. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/bridge/logs/index.js';
import { MetricsRegistry } from '../../../src/bridge/metrics/index.js';
import { buildNetwork, modelDefinition, SessionService } from '../../../src/bridge/sessions/index.js';
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
  const runs = [1, 2, 3].map(() => service.models.predict('model', rowsOf(0, 60_000), request));
  const reasons = Promise.allSettled(runs);
  setTimeout(() => stop.abort(new Error('left')), 5);
  for (const outcome of await reasons) expect(outcome).toMatchObject({ reason: { message: 'left' } });
  expect((await service.models.predict('model', rowsOf(0, 2), { client: 'one' })).rows).toBe(2);
  await service.close();
  await expect(service.models.predict('model', [], { client: 'one' })).rejects.toMatchObject({ code: 'draining' });
});
