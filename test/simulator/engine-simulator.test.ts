import { afterEach, describe, expect, test } from 'vitest';
import { EngineSimulator, type EngineSimulatorOptions } from '../../src/simulator/index.js';
import { sampleOf } from './metrics-reader.js';

const open: EngineSimulator[] = [];
afterEach(async () => {
  for (const simulator of open.splice(0)) await simulator.close();
});

/** Wholly virtual time unless said otherwise: a test is the same every time. */
async function started(options: EngineSimulatorOptions = {}): Promise<EngineSimulator> {
  const simulator = await EngineSimulator.start({ speed: 0, load: 0.3, ...options });
  open.push(simulator);
  return simulator;
}

const post = (url: string, body: unknown = {}, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

describe('time', () => {
  test('time at speed 0 moves by advanceTo only, and never back', async () => {
    const simulator = await started();
    await simulator.advanceTo(30);
    await simulator.advanceTo(10);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(simulator.time).toBe(30);
  });

  test('time at speed 100 runs by itself: a virtual second takes ten milliseconds', async () => {
    const simulator = await started({ speed: 100 });
    const before = simulator.time;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(simulator.time - before).toBeGreaterThan(4);
  });

  test('equal seeds give equal bodies, different seeds different ones', async () => {
    const bodies = await Promise.all(
      [7, 7, 8].map(async (seed) => {
        const simulator = await started({ seed, startSeconds: 1_795_000_000 });
        await simulator.advanceTo(100);
        return (await fetch(`${simulator.url}/metrics`)).text();
      }),
    );
    expect(bodies[0]).toBe(bodies[1]);
    expect(bodies[0]).not.toBe(bodies[2]);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('advanceTo(%d) is refused', async (seconds) => {
    await expect((await started()).advanceTo(seconds)).rejects.toThrow(/virtual seconds, 0 or more, for seconds/);
  });
});

describe('the routes', () => {
  test('/v1/models has one card: `created` follows virtual time, the permission id is new in each answer', async () => {
    const simulator = await started({ startSeconds: 1_795_000_000 });
    const card = async () => {
      const { data } = (await (await fetch(`${simulator.url}/v1/models`)).json()) as {
        data: Record<string, unknown>[];
      };
      expect(data.length).toBe(1);
      return data[0] as { created: number; permission: { id: string }[] };
    };
    const first = await card();
    expect(first).toMatchObject({
      id: 'dtesn/simulated-byte-8k',
      object: 'model',
      owned_by: 'aphrodite',
      max_model_len: 8192,
      created: 1_795_000_000,
    });
    await simulator.advanceTo(60);
    const second = await card();
    expect(second.created).toBe(1_795_000_060);
    expect(second.permission[0]!.id).not.toBe(first.permission[0]!.id);
  });

  test('/health and /ping answer 200 with an empty body', async () => {
    const { url } = await started();
    for (const [path, method] of [
      ['/health', 'GET'],
      ['/ping', 'GET'],
      ['/ping', 'POST'],
    ] as const) {
      const response = await fetch(url + path, { method });
      expect([response.status, await response.text()]).toEqual([200, '']);
    }
  });

  test.each(['/no-such-path', '//', '/constructor', '/v1/'])('%s is answered with 404 and a detail', async (path) => {
    const response = await fetch((await started()).url + path);
    expect([response.status, await response.json()]).toEqual([404, { detail: 'Not Found' }]);
  });

  test('/load is 0 unless load tracking is on', async () => {
    const load = async ({ url }: EngineSimulator) => (await (await fetch(`${url}/load`)).json()) as unknown;
    const [plain, tracking] = [await started({ load: 1.5 }), await started({ load: 1.5, loadTracking: true })];
    for (const simulator of [plain, tracking]) await simulator.advanceTo(60);
    const { running, waiting } = tracking.simulation;
    expect(running).toBeGreaterThan(0);
    expect(await load(plain)).toEqual({ server_load: 0 });
    expect(await load(tracking)).toEqual({ server_load: running + waiting });
  });

  test('/is_scaling_elastic_ep answers POST only', async () => {
    const { url } = await started();
    expect((await fetch(`${url}/is_scaling_elastic_ep`)).status).toBe(405);
    expect(await (await post(`${url}/is_scaling_elastic_ep`)).json()).toEqual({ is_scaling_elastic_ep: false });
  });

  test('the dev-mode routes do not exist outside dev mode', async () => {
    const { url } = await started();
    expect((await fetch(`${url}/is_sleeping`)).status).toBe(404);
    expect((await post(`${url}/sleep`)).status).toBe(404);
    expect((await post(`${url}/wake_up`)).status).toBe(404);
  });

  test('in dev mode /sleep ends running requests and sets the gauge, and /wake_up resets it', async () => {
    const simulator = await started({ devMode: true, load: 1 });
    const { url } = simulator;
    const sleeping = async () => (await fetch(`${url}/is_sleeping`)).json();
    await simulator.advanceTo(30);
    expect(await sleeping()).toEqual({ is_sleeping: false });
    expect((await post(`${url}/sleep?level=2`)).status).toBe(200);
    expect(await sleeping()).toEqual({ is_sleeping: true });
    expect(sampleOf(simulator.metrics, 'aphrodite:engine_sleep_state', { sleep_state: 'discard_all' })).toBe(1);
    expect(simulator.simulation.running).toBe(0);
    await simulator.advanceTo(40);
    expect(simulator.simulation.running).toBe(0);
    expect(simulator.simulation.waiting).toBeGreaterThan(0);
    expect((await post(`${url}/wake_up`)).status).toBe(200);
    expect(await sleeping()).toEqual({ is_sleeping: false });
    expect(simulator.simulation.running).toBeGreaterThan(0);
    expect((await post(`${url}/sleep?level=3`)).status).toBe(400);
  });

  test('/sleep with mode wait serves running requests and admits none, with mode keep it suspends them', async () => {
    const simulator = await started({ devMode: true, load: 1 });
    await simulator.advanceTo(30);
    const { running } = simulator.simulation;
    await post(`${simulator.url}/sleep?mode=keep`);
    await simulator.advanceTo(40);
    expect(simulator.simulation.running).toBeGreaterThan(0);
    expect(simulator.simulation.running).toBeLessThanOrEqual(running);
    const held = simulator.simulation.heldBlocks;
    await simulator.advanceTo(50);
    expect(simulator.simulation.heldBlocks).toBe(held);
    await post(`${simulator.url}/wake_up`);
    const { stop, length } = simulator.simulation.engines[0]!.statistics.finished;
    const atWork = simulator.simulation.running;
    await post(`${simulator.url}/sleep?mode=wait`);
    await simulator.advanceTo(200);
    const after = simulator.simulation.engines[0]!.statistics.finished;
    expect(simulator.simulation.running).toBe(0);
    // One client in a hundred leaves by itself.
    expect(after.stop + after.length - stop - length).toBeGreaterThan(0.9 * atWork);
    expect(after.stop + after.length - stop - length).toBeLessThanOrEqual(atWork);
  });
});

describe('an API key', () => {
  test('the API key guards the paths below /v1 only, and its error is a string', async () => {
    const { url } = await started({ apiKey: 'secret' });
    const refused = await fetch(`${url}/v1/models`);
    expect([refused.status, await refused.json()]).toEqual([401, { error: 'Unauthorized' }]);
    expect((await post(`${url}/v1/tokenize`, { prompt: 'x' })).status).toBe(401);
    expect((await post(`${url}/tokenize`, { prompt: 'x' })).status).toBe(200);
    for (const path of ['/metrics', '/health', '/version', '/load']) expect((await fetch(url + path)).status).toBe(200);
  });

  test.each([
    ['Bearer secret', 200],
    ['bEARER secret', 200],
    ['Bearer Secret', 401],
    ['Basic secret', 401],
    ['secret', 401],
  ])('the authorization %j is answered with %i', async (authorization, status) => {
    const { url } = await started({ apiKey: 'secret' });
    expect((await fetch(`${url}/v1/models`, { headers: { authorization } })).status).toBe(status);
  });

  test('OPTIONS is never guarded', async () => {
    const { url } = await started({ apiKey: 'secret' });
    expect((await fetch(`${url}/v1/models`, { method: 'OPTIONS' })).status).toBe(405);
  });
});

describe('several engines', () => {
  test('several engines have a series each in every family, and share the requests', async () => {
    const simulator = await started({ engines: 3, load: 0.8 });
    await simulator.advanceTo(120);
    const text = await (await fetch(`${simulator.url}/metrics`)).text();
    const { engines } = simulator.simulation;
    const served = engines.map((core, rank) => {
      const labels = { engine: String(rank) };
      expect(sampleOf(text, 'aphrodite:num_requests_running', labels)).toBe(core.running);
      expect(sampleOf(text, 'aphrodite:generation_tokens_total', labels)).toBe(core.statistics.generatedTokens);
      expect(sampleOf(text, 'aphrodite:cache_config_info', labels)).toBe(1);
      return core.statistics.generatedTokens;
    });
    expect(Math.min(...served)).toBeGreaterThan(0.7 * Math.max(...served));
  });

  test('several engines use the multi-process form by default: no process_*, no _created, sums before buckets', async () => {
    const multi = (await started({ engines: 2 })).metrics;
    expect(multi).not.toMatch(/^(# (TYPE|HELP) )?(python|process)_|_created/m);
    const sums = multi.search(/^aphrodite:e2e_request_latency_seconds_sum\{engine="1"/m);
    expect(sums).toBeGreaterThan(0);
    expect(sums).toBeLessThan(multi.search(/^aphrodite:e2e_request_latency_seconds_bucket\{engine="0"/m));
    const single = (await started({ engines: 2, metrics: 'single-process' })).metrics;
    expect(single).toMatch(/^process_start_time_seconds \d/m);
    expect(single).toMatch(/_created\{engine="1"/);
  });
});

test('several servers are independent of each other', async () => {
  const [calm, busy] = [await started({ seed: 1, load: 0.1 }), await started({ seed: 2, load: 1.5 })];
  for (const simulator of [calm, busy]) await simulator.advanceTo(120);
  calm.inject({ kind: 'crash' });
  await expect(fetch(`${calm.url}/health`)).rejects.toThrow();
  expect((await fetch(`${busy.url}/health`)).status).toBe(200);
  expect(busy.simulation.running).toBeGreaterThan(calm.simulation.running);
});

test('options that are wrong are refused by name', async () => {
  await expect(EngineSimulator.start({ speed: -1 })).rejects.toThrow(/for speed but received -1/);
  await expect(EngineSimulator.start({ engines: 0 })).rejects.toThrow(/for engines/);
  await expect(EngineSimulator.start({ enginse: 1 } as never)).rejects.toThrow(/did you mean engines/);
  await expect(EngineSimulator.start({ faults: [{ kind: 'hagn' as never }] })).rejects.toThrow(
    /one of hang, .* for kind/,
  );
  await expect(EngineSimulator.start({ faults: [{ kind: 'crash', engine: 0 }] })).rejects.toThrow(/for engine/);
  await expect(EngineSimulator.start({ faults: [{ kind: 'hang', engine: 1 }] })).rejects.toThrow(/an engine below 1/);
  await expect(EngineSimulator.start({ faults: [{ kind: 'hang', amount: 1 }] })).rejects.toThrow(/for amount/);
  await expect(EngineSimulator.start({ faults: [{ kind: 'leak', amount: 2 }] })).rejects.toThrow(/\(0, 1\]/);
  await expect(EngineSimulator.start({ faults: [{ kind: 'hang', status: 500 }] })).rejects.toThrow(/for status/);
});
