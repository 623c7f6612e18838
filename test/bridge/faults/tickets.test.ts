/**
 * What callers say of their requests, through the running bridge: a hang with frozen gauges, first tokens, loads of answers.
 *
 * @module-tag slow
 */
import http from 'node:http';
import { afterEach, expect, test, vi } from 'vitest';
import { vllmServer } from '../engines/engine-under-test.js';
import { SeenBridge, soon } from './seen-bridge.js';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function started(...names: string[]) {
  const servers = await Promise.all(names.map(() => vllmServer({ running: 0, kvUsage: 0.1 })));
  const bridge = await SeenBridge.start(names.map((name, i) => ({ name, url: servers[i]!.url })));
  open.push(...servers.map((server) => () => server.close()), () => bridge[Symbol.asyncDispose]());
  for (const name of names) await bridge.reaches(name, ['ready']);
  return { servers, bridge };
}

/** A request of another caller: one at another address of the loopback network. */
function postFrom(localAddress: string, url: string, body: object): Promise<{ ticket: string; known: boolean }> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', localAddress, headers: { 'content-type': 'application/json' } };
    const request = http.request(url, options, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      if (response.statusCode === 200) resolve(JSON.parse(text));
      else reject(new Error(text));
    });
    request.on('error', reject).end(JSON.stringify(body));
  });
}

test('two callers that wait convict an engine whose gauges are frozen at 0, one caller alone does not', async () => {
  const { bridge } = await started('frozen', 'other');
  const dispatch = (from: string, ticket: string) =>
    postFrom(from, `${bridge.url}/v1/dispatch`, { engine: 'frozen', promptTokens: 10, session: 's', ticket });
  for (const i of [1, 2, 3]) expect(await dispatch('127.0.0.1', `one-${i}`)).toEqual({ ticket: `one-${i}` });
  expect(await dispatch('127.0.0.1', 'one-1')).toEqual({ ticket: 'one-1' });
  await new Promise((resolve) => setTimeout(resolve, 6000)); // more than the law waits
  expect(await bridge.engine('frozen')).toMatchObject({ state: { name: 'ready' }, tickets: 3 });
  expect((await bridge.metrics())('dtesn_tickets', { engine: 'frozen' })).toBe(3);
  await dispatch('127.0.0.2', 'two-1');
  const { state } = await bridge.reaches('frozen', ['hung']);
  expect(state.evidence.join()).toMatch(/4 requests/);
  for (let i = 0; i < 10; i++) expect((await bridge.post('/v1/pick', { session: `s${i}` })).json.engine).toBe('other');
  expect(bridge.eventsOf('frozen').map(({ type }) => type)).toContain('drained');

  const first = () => postFrom('127.0.0.1', `${bridge.url}/v1/first-token`, { ticket: 'one-1' });
  expect([await first(), await first()]).toEqual([{ known: true }, { known: true }]);
  for (const [from, ticket] of [...[1, 2, 3].map((i) => ['127.0.0.1', `one-${i}`]), ['127.0.0.2', 'two-1']]) {
    const finish = { ticket, outcome: 'aborted', generatedTokens: 7 };
    for (const _ of ['once', 'and again']) {
      expect(await postFrom(from!, `${bridge.url}/v1/finish`, finish)).toEqual({ known: true });
    }
  }
  expect((await bridge.post('/v1/finish', { ticket: 'none', outcome: 'ok' })).json).toEqual({ known: false });
  // A first token came while nothing was counted: the engine works, and its metrics stand still.
  const { state: after } = await bridge.reaches('frozen', ['frozen']);
  expect(after.evidence.join()).toMatch(/the caller had 1 answer/);
  const metric = await bridge.metrics();
  expect(metric('dtesn_tickets', { engine: 'frozen' })).toBe(0);
  expect(metric('dtesn_tickets_finished_total', { engine: 'frozen', outcome: 'aborted' })).toBe(4);
  expect(metric('dtesn_reported_tokens_total', { engine: 'frozen' })).toBe(28);
  await bridge.checkMetrics();
});

test.each([
  ['text', 'TEXT named_metrics.kv_cache_usage_perc=0.99, named_metrics.num_requests_waiting=40'],
  ['JSON', 'JSON {"named_metrics": {"kv_cache_usage_perc": 0.99, "num_requests_waiting": 40}}'],
  ['an object', { kv_cache_usage_perc: 0.99, num_requests_waiting: 40 }],
])('the load that an answer brought as %s counts until the next scrape', async (_, orca) => {
  const { bridge, servers } = await started('loaded', 'idle');
  servers[1]!.figures.kvUsage = 0.5; // so that the other one is picked until then
  await vi.waitFor(async () => expect((await bridge.engine('idle')).figures?.['kvUsageMax']).toBe(0.5), soon);
  let turn = 0;
  await vi.waitFor(async () => {
    const ticket = `t-${turn++}`;
    await bridge.post('/v1/dispatch', { engine: 'loaded', ticket });
    await bridge.post('/v1/finish', { ticket, outcome: 'ok', orca });
    expect((await bridge.post('/v1/pick', {})).json.engine).toBe('idle');
  }, soon);
  await vi.waitFor(async () => expect((await bridge.post('/v1/pick', {})).json.engine).toBe('loaded'), soon);
});
