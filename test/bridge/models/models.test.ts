/** Saved models of the running command: sessions and one-off runs on them, their files, and what becomes of both. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { BridgeClient } from '../../../src/bridge/client/index.js';
import { Esn, type EsnOptions, type Matrix, matrix } from '../../../src/index.js';
import { call } from '../durability/fed-session.js';
import { folder, plainLines, startedBridge, stateBridge } from '../durability/state-bridge.js';

const rows = (count: number, from = 0) =>
  Array.from({ length: count }, (_, t) => [2000 + 5 * Math.sin((from + t) / 5), 0.01 * Math.cos((from + t) / 9)]);
const lists = ({ rows: count, cols, data }: Matrix) =>
  Array.from({ length: count }, (_, t) => [...data.subarray(t * cols, (t + 1) * cols)]);

const options = (seed: number): EsnOptions => ({
  network: { units: 40, inputs: 2, seed, leak: 0.5, dtype: 'f64' },
  scale: 'standard',
  washout: 20,
});

/** Next steps; of the seed alone. */
const forecaster = (seed: number) => new Esn(options(seed)).fit(rows(400));
/** The product of both columns. */
const product = () =>
  new Esn({ ...options(3), network: { units: 40, inputs: 2, seed: 3, dtype: 'f32' } }).fit(
    rows(400),
    rows(400).map(([a, b]) => [a! * b!]),
  );

/** Rows of a prediction, and a forecast, of the Python client; null without python3. */
function pythonRuns(url: string, given: object): unknown {
  const script = `
import json, sys
sys.path.insert(0, sys.argv[1])
from dtesn_bridge import BridgeClient
given = json.load(sys.stdin)
with BridgeClient(sys.argv[2]) as client:
    count = len(client.predict("waves", given["rows"]))
    print(json.dumps([count, client.forecast("waves", given["rows"], given["steps"])]))
`;
  const clients = path.resolve(import.meta.dirname, '../../../clients/python');
  const options = { input: JSON.stringify(given), encoding: 'utf8' } as const;
  const { stdout, status, error } = spawnSync('python3', ['-B', '-c', script, clients, url], options);
  if (error !== undefined) return null;
  expect(status).toBe(0);
  return JSON.parse(stdout);
}

async function savedIn(where: string, name: string, esn: Esn): Promise<string> {
  const file = path.join(where, `${name}.safetensors`);
  await esn.save(file);
  return file;
}

/** Largest difference, as a share of the size of the column. */
function apart(got: number[][], wanted: number[][]): number {
  expect(got.length).toBe(wanted.length);
  const sizes = wanted[0]!.map((_, k) => Math.max(...wanted.map((row) => Math.abs(row[k]!))));
  return Math.max(...got.flatMap((row, t) => row.map((value, k) => Math.abs(value - wanted[t]![k]!) / sizes[k]!)));
}

let models: { waves: Esn; product: Esn };
beforeAll(() => {
  models = { waves: forecaster(1), product: product() };
});

