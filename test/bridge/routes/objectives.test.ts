/** Objectives of requests, of the running command over a socket: headers and fields of a pick, priorities of the queue. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { EngineItem } from '../../../src/bridge/engines/index.js';
import { type Answer, serveEngine, text } from '../../faults/engine-server.js';
import { metricsText, vllmAnswers } from '../engines/engine-under-test.js';
import { type RunningBridge, runningBridge } from '../running-bridge.js';

/** An engine whose requests have their first token and their further tokens within the bounds of one bucket. */
async function engineWith({ running, bucket }: { running: number; bucket: number }) {
  const { figures, answers } = vllmAnswers({ running });
  let requests = 0;
  const metrics: Answer = (...args) => {
    figures.tokens += 10;
    requests += 5;
    const histograms = ['vllm:time_to_first_token_seconds', 'vllm:inter_token_latency_seconds'].map((name) =>
      [
        `# TYPE ${name} histogram`,
        ...[0.01, 0.1, 1, 10].map((le) => `${name}_bucket{engine="0",le="${le}"} ${le < bucket ? 0 : requests}`),
        `${name}_bucket{engine="0",le="+Inf"} ${requests}`,
        `${name}_sum{engine="0"} ${requests * bucket}`,
        `${name}_count{engine="0"} ${requests}`,
      ].join('\n'),
    );
    text(`${metricsText(figures)}${histograms.join('\n')}\n`)(...args);
  };
  return serveEngine({ ...answers, '/metrics': metrics });
}

let slow: Awaited<ReturnType<typeof engineWith>>;
let fast: Awaited<ReturnType<typeof engineWith>>;
let bridge: RunningBridge;
beforeAll(async () => {
  // Without objectives the slow one costs less: nothing runs on it.
  [slow, fast] = [await engineWith({ running: 0, bucket: 10 }), await engineWith({ running: 20, bucket: 0.1 })];
  bridge = await runningBridge({ args: ['--engine', slow.url, '--engine', fast.url] });
  const known = async () => {
    const { items } = (await (await fetch(`${bridge.url}/v1/engines`)).json()) as { items: EngineItem[] };
    for (const { rates } of items) expect(rates?.interTokenSeconds?.p90).toBeGreaterThan(0);
  };
  await vi.waitFor(known, { timeout: 20_000, interval: 100 });
}, 60_000);
afterAll(async () => {
  await bridge?.[Symbol.asyncDispose]();
  await slow?.close();
  await fast?.close();
});

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${bridge.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: tests compare what comes
  return { status: response.status, json: (await response.json()) as any };
}

describe('a pick', () => {
  test('without objectives says what is expected, and takes the engine that costs less', async () => {
    const { json } = await post('/v1/pick', {});
    expect(json).toMatchObject({ engine: slow.url, meetsSlo: null });
    expect(json.expected.ttftSeconds).toBeCloseTo(9.1, 6);
    expect(json.expected.interTokenSeconds).toBeCloseTo(9.1, 6);
  });

  test.each([
    ['time to first token', 'ttft', 'sloTtftMs'],
    ['time between tokens', 'tpot', 'sloTpotMs'],
  ])('with an objective for the %s passes over the engine that misses it', async (_, name, field) => {
    const byHeader = await post('/v1/pick', {}, { [`x-llm-d-slo-${name}-ms`]: '500' });
    expect(byHeader.json).toMatchObject({ engine: fast.url, meetsSlo: true });
    expect(byHeader.json.reason).toContain('meets the objectives');
    expect((await post('/v1/pick', { [field]: 500 })).json).toMatchObject({ engine: fast.url, meetsSlo: true });
  });

  test('with an objective that all meet takes the engine that costs less', async () => {
    const { json } = await post('/v1/pick', { sloTtftMs: 20_000, sloTpotMs: 20_000.5 });
    expect(json).toMatchObject({ engine: slow.url, meetsSlo: true });
  });

  test('takes the field of the body before the header', async () => {
    const { json } = await post('/v1/pick', { sloTtftMs: 20_000 }, { 'x-llm-d-slo-ttft-ms': '500' });
    expect(json).toMatchObject({ engine: slow.url, meetsSlo: true });
  });

  test('with an objective that none meets names an engine nevertheless, and says so', async () => {
    const { status, json } = await post('/v1/pick', { sloTtftMs: 1 });
    expect([status, json.meetsSlo]).toEqual([200, false]);
    expect(json.reason).toContain('misses the objectives');
  });

  test.each(['0', '-5', 'soon', '1e3', '', 'Infinity'])('refuses the objective %j', async (value) => {
    const { status, json } = await post('/v1/pick', {}, { 'x-llm-d-slo-ttft-ms': value });
    expect([status, json.error.code]).toEqual([400, 'malformed']);
  });

  test.each([{ sloTtftMs: 0 }, { sloTpotMs: '5' }, { sloTpotMs: null }])('refuses the field %j', async (body) => {
    expect((await post('/v1/pick', body)).status).toBe(400);
  });
});

describe('x-llm-d-inference-objective', () => {
  const begun = async (priority: string): Promise<number> => {
    const page = await (await fetch(`${bridge.url}/metrics`)).text();
    const [, count = '0'] =
      new RegExp(`^dtesn_queue_wait_seconds_count\\{priority="${priority}"\\} (\\d+)$`, 'm').exec(page) ?? [];
    return Number(count);
  };

  test.each([
    ['-1', '', 'low'],
    ['7', '', 'high'],
    ['0', '', 'normal'],
    ['premium-traffic', '', 'normal'],
    ['-1', '?priority=high', 'high'],
  ])('%s gives a request with the query "%s" the priority %s', async (objective, query, priority) => {
    for (const [path, body] of [
      ['/v1/process', { tokens: [1, 2] }],
      ['/v1/process/batch', { inputs: [{ tokens: [1, 2] }] }],
    ] as const) {
      const before = await begun(priority);
      const { status } = await post(`${path}${query}`, body, { 'x-llm-d-inference-objective': objective });
      expect([path, status, await begun(priority)]).toEqual([path, 200, before + 1]);
    }
  });

  test('gives its priority to a stream', async () => {
    const before = await begun('low');
    const response = await fetch(`${bridge.url}/v1/process/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-llm-d-inference-objective': '-2' },
      body: JSON.stringify({ tokens: [1, 2, 3] }),
    });
    await response.text();
    expect([response.status, await begun('low')]).toEqual([200, before + 1]);
  });

  test.each(['--1', '1 2', 'A b', '-x'])('is refused with 400 as %j, by a pick too', async (objective) => {
    const headers = { 'x-llm-d-inference-objective': objective };
    expect((await post('/v1/process', { tokens: [1] }, headers)).status).toBe(400);
    expect((await post('/v1/pick', {}, headers)).status).toBe(400);
  });
});
