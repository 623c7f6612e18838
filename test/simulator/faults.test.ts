/** Each fault, and what of it a client sees. */
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { EngineSimulator, type EngineSimulatorOptions, type FaultKind } from '../../src/simulator/index.js';
import { countersOf, sampleOf } from './metrics-reader.js';

const open: EngineSimulator[] = [];
afterEach(async () => {
  for (const simulator of open.splice(0)) await simulator.close();
});

/** A minute of traffic behind it, in virtual time. */
async function started(options: EngineSimulatorOptions = {}): Promise<EngineSimulator> {
  const simulator = await EngineSimulator.start({ speed: 0, load: 0.7, seed: 3, ...options });
  open.push(simulator);
  await simulator.advanceTo(60);
  return simulator;
}

const metricsOf = async ({ url }: EngineSimulator) => (await fetch(`${url}/metrics`)).text();
const figure = async (simulator: EngineSimulator, name: string, labels = {}) =>
  sampleOf(await metricsOf(simulator), `aphrodite:${name}`, labels);
const statusOf = async ({ url }: EngineSimulator, path: string) => (await fetch(url + path)).status;
const complete = ({ url }: EngineSimulator, signal: AbortSignal | null = null) =>
  fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"prompt":"x"}',
    signal,
  });

/** Growth of a figure over so many virtual seconds. */
async function growth(simulator: EngineSimulator, name: string, seconds: number): Promise<number> {
  const before = await figure(simulator, name);
  await simulator.advanceTo(simulator.time + seconds);
  return (await figure(simulator, name)) - before;
}

describe('hang', () => {
  test('a hang freezes gauges and counters while requests run, and /health, /version and /v1/models answer 200', async () => {
    const simulator = await started();
    simulator.inject({ kind: 'hang' });
    const before = await metricsOf(simulator);
    await simulator.advanceTo(90);
    expect(await metricsOf(simulator)).toBe(before);
    expect(sampleOf(before, 'aphrodite:num_requests_running')).toBeGreaterThan(0);
    for (const path of ['/health', '/version', '/v1/models']) expect(await statusOf(simulator, path)).toBe(200);
  });

  test('after a hang the step ends and the queue appears in the metrics', async () => {
    const simulator = await started();
    simulator.inject({ kind: 'hang', durationSeconds: 10 });
    await simulator.advanceTo(69);
    expect(await growth(simulator, 'generation_tokens_total', 0.9)).toBe(0);
    expect(await growth(simulator, 'generation_tokens_total', 10)).toBeGreaterThan(0);
    expect(simulator.activeFaults).toEqual([]);
  });

  test('requests queued during the hang are still served', async () => {
    const [hung, well] = [await started(), await started()];
    hung.inject({ kind: 'hang', durationSeconds: 20 });
    for (const simulator of [hung, well]) await simulator.advanceTo(90);
    const arrived = ({ simulation }: EngineSimulator) =>
      Object.values(simulation.engines[0]!.statistics.finished).reduce((sum, count) => sum + count, 0) +
      simulation.running +
      simulation.waiting;
    expect(arrived(hung)).toBe(arrived(well));
  });

  test('a hang of one engine leaves the others running', async () => {
    const simulator = await started({ engines: 2 });
    simulator.inject({ kind: 'hang', engine: 1 });
    const tokens = async (engine: string) => figure(simulator, 'generation_tokens_total', { engine });
    const before = [await tokens('0'), await tokens('1')];
    await simulator.advanceTo(70);
    expect(await tokens('0')).toBeGreaterThan(before[0]!);
    expect(await tokens('1')).toBe(before[1]!);
  });
});

test('a hung engine notices a disconnected client only after the hang', async () => {
  const simulator = await started({ load: 0.0001 });
  const client = new AbortController();
  const request = complete(simulator, client.signal);
  await expect.poll(() => simulator.simulation.running, { timeout: 20_000, interval: 5 }).toBe(1);
  simulator.inject({ kind: 'hang' });
  client.abort();
  await expect(request).rejects.toThrow();
  await simulator.advanceTo(70);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(simulator.simulation.running).toBe(1);
  await simulator.clear();
  expect(simulator.simulation.running).toBe(0);
  expect(simulator.simulation.heldBlocks).toBe(0);
});

