/** Admission, the pick by what is queued, and what is expected of each engine, over HTTP. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { BridgeOptions } from '../../../src/bridge/index.js';
import { temporaryFolder, vllmServer } from '../engines/engine-under-test.js';
import { mounted } from './mounted.js';

const open: { close(): Promise<unknown> }[] = [];
afterAll(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests compare what comes
  json: any;
}

class Caller {
  constructor(readonly url: string) {}

  async post(path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, json: await response.json() };
  }

  async get(path: string): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`);
    return { status: response.status, json: await response.json() };
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.url}/metrics`)).text();
  }
}

async function bridgeOf(names: string[], options: BridgeOptions = {}): Promise<Caller> {
  const servers = await Promise.all(names.map(() => vllmServer()));
  open.push(...servers);
  const engines = servers.map(({ url }, i) => ({ url, name: names[i]! }));
  const made = await mounted({ engines, ...options });
  open.push({ close: async () => made[Symbol.asyncDispose]() });
  const caller = new Caller(made.url);
  await vi.waitFor(
    async () => {
      const { json } = await caller.get('/v1/engines');
      for (const { state } of json.items) expect(state.name).toBe('ready');
    },
    { timeout: 20_000, interval: 50 },
  );
  return caller;
}

describe('a bridge whose callers report their requests', () => {
  let bridge: Caller;
  beforeAll(async () => {
    bridge = await bridgeOf(['a', 'b']);
  }, 60_000);

  test('expects the first token later of an engine with more queued prompts, and picks the other', async () => {
    for (let i = 0; i < 10; i++) {
      await bridge.post('/v1/dispatch', { engine: 'a', promptTokens: 4000, ticket: `queued-${i}` });
    }
    const { json } = await bridge.get('/v1/outlook?promptTokens=500');
    const [a, b] = json.items;
    expect(a).toMatchObject({ engine: 'a', promptTokens: 500, tickets: 10, ticketPromptTokens: 40_000 });
    expect(a.ttft.ms).toBeGreaterThan(b.ttft.ms + 1000);
    const picked = await bridge.post('/v1/pick', { promptTokens: 500 });
    expect(picked.json).toMatchObject({ engine: 'b', rule: 'cheapest', ttft: { samples: 0 } });
    expect(picked.json.reason).toMatch(/first token expected in \d+ ms/);
    const admitted = await bridge.post('/v1/admit', { promptTokens: 500, ttftSloMs: 2000 });
    expect(admitted.json).toMatchObject({ admitted: true, mode: 'advisory', engine: 'b', withheld: null });
  });

  test('counts a repeated dispatch once, and a request no more when it ended', async () => {
    await bridge.post('/v1/dispatch', { engine: 'a', promptTokens: 4000, ticket: 'queued-0' });
    const before = (await bridge.get('/v1/outlook')).json.items[0];
    expect(before.ticketPromptTokens).toBe(40_000);
    for (let i = 0; i < 9; i++) await bridge.post('/v1/finish', { ticket: `queued-${i}`, outcome: 'aborted' });
    const after = (await bridge.get('/v1/outlook?promptTokens=500')).json.items[0];
    expect(after.ttft.ms).toBeLessThan(before.ttft.ms);
  });

  test('compares what it predicted with what came, on its metrics page and in its skill', async () => {
    await bridge.post('/v1/first-token', { ticket: 'queued-9' });
    await bridge.post('/v1/first-token', { ticket: 'queued-9' });
    await bridge.post('/v1/finish', { ticket: 'queued-9', outcome: 'ok', generatedTokens: 7 });
    const text = await bridge.metrics();
    for (const name of ['observed', 'predicted']) {
      expect(text).toContain(`dtesn_${name}_ttft_seconds_count{engine="a"} 1\n`);
    }
    expect(text).toMatch(/^dtesn_ttft_log_error\{engine="a",rule="outlook"\} \d/m);
    expect(text).toMatch(/^dtesn_ttft_coverage_ratio\{engine="a"\} [01]$/m);
    expect(text).toMatch(/^dtesn_admissions_total\{result="admitted"\} 1$/m);
    const { json } = await bridge.get('/v1/outlook');
    expect(json.skill).toMatchObject({ outcomes: 1, judged: 0 });
    expect(json.items[0].skill).toMatchObject({ outcomes: 1 });
    expect(json.items[1].skill).toMatchObject({ outcomes: 0, coverage: null });
    expect(json.admission).toEqual({ mode: 'advisory', asked: 1, refused: 0, withheld: { advisory: 0, skill: 0 } });
  });

  test('holds an objective of a pick against the prediction for that request', async () => {
    const { json } = await bridge.post('/v1/pick', { promptTokens: 500, sloTtftMs: 0.001 });
    expect(json).toMatchObject({ meetsSlo: false, reason: expect.stringContaining('misses the objectives') });
    expect(json.expected.ttftSeconds).toBeGreaterThan(0);
  });
});

test('a bridge hints how many engines to have, and says what is not known yet', async () => {
  const bridge = await bridgeOf(['a']);
  const { json } = await bridge.get('/v1/scale-hint?startupSeconds=30');
  expect(json).toMatchObject({ replicas: null, engines: 1, unknown: expect.arrayContaining(['capacity']) });
  expect(json.horizons.map(({ horizonSeconds }: { horizonSeconds: number }) => horizonSeconds)).toEqual([
    10, 60, 300, 600,
  ]);
  expect(await bridge.metrics()).toMatch(/^dtesn_desired_replicas NaN$/m);
  expect((await bridge.get('/v1/scale-hint?targetUse=2')).status).toBe(400);
});

describe('admission', () => {
  let bridge: Caller;
  beforeAll(async () => {
    bridge = await bridgeOf(['a'], { outlook: { admission: 'active' } });
    await bridge.post('/v1/dispatch', { engine: 'a', promptTokens: 200_000, ticket: 'long' });
  }, 60_000);

  test('refuses with 200, a reason and the time after which to ask again', async () => {
    const { status, json } = await bridge.post('/v1/admit', { promptTokens: 500, ttftSloMs: 1000 });
    expect(status).toBe(200);
    expect(json).toEqual({
      admitted: false,
      mode: 'active',
      retryAfterMs: expect.any(Number),
      reason: expect.stringMatching(/^the first token is expected in \d+ ms/),
    });
    expect(json.retryAfterMs).toBeGreaterThan(1000);
    expect(await bridge.metrics()).toMatch(/^dtesn_admissions_total\{result="refused"\} 1$/m);
  });

  test('takes objective and priority from the headers of llm-d routers, and a field over its header', async () => {
    const { json: outlook } = await bridge.get('/v1/outlook?promptTokens=500');
    const slo = Math.ceil(outlook.items[0].ttft.ms * 1.4);
    const objective = { 'x-llm-d-slo-ttft-ms': String(slo) };
    const ask = (headers: Record<string, string>, body = {}) =>
      bridge.post('/v1/admit', { promptTokens: 500, ...body }, headers);
    expect((await ask({ ...objective, 'x-llm-d-inference-objective': '-1' })).json.admitted).toBe(false);
    expect((await ask({ 'x-llm-d-slo-ttft-ms': '1' }, { ttftSloMs: slo })).json.admitted).toBe(true);
    expect((await ask({}, { sloTtftMs: 1 })).json.admitted).toBe(false);
  });

  test.each<[string, object, Record<string, string>, string]>([
    ['no objective', { promptTokens: 5 }, {}, 'malformed'],
    ['no prompt', { ttftSloMs: 1000 }, {}, 'malformed'],
    ['an unknown field', { promptTokens: 5, ttftSloMs: 1000, engine: 'a' }, {}, 'unknown_field'],
    ['an objective of 0', { promptTokens: 5, ttftSloMs: 0 }, {}, 'malformed'],
    [
      'a priority that is none',
      { promptTokens: 5 },
      { 'x-llm-d-slo-ttft-ms': '9', 'x-llm-d-inference-objective': '!' },
      'malformed',
    ],
  ])('is refused as a question: %s', async (_, body, headers, code) => {
    const { status, json } = await bridge.post('/v1/admit', body, headers);
    expect([status, json.error.code]).toEqual([400, code]);
  });

  test('is 503 where no engine can serve', async () => {
    const none = await mounted({ engines: ['http://127.0.0.1:9'] });
    open.push({ close: async () => none[Symbol.asyncDispose]() });
    const { status, json } = await new Caller(none.url).post('/v1/admit', { promptTokens: 5, ttftSloMs: 1000 });
    expect([status, json.error.code]).toEqual([503, 'no_engine']);
  });
});

test('a change of the configuration switches admission on and off', async () => {
  const token = 'a-token-of-the-administrator-0123456789';
  const adminTokenFile = path.join(temporaryFolder(open), 'admin');
  writeFileSync(adminTokenFile, token, { mode: 0o600 });
  const bridge = await bridgeOf(['a'], { adminTokenFile });
  await bridge.post('/v1/dispatch', { engine: 'a', promptTokens: 200_000 });
  const ask = async () => (await bridge.post('/v1/admit', { promptTokens: 500, ttftSloMs: 1000 })).json;
  const change = (admission: string) =>
    bridge.post('/v1/config', { changes: { 'outlook.admission': admission } }, { authorization: `Bearer ${token}` });
  expect(await ask()).toMatchObject({ admitted: true, withheld: { why: 'advisory' } });
  expect(await bridge.metrics()).toMatch(/^dtesn_admissions_total\{result="withheld_advisory"\} 1$/m);
  expect(await change('active')).toMatchObject({ status: 200 });
  expect(await ask()).toMatchObject({ admitted: false, mode: 'active' });
  expect(await change('advisory')).toMatchObject({ status: 200 });
  expect(await ask()).toMatchObject({ admitted: true, mode: 'advisory' });
  expect(await change('off')).toMatchObject({ status: 400 });
}, 60_000);

test('a bridge that closes while it is asked answers or says that it drains', async () => {
  const server = await vllmServer();
  open.push(server);
  const made = await mounted({ engines: [{ url: server.url, name: 'a' }] });
  const caller = new Caller(made.url);
  const ask = () => caller.post('/v1/admit', { promptTokens: 5, ttftSloMs: 1000 });
  await vi.waitFor(async () => expect((await ask()).status).toBe(200), { timeout: 20_000 });
  const before = Array.from({ length: 20 }, ask);
  const closing = made.bridge.close();
  const during = Array.from({ length: 20 }, ask);
  const answers = await Promise.all([...before, ...during]);
  await closing;
  const after = await ask();
  for (const { status, json } of [...answers, after]) {
    expect(status === 200 ? json.admitted : json.error.code).toBe(status === 200 ? true : 'draining');
  }
  expect(after.status).toBe(503);
  await made[Symbol.asyncDispose]();
}, 60_000);
