/** The bridge inside of a program: mounted, closed while requests run, and started twice on one address. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Bridge } from '../../../src/bridge/index.js';
import { silentLogger } from '../../../src/bridge/logs/index.js';
import { answersOf, exchange } from '../attack/raw-client.js';
import { runningBridge } from '../running-bridge.js';

type Message = { error?: { code: string } };

const network = { units: 64 };
const quiet = { log: silentLogger, probeListen: null, network };
const json = { 'content-type': 'application/json' };
const post = (url: string, body: object) => fetch(url, { method: 'POST', headers: json, body: JSON.stringify(body) });

const servers: http.Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function urlOf(server: http.Server): Promise<string> {
  servers.push(server);
  if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What keeps a process alive, by kind; sockets of this test's own requests are left out. */
const kinds = ['TCPServerWrap', 'MessagePort', 'PipeWrap', 'FSEvent', 'FSEventWrap', 'StatWatcher', 'Timeout'];
const open = () =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => kinds.includes(kind))
    .sort();

describe('mounted', () => {
  test('in http.createServer it answers requests, sessions and events', async () => {
    await using bridge = await Bridge.start({ ...quiet, listen: [] });
    expect(bridge.urls).toEqual([]);
    const url = await urlOf(http.createServer(bridge.listener).listen(0, '127.0.0.1'));
    expect((await post(`${url}/v1/process`, { text: 'a' })).status).toBe(200);
    expect((await post(`${url}/v1/sessions`, { id: 'a', outputs: [0] })).status).toBe(201);
    const steps = await post(`${url}/v1/sessions/a/steps`, { from: 0, rows: [Array(16).fill(0.5)] });
    expect(await steps.json()).toMatchObject({ offset: 1, durability: 'none' });
    const events = await fetch(`${url}/v1/events`);
    const first = await events.body!.getReader().read();
    expect(Buffer.from(first.value!).toString()).toMatch(/^retry: \d+\n/);
  });

  test('in a Hono application it answers beside its own routes, whole and on connections that stay', async () => {
    // A process of its own: @hono/node-server puts classes of its own in the place of Request and Response.
    const code = `
      import { serve } from '@hono/node-server';
      import { Hono } from 'hono';
      import { Bridge } from 'dtesn/bridge';
      const bridge = await Bridge.start({ listen: [], probeListen: null, logLevel: 'error' });
      const app = new Hono();
      app.get('/own', (context) => context.text('own'));
      app.mount('/', bridge.fetch);
      serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
        console.log('dtesn bridge listening on http://127.0.0.1:' + port);
      });`;
    await using running = await runningBridge({ script: ['--input-type=module', '-e', code] });
    const { url } = running;
    expect(await (await fetch(`${url}/own`)).text()).toBe('own');
    const page = 'GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n';
    const { text, ended } = await exchange(url, `${page}\r\n${page}\r\n${page}Connection: close\r\n\r\n`);
    const answers = answersOf(text);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const { body } of answers) expect(Object.keys(JSON.parse(body))).toContain('paths');
    expect(ended).toBe(true);
    expect((await post(`${url}/v1/process`, { text: 'a' })).status).toBe(200);
    const missing = await fetch(`${url}/missing`);
    expect([missing.status, ((await missing.json()) as Message).error?.code]).toEqual([404, 'not_found']);
    expect(missing.headers.get('x-request-id')).not.toBeNull();
    const foreign = await fetch(`${url}/v1/engines`, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect(foreign.status).toBe(403);
    expect(running.log()).toBe('');
  });
});

test('close while requests run ends each with an answer or a closed connection, and resolves', async () => {
  const bridge = await Bridge.start({ ...quiet, listen: ['127.0.0.1:0'] });
  const [url] = bridge.urls;
  await post(`${url}/v1/sessions`, { id: 'a', outputs: [0] });
  const texts = Array.from({ length: 30 }, (_, i) => post(`${url}/v1/process`, { text: `${i} `.repeat(20_000) }));
  const rows = Array.from({ length: 200 }, () => Array(16).fill(0.1));
  const steps = Array.from({ length: 10 }, (_, i) => post(`${url}/v1/sessions/a/steps`, { from: 200 * i, rows }));
  const events = fetch(`${url}/v1/events`).then((answer) => answer.text());
  const ended = Promise.allSettled([...texts, ...steps, events]);
  await Promise.any([...texts, ...steps]);
  await Promise.all([bridge.close(), bridge.close()]);
  const outcomes = (await ended).slice(0, -1) as PromiseSettledResult<Response>[];
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['fulfilled', 'rejected']));
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') expect([200, 409, 503]).toContain(outcome.value.status);
  }
  await expect(fetch(`${url}/livez`)).rejects.toThrow();
});

test('a second start on an address that is taken rejects with the code of the system and leaves nothing open', async () => {
  await using first = await Bridge.start({ ...quiet, listen: ['127.0.0.1:0'], probeListen: '127.0.0.1:0' });
  const address = new URL(first.urls[0]!).host;
  const failing = () =>
    Bridge.start({ ...quiet, listen: ['127.0.0.1:0', address], probeListen: '127.0.0.1:0' }).then(
      (bridge) => bridge,
      (error) => error,
    );
  expect(await failing()).toMatchObject({ code: 'EADDRINUSE', message: expect.stringContaining(address) });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 300));
  await settle();
  const before = open();
  for (let i = 0; i < 3; i++) expect(await failing()).toMatchObject({ code: 'EADDRINUSE' });
  await settle();
  const after = open();
  for (const kind of kinds) {
    const count = (all: string[]) => all.filter((one) => one === kind).length;
    expect([kind, count(after) <= count(before) + (kind === 'Timeout' ? 2 : 0)]).toEqual([kind, true]);
  }
  expect((await fetch(`${first.urls[0]}/readyz`)).status).toBe(200);
});

test('a probe address that is taken rejects too', async () => {
  await using first = await Bridge.start({ ...quiet, listen: [], probeListen: '127.0.0.1:0' });
  const taken = new URL(first.probeUrl!).host;
  await expect(Bridge.start({ ...quiet, listen: [], probeListen: taken })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
});

test('started and closed twenty times it leaves the same handles and threads', async () => {
  const cycle = async () => {
    const bridge = await Bridge.start({ ...quiet, listen: ['127.0.0.1:0'], probeListen: '127.0.0.1:0' });
    expect((await fetch(`${bridge.urls[0]}/readyz`)).status).toBe(200);
    await bridge.close();
  };
  await cycle();
  const before = open();
  for (let i = 0; i < 20; i++) await cycle();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const after = open();
  for (const kind of kinds.filter((one) => one !== 'Timeout')) {
    const count = (all: string[]) => all.filter((one) => one === kind).length;
    expect([kind, count(after)]).toEqual([kind, Math.min(count(after), count(before))]);
  }
}, 60_000);