describe('leak', () => {
  test('leaked KV memory stays lost when requests leave and when the leak is cleared', async () => {
    const simulator = await started({ load: 0.2 });
    simulator.inject({ kind: 'leak', amount: 0.2 });
    await simulator.advanceTo(160);
    const [core] = simulator.simulation.engines;
    expect(core!.leakedBlocks).toBeGreaterThan(100);
    expect(await figure(simulator, 'kv_cache_usage_perc')).toBeCloseTo(
      (core!.heldBlocks + core!.leakedBlocks) / 5120,
      12,
    );
    await simulator.clear('leak');
    const lost = core!.leakedBlocks;
    await simulator.advanceTo(260);
    expect(core!.leakedBlocks).toBe(lost);
    simulator.inject({ kind: 'restart' });
    await simulator.advanceTo(262);
    expect(await figure(simulator, 'kv_cache_usage_perc')).toBeLessThan(lost / 5120);
  });

  test('a lasting leak stops the engine while /health answers 200', async () => {
    const simulator = await started();
    simulator.inject({ kind: 'leak', amount: 1 });
    await simulator.advanceTo(400);
    expect(await figure(simulator, 'kv_cache_usage_perc')).toBeGreaterThan(0.9);
    expect(await growth(simulator, 'generation_tokens_total', 30)).toBe(0);
    expect(await figure(simulator, 'num_requests_waiting')).toBeGreaterThan(0);
    expect(await statusOf(simulator, '/health')).toBe(200);
  });
});

test('a preemption storm fills KV memory, preempts requests repeatedly, and ends', async () => {
  const simulator = await started();
  const calm = await growth(simulator, 'num_preemptions_total', 20);
  simulator.inject({ kind: 'preemption-storm', durationSeconds: 20 });
  expect(await growth(simulator, 'num_preemptions_total', 19)).toBeGreaterThan(calm + 40);
  expect(await figure(simulator, 'kv_cache_usage_perc')).toBeGreaterThan(0.9);
  await simulator.advanceTo(160);
  expect(await figure(simulator, 'kv_cache_usage_perc')).toBeLessThan(0.9);
  expect(await growth(simulator, 'num_preemptions_total', 20)).toBeLessThan(10);
});

test('drift makes tokens increasingly slower until it is cleared', async () => {
  const simulator = await started({ load: 0.2 });
  const meanLatency = async (seconds: number) => {
    const before = await metricsOf(simulator);
    await simulator.advanceTo(simulator.time + seconds);
    const after = await metricsOf(simulator);
    const grown = (name: string) => sampleOf(after, name) - sampleOf(before, name);
    return grown('aphrodite:inter_token_latency_seconds_sum') / grown('aphrodite:inter_token_latency_seconds_count');
  };
  const calm = await meanLatency(40);
  simulator.inject({ kind: 'drift', amount: 0.05 });
  const early = await meanLatency(20);
  const late = await meanLatency(20);
  expect(early).toBeGreaterThan(1.2 * calm);
  expect(late).toBeGreaterThan(1.4 * early);
  await simulator.clear();
  await simulator.advanceTo(simulator.time + 60);
  expect(await meanLatency(40)).toBeLessThan(early);
});

test('sleep sets the gauge, aborts running requests and queues new ones until it ends', async () => {
  const simulator = await started({ devMode: true });
  const aborted = await figure(simulator, 'request_success_total', { finished_reason: 'abort' });
  simulator.inject({ kind: 'sleep', durationSeconds: 10 });
  await simulator.advanceTo(69);
  expect(await figure(simulator, 'engine_sleep_state', { sleep_state: 'awake' })).toBe(0);
  expect(await figure(simulator, 'engine_sleep_state', { sleep_state: 'weights_offloaded' })).toBe(1);
  expect(await figure(simulator, 'request_success_total', { finished_reason: 'abort' })).toBeGreaterThan(aborted);
  expect(await figure(simulator, 'num_requests_running')).toBe(0);
  expect(await figure(simulator, 'num_requests_waiting')).toBeGreaterThan(0);
  expect(await statusOf(simulator, '/health')).toBe(200);
  await simulator.advanceTo(71);
  expect(await figure(simulator, 'engine_sleep_state', { sleep_state: 'awake' })).toBe(1);
  expect(await figure(simulator, 'num_requests_running')).toBeGreaterThan(0);
});