describe('runs and sessions on a model', () => {
  test('answer what the Esn answers, in the units of the data', async () => {
    const where = folder();
    const file = {
      waves: await savedIn(where, 'waves', models.waves),
      product: await savedIn(where, 'product', models.product),
    };
    const { url } = await stateBridge(null, {
      models: { waves: { file: file.waves }, product: { file: file.product } },
    });
    const listed = (await call(url, '/v1/models')).json;
    expect(listed.items).toMatchObject([
      { name: 'waves', inputs: 2, outputs: 2, forecasts: true, dtype: 'f64' },
      { name: 'product', inputs: 2, outputs: 1, forecasts: false, dtype: 'f32' },
    ]);
    for (const name of ['waves', 'product'] as const) {
      const wanted = lists((await Esn.load(file[name])).predict(rows(150, 33), { state: 'reset' }));
      const { status, json } = await call(url, `/v1/models/${name}/predict`, 'POST', { rows: rows(150, 33) });
      expect([status, apart(json.outputs, wanted)]).toEqual([200, 0]);
      const opened = await call(url, '/v1/sessions', 'POST', { id: name, network: name });
      expect([opened.status, opened.json.offset]).toEqual([201, 0]);
      const answers: number[][] = [];
      for (let from = 0; from < 150; from += 50) {
        const { json: part } = await call(url, `/v1/sessions/${name}/steps`, 'POST', {
          from,
          rows: rows(50, 33 + from),
        });
        answers.push(...part.outputs);
      }
      expect(apart(answers, wanted)).toBeLessThan(name === 'waves' ? 1e-11 : 1e-5);
      const described = (await call(url, `/v1/sessions/${name}`)).json;
      expect(listed.items.find((one: { name: string }) => one.name === name).fingerprint).toBe(described.fingerprint);
    }
    const frame = await fetch(`${url}/v1/sessions/waves/steps`, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/octet-stream', 'x-dtesn-dtype': 'f64' },
        ...{ 'x-dtesn-shape': '1,2', 'x-dtesn-from': '150' },
      },
      body: Float64Array.from(rows(1, 183)[0]!),
    });
    const next = lists(models.waves.predict(rows(151, 33), { state: 'reset' })).slice(-1);
    expect(apart(((await frame.json()) as { outputs: number[][] }).outputs, next)).toBeLessThan(1e-11);
    const forecast = await call(url, '/v1/models/waves/forecast', 'POST', { rows: rows(150, 33), steps: 40 });
    const ahead = lists(models.waves.forecast({ warmup: matrix(150, 2, rows(150, 33)), steps: 40 }));
    expect(apart(forecast.json.outputs, ahead)).toBeLessThan(1e-9);
    const client = new BridgeClient(url);
    expect(await client.predict('waves', rows(150, 33))).toEqual(
      lists(models.waves.predict(rows(150, 33), { state: 'reset' })),
    );
    expect(await client.forecast('waves', rows(150, 33), 40)).toEqual(forecast.json.outputs);
    await client.close();
    const inPython = pythonRuns(url, { rows: rows(150, 33), steps: 40 });
    if (inPython !== null) expect(inPython).toEqual([150, forecast.json.outputs]);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/^dtesn_model_rows_total\{run="predict"\} \d+$/m);
    expect(metrics).toMatch(/^dtesn_model_rows_total\{run="forecast"\} (380|570)$/m);
  });

  test('are refused with a code where they cannot be', async () => {
    const where = folder();
    const waves = await savedIn(where, 'waves', models.waves);
    const { url } = await stateBridge(null, {
      models: { waves: { file: waves }, product: { file: await savedIn(where, 'product', models.product) } },
    });
    const ask = async (route: string, body: object) => {
      const { status, json } = await call(url, route, 'POST', body);
      return [status, json.error.code, json.error.message];
    };
    const run = (name: string, body: object) =>
      ask(`/v1/models/${name}/${'steps' in body ? 'forecast' : 'predict'}`, body);
    expect(await run('none', { rows: [] })).toEqual([404, 'not_found', expect.stringContaining('/v1/models')]);
    expect(await run('default', { rows: [] })).toEqual([404, 'not_found', expect.any(String)]);
    expect(await run('waves', { rows: [[1, 2, 3]] })).toEqual([
      422,
      'impossible',
      expect.stringContaining('2 numbers a row'),
    ]);
    expect(await run('waves', { rows: [[1, 2]], steps: 0 })).toEqual([400, 'malformed', expect.any(String)]);
    expect(await run('waves', { rows: [], steps: 1 })).toEqual([400, 'malformed', expect.any(String)]);
    expect(await run('waves', { rows: [[1, 2]], steps: 65_537 })).toEqual([400, 'malformed', expect.any(String)]);
    expect(await run('product', { rows: [[1, 2]], steps: 1 })).toEqual([
      422,
      'impossible',
      expect.stringContaining('1 outputs'),
    ]);
    expect(await run('waves', { rows: [[1, 2]], extra: 1 })).toEqual([400, 'unknown_field', expect.any(String)]);
    expect(await ask('/v1/sessions', { network: 'none' })).toEqual([422, 'impossible', expect.any(String)]);
    expect((await call(url, '/v1/sessions', 'POST', { id: 'a', network: 'waves' })).status).toBe(201);
    expect(await ask('/v1/sessions/a/steps', { from: 0, rows: [[1]] })).toEqual([
      422,
      'impossible',
      expect.any(String),
    ]);
    expect(await ask('/v1/config', { changes: { 'models.other': { file: waves } } })).toEqual([
      403,
      'forbidden',
      expect.any(String),
    ]);
    expect((await call(url, '/v1/sessions/a')).json.offset).toBe(0);
  });
});

