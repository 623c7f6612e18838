/** The configuration of the running command: who may change it, what a change does to requests and sessions, how files are read again. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Esn } from '../../../src/index.js';
import { type RunningBridge, runningBridge, startBridge } from '../running-bridge.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const token = 'canary-token-of-the-administrator-0123456789';
const tokenFile = path.join(folder, 'admin');
writeFileSync(tokenFile, token, { mode: 0o600 });
const admin = ['--admin-token-file', tokenFile];

let files = 0;
function fileOf(value: unknown): string {
  const file = path.join(folder, `${++files}.json`);
  writeFileSync(file, JSON.stringify(value));
  return file;
}

type Json = Record<string, unknown>;

async function ask(bridge: RunningBridge, route: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(bridge.url + route, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
  });
  return { status: answer.status, etag: answer.headers.get('etag'), json: (await answer.json()) as Json };
}

const bearer = { authorization: `Bearer ${token}` };
const change = (bridge: RunningBridge, changes: object, headers: Record<string, string> = {}) =>
  ask(bridge, '/v1/config', { changes }, { ...bearer, ...headers });

async function metric(bridge: RunningBridge, line: RegExp): Promise<string | undefined> {
  const text = await (await fetch(`${bridge.url}/metrics`)).text();
  return line.exec(text)?.[1];
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not come within 10 s');
}

const reloaded = /^dtesn_config_last_reload_successful (\d)$/m;
const maxSessions = async (bridge: RunningBridge) =>
  ((await ask(bridge, '/v1/config')).json['config'] as { sessions: { maxSessions: number } }).sessions.maxSessions;

describe('who may change it', () => {
  test('over TCP the admin token alone, also from loopback; whoever may look sees it', async () => {
    await using bridge = await runningBridge({ args: admin });
    for (const route of ['/v1/config', '/v1/config/validate', '/v1/config/rollback']) {
      const body = route.endsWith('rollback') ? { id: 'x' } : { changes: {} };
      expect(await ask(bridge, route, body)).toMatchObject({ status: 403, json: { error: { code: 'forbidden' } } });
    }
    const { status, json, etag } = await ask(bridge, '/v1/config');
    expect([status, etag]).toEqual([200, `"${json['version']}"`]);
    expect(json['origins']).toMatchObject({ 'network.units': 'environment', listen: 'flag', adminTokenFile: 'flag' });
    const everything = [
      json,
      (await ask(bridge, '/v1/config/snapshots')).json,
      (await ask(bridge, `/v1/config/snapshots/${json['version']}`)).json,
      (await change(bridge, { 'sessions.maxSessions': 5 })).json,
    ];
    expect(JSON.stringify(everything) + bridge.log()).not.toContain(token);
    expect(JSON.stringify(everything)).toContain(tokenFile);
  });

  test('over a Unix socket without a token', async () => {
    const socketPath = path.join(folder, 'bridge.sock');
    await using bridge = await runningBridge({ listen: ['127.0.0.1:0', `unix:${socketPath}`], listeners: 2 });
    const body = JSON.stringify({ changes: { 'sessions.maxSessions': 5 } });
    const status = await new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': body.length };
      const request = http.request({ socketPath, path: '/v1/config', method: 'POST', headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      request.on('error', reject);
      request.end(body);
    });
    expect([status, await maxSessions(bridge)]).toEqual([200, 5]);
  });
});

test('a change names its version, errors their field, and a rollback undoes it', async () => {
  await using bridge = await runningBridge({ args: admin });
  const { etag } = await ask(bridge, '/v1/config');
  expect((await change(bridge, { 'sessions.maxSessions': 5 }, { 'if-match': etag! })).status).toBe(200);
  const late = await change(bridge, { 'sessions.maxSessions': 6 }, { 'if-match': etag! });
  expect(late).toMatchObject({ status: 412, json: { error: { code: 'precondition_failed' } } });
  expect(await change(bridge, { 'network.unit': 6 })).toMatchObject({
    status: 400,
    json: { error: { code: 'unknown_field', field: 'network.unit' } },
  });
  expect(await change(bridge, { engines: ['http://x'] })).toMatchObject({
    status: 422,
    json: { error: { field: 'engines' } },
  });
  expect(await change(bridge, { 'networks.a': { kind: 'Reservoir', options: { units: -1 } } })).toMatchObject({
    status: 422,
    json: { error: { message: expect.stringMatching(/^Nothing was changed: Expected/) } },
  });
  expect(await maxSessions(bridge)).toBe(5);
  const { json } = await ask(bridge, '/v1/config/rollback', { id: JSON.parse(etag!) }, bearer);
  expect(json).toMatchObject({ changed: ['sessions.maxSessions'], config: { sessions: { maxSessions: 10_000 } } });
  const { items } = (await ask(bridge, '/v1/config/snapshots')).json as { items: Json[] };
  expect(items.map(({ origin }) => origin)).toEqual(['rollback', 'http', 'start']);
});

test('no request fails while the network changes five times under load; old sessions keep theirs, new ones have the new', {
  tags: ['slow'],
  timeout: 60_000,
}, async () => {
  await using bridge = await runningBridge({ args: admin });
  const width = async (id: string, from: number): Promise<number> => {
    const { status, json } = await ask(bridge, `/v1/sessions/${id}/steps`, { from, rows: [Array(16).fill(0.1)] });
    expect([status, json]).toMatchObject([200, { offset: from + 1 }]);
    return (json['outputs'] as number[][])[0]!.length;
  };
  await ask(bridge, '/v1/sessions', { id: 'old' });
  let done = false;
  const statuses: number[] = [];
  const process = async () => {
    while (!done) statuses.push((await ask(bridge, '/v1/process', { text: 'Once upon a time' })).status);
  };
  const stream = async () => {
    while (!done) {
      const answer = await fetch(`${bridge.url}/v1/process/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text: 'word '.repeat(2000) }),
      });
      const text = await answer.text();
      statuses.push(text.includes('event: error') ? 500 : answer.status);
    }
  };
  const look = async () => {
    while (!done) {
      for (const route of ['/v1/context', '/v1/status']) statuses.push((await ask(bridge, route)).status);
    }
  };
  let rows = 0;
  const session = async () => {
    while (!done) expect(await width('old', rows++)).toBe(64);
  };
  const load = Promise.all([process(), process(), process(), stream(), look(), session()]);
  try {
    for (const units of [128, 256, 512, 192, 320]) {
      const { status, json } = await change(bridge, { 'network.units': units });
      expect([status, json['changed']]).toEqual([200, ['network.units']]);
      await ask(bridge, '/v1/sessions', { id: `of-${units}` });
      expect(await width(`of-${units}`, 0)).toBe(units);
      expect((await ask(bridge, '/v1/process', { text: 'a' })).json).toMatchObject({ model: { units } });
    }
  } finally {
    done = true;
    await load;
  }
  expect(rows).toBeGreaterThan(5);
  expect(statuses.length).toBeGreaterThan(20);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect((await ask(bridge, '/v1/status')).json).toMatchObject({ model: { units: 320 }, inputs: { failed: {} } });
  expect(await change(bridge, { 'sessions.maxNetworks': 2 })).toMatchObject({ status: 422 });
  expect((await ask(bridge, '/deep_tree_echo/process', { input_data: 'x', esn_size: 320 })).status).toBe(200);
});

test('a session on a network of a change comes back after a restart without it', { tags: ['slow'] }, async () => {
  const args = [...admin, '--state-dir', path.join(folder, 'state')];
  const rows = [Array(16).fill(0.5)];
  {
    await using bridge = await runningBridge({ args });
    await change(bridge, { 'network.units': 128 });
    await ask(bridge, '/v1/sessions', { id: 'a' });
    expect((await ask(bridge, '/v1/sessions/a/steps?ack=durable', { from: 0, rows })).json).toMatchObject({
      durable: 1,
    });
  }
  await using bridge = await runningBridge({ args });
  expect((await ask(bridge, '/v1/config')).json['config']).toMatchObject({ network: { units: 64 } });
  const { json } = await ask(bridge, '/v1/sessions/a/steps', { from: 1, rows });
  expect([json['offset'], (json['outputs'] as number[][])[0]!.length]).toEqual([2, 128]);
});

test('a change of the network leaves saved models alone, and one that needs a lost file names the model without its path', async () => {
  const series = Array.from({ length: 200 }, (_, t) => [Math.sin(t / 5)]);
  const model = path.join(folder, 'lost.safetensors');
  const save = (seed: number) => new Esn({ network: { units: 20, inputs: 1, seed } }).fit(series).save(model);
  await save(1);
  const config = fileOf({ models: { wave: { file: model } } });
  await using bridge = await runningBridge({ args: [...admin, '--config', config] });
  const fingerprint = async () =>
    ((await ask(bridge, '/v1/models')).json['items'] as { fingerprint: string }[])[0]!.fingerprint;
  const before = await fingerprint();
  const start = (await ask(bridge, '/v1/config/snapshots')).json['items'] as { id: string }[];
  await save(2);
  expect((await change(bridge, { 'network.seed': 4 })).status).toBe(200);
  expect(await fingerprint()).toBe(before);
  rmSync(model);
  expect((await change(bridge, { 'network.seed': 5 })).status).toBe(200);
  expect(await fingerprint()).toBe(before);
  writeFileSync(config, JSON.stringify({ models: {} }));
  bridge.process.kill('SIGHUP');
  await until(async () => ((await ask(bridge, '/v1/models')).json['items'] as object[]).length === 0);
  const { status, json } = await ask(bridge, '/v1/config/rollback', { id: start.at(-1)!.id }, bearer);
  expect([status, json['error']]).toEqual([
    422,
    { code: 'impossible', message: expect.stringContaining('models.wave') },
  ]);
  expect(JSON.stringify(json)).not.toContain(folder);
  await until(async () => bridge.log().includes(`the file ${model} cannot be taken: ENOENT`)); // of a thread of its own
});

describe('a reload', { tags: ['slow'] }, () => {
  test('by SIGHUP takes a good file, refuses a bad one whole, and reports both', async () => {
    const file = fileOf({ sessions: { maxSessions: 10 } });
    await using bridge = await runningBridge({ args: [...admin, '--config', file] });
    const events = await fetch(`${bridge.url}/v1/events`);
    expect(await metric(bridge, reloaded)).toBe('1');
    await change(bridge, { 'sessions.maxSessions': 20, 'processing.maxStreams': 9 });
    bridge.process.kill('SIGHUP');
    await until(async () => (await maxSessions(bridge)) === 10);
    expect((await ask(bridge, '/v1/config')).json['config']).toMatchObject({ processing: { maxStreams: 9 } });
    writeFileSync(file, '{"sessions": {"maxSessions": 11}, "network": {"units": "many"}}');
    bridge.process.kill('SIGHUP');
    await until(async () => (await metric(bridge, reloaded)) === '0');
    expect(await maxSessions(bridge)).toBe(10);
    expect(bridge.log()).toMatch(/the configuration was refused[^\n]*network\.units/);
    writeFileSync(file, '{"sessions": {"maxSessions": 12}}');
    bridge.process.kill('SIGHUP');
    await until(async () => (await metric(bridge, reloaded)) === '1');
    expect(await maxSessions(bridge)).toBe(12);
    const seen = await readEvents(events, 3);
    expect(seen.map(({ origin, fields }) => [origin, fields])).toEqual([
      ['http', ['processing.maxStreams', 'sessions.maxSessions']],
      ['file', ['sessions.maxSessions']],
      ['file', ['sessions.maxSessions']],
    ]);
  });

  test("follows Kubernetes' swap of the symlink ..data", async () => {
    const mount = path.join(folder, 'mount');
    const version = (name: string, value: object) => {
      mkdirSync(path.join(mount, name), { recursive: true });
      writeFileSync(path.join(mount, name, 'bridge.json'), JSON.stringify(value));
    };
    version('..1', { sessions: { maxSessions: 10 }, network: { units: 128 } });
    symlinkSync('..1', path.join(mount, '..data'));
    symlinkSync('..data/bridge.json', path.join(mount, 'bridge.json'));
    await using bridge = await runningBridge({
      args: [...admin, '--config', path.join(mount, 'bridge.json')],
      env: { DTESN_UNITS: '' },
    });
    version('..2', { sessions: { maxSessions: 20 }, network: { units: 256 } });
    symlinkSync('..2', path.join(mount, '..next'));
    renameSync(path.join(mount, '..next'), path.join(mount, '..data'));
    rmSync(path.join(mount, '..1'), { recursive: true });
    await until(async () => (await maxSessions(bridge)) === 20);
    expect((await ask(bridge, '/v1/status')).json['model']).toMatchObject({ units: 256 });
  });

  test('takes the changed definition of a network from its file', async () => {
    const definition = (units: number) => ({ kind: 'Reservoir', options: { units, inputs: 1 } });
    const own = fileOf(definition(8));
    const file = fileOf({ networks: { saved: { file: own } } });
    await using bridge = await runningBridge({ args: [...admin, '--config', file] });
    const width = async (id: string) => {
      await ask(bridge, '/v1/sessions', { id, network: 'saved' });
      const { json } = await ask(bridge, `/v1/sessions/${id}/steps`, { from: 0, rows: [[1]] });
      return (json['outputs'] as number[][])[0]!.length;
    };
    expect(await width('a')).toBe(8);
    writeFileSync(own, JSON.stringify(definition(12)));
    bridge.process.kill('SIGHUP');
    let count = 0;
    await until(async () => (await width(`b${count++}`)) === 12);
    writeFileSync(own, '{}');
    bridge.process.kill('SIGHUP');
    await until(async () => (await metric(bridge, reloaded)) === '0');
    expect(await width('c')).toBe(12);
  });
});

test.each([
  [
    { sessions: { maxSession: 1 } },
    {},
    /^dtesn bridge: the file \S+\.json cannot be taken: sessions\.maxSession: unknown field; did you mean sessions\.maxSessions\?\n$/,
  ],
  [
    {},
    { DTESN_BRIDGE_LISTNE: 'x' },
    /^dtesn bridge: the variable DTESN_BRIDGE_LISTNE names no field; did you mean DTESN_BRIDGE_LISTEN\?\n$/,
  ],
])('the file %j with the environment %j ends the start with code 78 and one line', async (value, env, line) => {
  const child = startBridge({ args: ['--config', fileOf(value)], env });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect([code, said]).toEqual([78, expect.stringMatching(line)]);
});

test('an engine that fails shows as errors of its sources and as an open breaker', { tags: ['slow'] }, async () => {
  const server = http.createServer((_, answer) => answer.writeHead(500).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const file = fileOf({ engines: [{ url: `http://127.0.0.1:${port}`, name: 'failing' }] });
  await using bridge = await runningBridge({ args: ['--config', file] });
  try {
    await until(async () => (await metric(bridge, /^dtesn_breaker_open\{engine="failing"\} (\d)$/m)) === '1');
    expect(
      Number(await metric(bridge, /^dtesn_source_errors_total\{[^}]*engine="failing"[^}]*\} (\d+)$/m)),
    ).toBeGreaterThan(0);
  } finally {
    server.close();
  }
});

async function readEvents(answer: Response, count: number): Promise<{ origin: string; fields: string[] }[]> {
  const found: { origin: string; fields: string[] }[] = [];
  let text = '';
  for await (const chunk of answer.body!) {
    text += Buffer.from(chunk).toString();
    found.length = 0;
    for (const [, data] of text.matchAll(/^event: config\ndata: (.*)\n\n/gm)) found.push(JSON.parse(data!));
    if (found.length >= count) break;
  }
  return found;
}