test('scaling answers every path with 503 and the scaling message, and rejects clients', async () => {
  const simulator = await started();
  simulator.inject({ kind: 'scaling', durationSeconds: 30 });
  for (const path of ['/metrics', '/health', '/v1/models', '/version', '/no-such-path']) {
    const response = await fetch(simulator.url + path);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ error: 'The model is currently scaling. Please try again later.' });
  }
  await simulator.advanceTo(89);
  expect(simulator.simulation.running + simulator.simulation.waiting).toBe(0);
  await simulator.advanceTo(91);
  expect(await statusOf(simulator, '/metrics')).toBe(200);
});

test('a frozen /metrics does not change while the engine works', async () => {
  const simulator = await started();
  const before = await metricsOf(simulator);
  simulator.inject({ kind: 'metrics-freeze' });
  const { generatedTokens } = simulator.simulation.engines[0]!.statistics;
  await simulator.advanceTo(90);
  expect(await metricsOf(simulator)).toBe(before);
  expect(simulator.simulation.engines[0]!.statistics.generatedTokens).toBeGreaterThan(generatedTokens);
  await simulator.clear();
  expect(await metricsOf(simulator)).not.toBe(before);
});

test.each([500, 502, 503])('5xx answers every path with status %i and an error object', async (status) => {
  const simulator = await started();
  simulator.inject({ kind: '5xx', status });
  for (const path of ['/metrics', '/health', '/v1/models']) {
    const response = await fetch(simulator.url + path);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { type: 'InternalServerError', code: status } });
  }
  await simulator.clear('5xx');
  expect(await statusOf(simulator, '/health')).toBe(200);
});

test('a dead engine answers /health with 503 and no body, completions with 500, and /metrics as before', async () => {
  const simulator = await started();
  const before = await metricsOf(simulator);
  simulator.inject({ kind: 'dead', durationSeconds: 5 });
  const health = await fetch(`${simulator.url}/health`);
  expect([health.status, await health.text()]).toEqual([503, '']);
  const completion = await complete(simulator);
  expect(completion.status).toBe(500);
  expect(await completion.json()).toMatchObject({ error: { type: 'InternalServerError', code: 500 } });
  await simulator.advanceTo(64);
  expect(await metricsOf(simulator)).toBe(before);
  expect(await statusOf(simulator, '/v1/models')).toBe(200);
  await simulator.advanceTo(66);
  expect(await statusOf(simulator, '/health')).toBe(200);
  expect(await figure(simulator, 'generation_tokens_total')).toBeLessThan(
    sampleOf(before, 'aphrodite:generation_tokens_total'),
  );
});

test('a crash refuses connections until it is cleared, and then a new process answers on the same port', async () => {
  const simulator = await started({ startSeconds: 1_795_000_000 });
  const { url } = simulator;
  simulator.inject({ kind: 'crash' });
  const refusal = await fetch(`${url}/health`).catch((error: Error) => error.cause);
  expect(refusal).toMatchObject({ code: 'ECONNREFUSED' });
  await simulator.advanceTo(70);
  await expect(fetch(`${url}/metrics`)).rejects.toThrow();
  await simulator.clear();
  expect(simulator.url).toBe(url);
  const text = await metricsOf(simulator);
  expect(sampleOf(text, 'process_start_time_seconds')).toBe(1_795_000_070);
  expect(Math.max(...countersOf(text.replace(/^.*_config_info.*$/m, '')).values())).toBe(0);
});

test('a restart refuses connections while it loads, then has counters from 0, a new start time and a new model card', async () => {
  const simulator = await started({ startSeconds: 1_795_000_000 });
  const created = async () => {
    const { data } = (await (await fetch(`${simulator.url}/v1/models`)).json()) as {
      data: { created: number; permission: { id: string }[] }[];
    };
    return [data[0]!.created, data[0]!.permission[0]!.id];
  };
  const [before, card] = [await metricsOf(simulator), await created()];
  simulator.inject({ kind: 'restart', durationSeconds: 5 });
  await expect(fetch(`${simulator.url}/health`)).rejects.toThrow();
  await simulator.advanceTo(66);
  const after = await metricsOf(simulator);
  for (const name of ['process_start_time_seconds', 'aphrodite:generation_tokens_created']) {
    expect(sampleOf(before, name)).toBe(1_795_000_000);
    expect(sampleOf(after, name)).toBe(1_795_000_065);
  }
  expect(sampleOf(after, 'aphrodite:generation_tokens_total')).toBeLessThan(
    sampleOf(before, 'aphrodite:generation_tokens_total'),
  );
  const next = await created();
  expect(next[0]).not.toBe(card[0]);
  expect(next[1]).not.toBe(card[1]);
});