describe('a session on a model', () => {
  const durable = (url: string, from: number, count: number) =>
    call(url, '/v1/sessions/a/steps?ack=durable', 'POST', { from, rows: rows(count, from) });

  test('comes back to the bit after kill -9, also where the file was moved', {
    tags: ['slow'],
    timeout: 60_000,
  }, async () => {
    const [where, state] = [folder(), folder()];
    const file = await savedIn(where, 'waves', models.waves);
    const whole = await stateBridge(null, { models: { waves: { file } } });
    await call(whole.url, '/v1/sessions', 'POST', { id: 'a', network: 'waves' });
    const wanted = (await call(whole.url, '/v1/sessions/a/steps', 'POST', { from: 0, rows: rows(150) })).json.outputs;
    const first = await stateBridge(state, { models: { waves: { file } } });
    const { epoch } = (await call(first.url, '/v1/sessions', 'POST', { id: 'a', network: 'waves' })).json;
    expect((await durable(first.url, 0, 60)).json.outputs).toEqual(wanted.slice(0, 60));
    await first.end('SIGKILL');
    // Named no more by the configuration: the session opens it by the path that it began with.
    const second = await stateBridge(state, {});
    expect((await durable(second.url, 60, 40)).json.outputs).toEqual(wanted.slice(60, 100));
    await second.end('SIGKILL');
    mkdirSync(path.join(where, 'v1'));
    const moved = path.join(where, 'v1', 'moved.safetensors');
    renameSync(file, moved);
    const third = await stateBridge(state, { models: { other: { file: moved } } });
    const last = (await durable(third.url, 100, 50)).json;
    expect([last.outputs, last.epoch, last.offset]).toEqual([wanted.slice(100), epoch, 150]);
    expect((await call(third.url, '/v1/sessions/a')).json).toMatchObject({ exact: true, network: 'waves' });
  });

  test('whose file was replaced before a restart is 409 network_changed, and goes on with the old file', {
    tags: ['slow'],
    timeout: 60_000,
  }, async () => {
    const [where, state] = [folder(), folder()];
    const file = await savedIn(where, 'waves', models.waves);
    const configuration = { models: { waves: { file } } };
    const first = await stateBridge(state, configuration);
    await call(first.url, '/v1/sessions', 'POST', { id: 'a', network: 'waves' });
    expect((await durable(first.url, 0, 10)).status).toBe(200);
    await first.end('SIGKILL');
    await forecaster(2).save(file);
    const second = await stateBridge(state, configuration);
    const blocked = await durable(second.url, 10, 1);
    expect([blocked.status, blocked.json.error]).toMatchObject([
      409,
      { code: 'network_changed', offset: 10, durable: 10 },
    ]);
    await second.end('SIGKILL');
    await models.waves.save(file);
    const third = await stateBridge(state, configuration);
    expect((await durable(third.url, 10, 1)).json).toMatchObject({ offset: 11, durable: 11 });
  });
});

describe('the file of a model', () => {
  const reloaded = async (url: string) =>
    /^dtesn_config_last_reload_successful (\d)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1];

  test('that was replaced serves new sessions after a reload; a damaged one is refused, and what runs stays', {
    timeout: 60_000,
  }, async () => {
    const where = folder();
    const file = await savedIn(where, 'waves', models.waves);
    const configuration = { models: { waves: { file } } };
    const bridge = await stateBridge(null, configuration);
    const { url } = bridge;
    const next = forecaster(2);
    const steps = async (id: string, from: number) => {
      await call(url, '/v1/sessions', 'POST', { id, network: 'waves' });
      return (await call(url, `/v1/sessions/${id}/steps`, 'POST', { from, rows: rows(10, from) })).json
        .outputs as number[][];
    };
    const old = lists(models.waves.predict(rows(30), { state: 'reset' }));
    expect(apart(await steps('old', 0), old.slice(0, 10))).toBeLessThan(1e-11);
    const before = (await call(url, '/v1/models')).json.items[0].fingerprint;
    await next.save(file);
    bridge.reload(configuration);
    const fingerprint = async () => (await call(url, '/v1/models')).json.items[0].fingerprint;
    await expect.poll(fingerprint, { timeout: 10_000 }).not.toBe(before);
    const fresh = lists(next.predict(rows(10), { state: 'reset' }));
    expect(apart(await steps('new', 0), fresh)).toBeLessThan(1e-11);
    expect(apart(await steps('old', 10), old.slice(10, 20))).toBeLessThan(1e-11);
    const replaced = await fingerprint();
    truncateSync(file, 2000);
    bridge.reload(configuration);
    await expect.poll(() => reloaded(url), { timeout: 10_000 }).toBe('0');
    expect(bridge.log()).toMatch(/the configuration was refused[^\n]*models\.waves: the file [^\n]*waves\.safetensors/);
    expect([await fingerprint(), apart(await steps('newer', 0), fresh) < 1e-11]).toEqual([replaced, true]);
    await next.save(file);
    bridge.reload(configuration);
    await expect.poll(() => reloaded(url), { timeout: 10_000 }).toBe('1');
  });

  test.each([
    ['is missing', () => {}, /models\.waves: the file \S+waves\.safetensors cannot be taken: ENOENT$/],
    [
      'is no model',
      (file: string) => writeFileSync(file, 'a,b\n1,2\n'),
      /models\.waves: the file \S+waves\.safetensors cannot be taken: .*no model/,
    ],
    [
      'is damaged',
      async (file: string) => {
        await forecaster(1).save(file);
        truncateSync(file, 3000);
      },
      /models\.waves: the file \S+waves\.safetensors cannot be taken: /,
    ],
  ])('that %s ends the start with code 78 and one line', async (_, write, line) => {
    const file = path.join(folder(), 'waves.safetensors');
    await write(file);
    const started = startedBridge(folder(), { models: { waves: { file } } });
    expect([await started.code, plainLines(started.log())]).toEqual([78, [expect.stringMatching(line)]]);
  });

  test('under the name of a network is refused', async () => {
    const file = await savedIn(folder(), 'waves', models.waves);
    const networks = { waves: { kind: 'Reservoir' as const, options: { units: 8, inputs: 1 } } };
    const started = startedBridge(folder(), { networks, models: { waves: { file } } });
    const line = /models: expected a name that no network has but received waves/;
    expect([await started.code, plainLines(started.log())]).toEqual([78, [expect.stringMatching(line)]]);
  });
});
