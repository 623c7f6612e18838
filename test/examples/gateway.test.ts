/** The gateway of examples/, run before three simulated engines: what its clients get with a bridge, and without one. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { EngineItem } from '../../src/bridge/engines/index.js';
import { EngineSimulator } from '../../src/simulator/index.js';
import { type RunningBridge, runningBridge } from '../bridge/running-bridge.js';

const root = path.resolve(import.meta.dirname, '../..');
const engines: EngineSimulator[] = [];
const gateways: ChildProcess[] = [];
let bridge: RunningBridge;

async function gateway(address: string): Promise<string> {
  const urls = engines.map(({ url }) => url);
  const env = { ...process.env, BRIDGE_BUDGET_MS: '10000' };
  const child = spawn(process.execPath, [path.join(root, 'examples/gateway.mjs'), address, '0', ...urls], { env });
  gateways.push(child);
  let printed = '';
  child.stderr.on('data', (part) => (printed += part));
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (part) => {
      printed += part;
      const [url] = /http:\S+/.exec(printed) ?? [];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', () => reject(new Error(printed)));
  });
}

function ask(url: string, promptTokens: number, headers: Record<string, string> = {}, more: object = {}) {
  const prompt = new Array(promptTokens).fill(97);
  return fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ prompt, max_tokens: 4, ignore_eos: true, stream: true, ...more }),
  });
}

const tokensOf = (body: string) => body.split('"text":').length - 1;

beforeAll(async () => {
  for (const [seed, speed] of [20, 20, 10].entries()) {
    engines.push(await EngineSimulator.start({ seed, speed, load: 1e-6 }));
  }
  const args = engines.flatMap(({ url }) => ['--engine', url]);
  bridge = await runningBridge({ args, env: { DTESN_BRIDGE_OUTLOOK_ADMISSION: 'active' } });
  await vi.waitFor(
    async () => {
      const { items } = (await (await fetch(`${bridge.url}/v1/engines`)).json()) as { items: EngineItem[] };
      for (const { state } of items) expect(['ready', 'busy']).toContain(state.name);
    },
    { timeout: 30_000, interval: 100 },
  );
}, 90_000);
afterAll(async () => {
  for (const child of gateways) child.kill('SIGKILL');
  await bridge?.[Symbol.asyncDispose]();
  for (const engine of engines) await engine.close();
});

interface Outlook {
  items: { engine: string; tickets: number; ttft: { ms: number } }[];
  admission: { asked: number; refused: number };
  skill: { outcomes: number };
}
const outlook = async () => (await (await fetch(`${bridge.url}/v1/outlook`)).json()) as Outlook;

describe('the gateway', { tags: ['slow'] }, () => {
  test('streams the answers of engines, and the bridge hears of each request', async () => {
    const url = await gateway(bridge.url);
    const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => ask(url, 50 + i)));
    expect(answers.map(({ status }) => status)).toEqual(new Array(6).fill(200));
    for (const answer of answers) expect(tokensOf(await answer.text())).toBe(4);
    await vi.waitFor(
      async () => {
        const { items, skill } = await outlook();
        expect(items.map(({ tickets }) => tickets)).toEqual([0, 0, 0]);
        expect(skill.outcomes).toBe(6);
      },
      { timeout: 10_000 },
    );
  }, 60_000);

  test('refuses with 429 and Retry-After what would come too late, and takes what would not', async () => {
    const url = await gateway(bridge.url);
    const slow = await ask(url, 500, { 'x-llm-d-slo-ttft-ms': '0.001' });
    expect(slow.status).toBe(429);
    expect(Number(slow.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await slow.text()).toMatch(/the first token is expected in \d+ ms/);
    const fast = await ask(url, 500, { 'x-llm-d-slo-ttft-ms': '60000' });
    expect(fast.status).toBe(200);
    expect(tokensOf(await fast.text())).toBe(4);
    expect((await outlook()).admission).toMatchObject({ asked: 2, refused: 1 });
  }, 60_000);

  test('takes its engines in turn while no bridge answers', async () => {
    const url = await gateway('http://127.0.0.1:9');
    const answers = await Promise.all([1, 2, 3].map(() => ask(url, 20, { 'x-llm-d-slo-ttft-ms': '0.001' })));
    for (const answer of answers) expect(tokensOf(await answer.text())).toBe(4);
  }, 60_000);

  test('passes on what an engine refuses, and ends its ticket', async () => {
    const url = await gateway(bridge.url);
    const answer = await ask(url, 20, {}, { n: 3 });
    expect(answer.status).toBe(501);
    await answer.text();
    await vi.waitFor(async () => expect((await outlook()).items.every(({ tickets }) => tickets === 0)).toBe(true), {
      timeout: 10_000,
    });
  }, 60_000);
});