describe('the timeline', () => {
  test('faults given as options begin and end at their virtual times', async () => {
    const faults = [
      { kind: '5xx', atSeconds: 70, durationSeconds: 10 },
      { kind: 'scaling', atSeconds: 75, durationSeconds: 10 },
    ] as const;
    const simulator = await started({ faults: [...faults] });
    const seen: FaultKind[][] = [];
    for (const time of [69, 70, 75, 80, 85]) {
      await simulator.advanceTo(time);
      seen.push(simulator.activeFaults);
    }
    expect(seen).toEqual([[], ['5xx'], ['5xx', 'scaling'], ['scaling'], []]);
  });

  test('faults inside one long advance begin and end', async () => {
    const simulator = await started({
      startSeconds: 1_795_000_000,
      faults: [{ kind: 'crash', atSeconds: 100, durationSeconds: 20 }],
    });
    await simulator.advanceTo(600);
    const text = await metricsOf(simulator);
    expect(sampleOf(text, 'process_start_time_seconds')).toBe(1_795_000_120);
    expect(sampleOf(text, 'aphrodite:generation_tokens_total')).toBeGreaterThan(0);
  });

  test('a new process begins without the faults of the old one', async () => {
    const simulator = await started();
    simulator.inject({ kind: 'hang' });
    simulator.inject({ kind: 'restart', atSeconds: 70, durationSeconds: 1 });
    await simulator.advanceTo(72);
    expect(simulator.activeFaults).toEqual([]);
    expect(await growth(simulator, 'generation_tokens_total', 20)).toBeGreaterThan(0);
  });

  test('a fault that is cleared before it begins never begins', async () => {
    const simulator = await started({ faults: [{ kind: 'crash', atSeconds: 70 }] });
    await simulator.clear('crash');
    await simulator.advanceTo(80);
    expect(await statusOf(simulator, '/health')).toBe(200);
  });

  test('a crash while the port is being reopened closes it again', async () => {
    const simulator = await started();
    simulator.inject({ kind: 'crash' });
    const clearing = simulator.clear();
    simulator.inject({ kind: 'crash' });
    await clearing;
    await expect(fetch(`${simulator.url}/health`)).rejects.toThrow();
    await simulator.clear();
    expect(await statusOf(simulator, '/health')).toBe(200);
  });

  test('a closed simulator does not reopen its port', async () => {
    const simulator = await started({ faults: [{ kind: 'crash', atSeconds: 70, durationSeconds: 5 }] });
    await simulator.close();
    await simulator.advanceTo(100);
    await expect(fetch(`${simulator.url}/health`)).rejects.toThrow();
  });

  test('a port taken by another process in the meantime is an error with a code, not an unhandled rejection', async () => {
    const simulator = await started();
    simulator.inject({ kind: 'crash', durationSeconds: 5 });
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(Number(new URL(simulator.url).port), '127.0.0.1', resolve));
    await expect(simulator.advanceTo(70)).rejects.toMatchObject({ code: 'ERR_DTESN_SIMULATOR_PORT' });
    await new Promise((resolve) => other.close(resolve));
  });

  test('the timeline follows real time without requests: the port closes and opens', async () => {
    const simulator = await EngineSimulator.start({
      speed: 100,
      faults: [{ kind: 'restart', atSeconds: 10, durationSeconds: 20 }],
    });
    open.push(simulator);
    const seen: string[] = [];
    while (!(seen.includes('refused') && seen.at(-1) === 'ok')) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      seen.push(
        await fetch(`${simulator.url}/health`).then(
          ({ ok }) => String(ok ? 'ok' : 'bad'),
          () => 'refused',
        ),
      );
    }
    expect(seen).not.toContain('bad');
  });
});
