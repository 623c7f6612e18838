/**
 * Engines that are used by their address alone, names that are no names, and engines that come and go.
 *
 * @module-tag slow
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { serveOnIPv6, vllmAnswers, vllmServer } from '../engines/engine-under-test.js';
import { SeenBridge, soon } from './seen-bridge.js';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function server(...args: Parameters<typeof vllmServer>) {
  const started = await vllmServer(...args);
  open.push(() => started.close());
  return started;
}

async function seen(...args: Parameters<typeof SeenBridge.start>) {
  const bridge = await SeenBridge.start(...args);
  open.push(() => bridge[Symbol.asyncDispose]());
  return bridge;
}

/** The bridge uses it: state, kind, model, figures, sources. */
async function isUsed(bridge: SeenBridge, name: string, model: string) {
  await vi.waitFor(async () => {
    const engine = await bridge.engine(name);
    expect(engine).toMatchObject({ kind: 'vllm', model, state: { name: 'busy' }, figures: { running: 2 } });
  }, soon);
  // A source that was late on a busy machine is asked again.
  await vi.waitFor(async () => {
    const { data, failed } = await bridge.context(name);
    expect(failed).not.toContain('performance');
    expect(data.sources.model_config.model_name).toBe(model);
  }, soon);
  expect((await bridge.post('/v1/pick', {})).json).toMatchObject({ engine: name, kind: 'vllm' });
}

describe('an engine is used by its address alone', () => {
  test('a server with names of vLLM on a Unix socket', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'dtesn-socket-'));
    open.push(() => rmSync(folder, { recursive: true, force: true }));
    const socket = path.join(folder, 'vllm.sock');
    await server({ running: 2, model: 'org/on-socket' }, socket);
    await isUsed(await seen([{ url: `unix:${socket}` }]), `unix:${socket}`, 'org/on-socket');
  });

  test('one on localhost that answers on IPv6 alone', async () => {
    const { port, close } = await serveOnIPv6(vllmAnswers({ running: 2, model: 'org/on-six' }).answers);
    open.push(close);
    await isUsed(await seen([{ url: `http://localhost:${port}` }]), `http://localhost:${port}`, 'org/on-six');
  });

  test('each address of a name of the DNS', async () => {
    const { url } = await server({ running: 2, model: 'org/by-name' });
    const { port } = new URL(url);
    const bridge = await seen([], ['--engine', `dns+http://localhost:${port}`]);
    const name = `http://127.0.0.1:${port}`;
    await vi.waitFor(async () => expect((await bridge.engines()).map((one) => one.name)).toContain(name), soon);
    await isUsed(bridge, name, 'org/by-name');
  });
});

test('names that pages and terminals act on are shown as text, and metrics stay clean', async () => {
  const { url } = await server({ running: 1, model: '<img src=x onerror=alert(1)>' });
  const others = await Promise.all(['b', 'c'].map((model) => server({ model })));
  const names = ['<script>alert("1")</script>\\', '\u001b[31mred\u202e', 'x'.repeat(256)];
  const bridge = await seen(names.map((name, i) => ({ name, url: i === 0 ? url : others[i - 1]!.url })));
  const shown = [names[0]!, '\\u{1b}[31mred\\u{202e}', names[2]!];
  for (const name of shown) await bridge.reaches(name, ['ready', 'busy']);
  const response = await bridge.get('/v1/engines');
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  const text = await response.text();
  for (const acting of ['\u001b', '\u202e']) expect(text).not.toContain(acting);
  for (const name of shown) {
    expect((await bridge.metrics())('dtesn_engine_state', { engine: name, state: 'dead' })).toBe(0);
    expect((await bridge.get(`/v1/engines/${encodeURIComponent(name)}/history?seconds=60`)).status).toBe(200);
    await bridge.context(name);
  }
  await bridge.checkMetrics();
  bridge.name([{ name: 'x'.repeat(257), url }]);
  await vi.waitFor(async () => {
    expect((await bridge.metrics())('dtesn_engine_discovery_errors_total', { reason: 'file' })).toBe(1);
  }, soon);
  expect((await bridge.engines()).map(({ name }) => name)).toEqual(shown);
});

test('engines of a file come and go while the bridge runs, and the others keep their history', async () => {
  const [a, b, c] = [await server({ running: 1 }), await server({ running: 1 }), await server({ running: 1 })];
  const bridge = await seen([
    { name: 'a', url: a.url },
    { name: 'b', url: b.url },
  ]);
  for (const name of ['a', 'b']) await bridge.reaches(name, ['busy']);
  const { since } = (await bridge.engine('b')).state;
  bridge.name([
    { name: 'b', url: b.url },
    { name: 'c', url: c.url },
  ]);
  await bridge.reaches('c', ['busy']);
  expect((await bridge.engines()).map(({ name }) => name)).toEqual(['b', 'c']);
  const sinceNow = (await bridge.engine('b')).state.since;
  expect(Math.abs(Date.parse(sinceNow) - Date.parse(since))).toBeLessThan(100);
  await vi.waitFor(async () => {
    expect(bridge.eventsOf('a').map(({ type }) => type)).toContain('removed');
    expect((await bridge.metrics())('dtesn_engine_state', { engine: 'a', state: 'busy' })).toBeUndefined();
  }, soon);
  expect(bridge.eventsOf('c').map(({ type }) => type)[0]).toBe('added');
  await bridge.checkMetrics();
});

test('what is known of the first engine is not served for the one that takes its place', async () => {
  const [a, b] = [await server({ model: 'org/old', running: 1 }), await server({ model: 'org/new', running: 2 })];
  const bridge = await seen([
    { name: 'old', url: a.url },
    { name: 'new', url: b.url },
  ]);
  for (const name of ['old', 'new']) await bridge.reaches(name, ['busy']);
  const told = async (name?: string) => (await bridge.context(name)).data.sources.model_config.model_name;
  await vi.waitFor(async () => {
    expect([await told(), await told('old'), await told('new')]).toEqual(['org/old', 'org/old', 'org/new']);
  }, soon);
  bridge.name([{ name: 'new', url: b.url }]);
  await vi.waitFor(async () => expect(await bridge.engines()).toHaveLength(1), soon);
  expect(JSON.stringify((await bridge.context()).context)).not.toContain('org/old');
  await vi.waitFor(async () => {
    const { data } = await bridge.context();
    expect(data.sources.model_config.model_name).toBe('org/new');
    expect(data.sources.performance.running).toBe(2);
  }, soon);
  expect((await bridge.get('/v1/context?engine=old')).status).toBe(404);
  const { json } = await bridge.post('/v1/process', { text: 'with the new one' });
  expect(json.engine.label).toBe(b.url);
  expect(JSON.stringify(json)).not.toContain('org/old');
});
