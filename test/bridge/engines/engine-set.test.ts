/** The bridge's engines over real sockets: what they are, what happens to them, which one is picked. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { EngineSetOptions } from '../../../src/bridge/engines/index.js';
import { type Engine, HttpEngine, type RequestOptions } from '../../../src/engine/index.js';
import { EngineSimulator } from '../../../src/simulator/index.js';
import { closedPort, silent } from '../../faults/engine-server.js';
import { ManualClock } from '../../manual-clock.js';
import {
  fast,
  impatient,
  serveOnIPv6,
  startSet,
  temporaryFolder,
  vllmAnswers,
  vllmServer,
} from './engine-under-test.js';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function server(...args: Parameters<typeof vllmServer>) {
  const started = await vllmServer(...args);
  open.push(started);
  return started;
}

async function setOf(options: Partial<EngineSetOptions>) {
  const started = await startSet(options);
  open.push(started.engines);
  return started;
}

const soon = { timeout: 10_000, interval: 10 };

describe('an engine of the list', () => {
  test('has its name, address, kind, model, state with evidence, figures, rates and age', async () => {
    const { url, figures } = await server({ running: 2, waiting: 0, kvUsage: 0.5, model: 'org/model' });
    const { engines } = await setOf({ engines: [{ url, name: 'first' }] });
    await vi.waitFor(() => {
      figures.tokens += 10;
      const [item] = engines.list();
      expect(item?.model).toBe('org/model');
      expect(item?.rates?.generationTokensPerSecond).toBeGreaterThan(0);
      expect(item?.state.forSeconds).toBeGreaterThan(0);
    }, soon);
    const [item] = engines.list();
    expect(item).toMatchObject({
      name: 'first',
      url,
      kind: 'vllm',
      simulated: false,
      drained: false,
      restarts: 0,
      tickets: 0,
      state: { name: 'busy', evidence: ['2 requests run'] },
      figures: { running: 2, kvUsageMax: 0.5, preemptions: null },
    });
    expect(Math.abs(Date.parse(item!.state.since) + 1000 * item!.state.forSeconds - Date.now())).toBeLessThan(1000);
    expect(item!.stalenessSeconds).toBeLessThan(1);
    expect(JSON.parse(JSON.stringify(item))).toEqual(item);
  });

  test('shows markup and control characters of an engine, a name and a model as plain, bounded text', async () => {
    const { url } = await server({ model: `<script>\x1b[2J${'x'.repeat(10_000)}` });
    const { engines, events } = await setOf({ engines: [{ url, name: '<script>alert(1)</script>\x1b' }] });
    await vi.waitFor(() => expect(engines.list()[0]?.model).toMatch(/^<script>\\u\{1b\}\[2Jx/), soon);
    const [item] = engines.list();
    expect(item!.name).toBe('<script>alert(1)</script>\\u{1b}');
    expect(item!.model!.length).toBeLessThanOrEqual(256);
    expect(
      events
        .replay(`${events.boot}-0`)
        .events.map(({ text }) => text)
        .join(''),
    ).not.toContain('\x1b');
  });

  test('of a vLLM server on a Unix socket is used by its address alone', async () => {
    const path = `${temporaryFolder(open)}/vllm.sock`;
    await server({ running: 1 }, path);
    const { engines, state } = await setOf({ engines: [`unix:${path}`] });
    await vi.waitFor(() => expect(state(`unix:${path}`)).toBe('busy'), soon);
    expect(engines.list()[0]).toMatchObject({ url: `unix:${path}`, kind: 'vllm' });
    expect(engines.requests.pick()).toMatchObject({ engine: `unix:${path}`, url: `unix:${path}` });
  });

  test('on localhost that answers on IPv6 alone is used by its address alone', async () => {
    const v6 = await serveOnIPv6(vllmAnswers({ running: 1 }).answers);
    open.push(v6);
    const { state } = await setOf({ engines: [`http://localhost:${v6.port}`] });
    await vi.waitFor(() => expect(state(`http://localhost:${v6.port}`)).toBe('busy'), soon);
  });

  test('is the embedded simulation where none is configured', async () => {
    const { engines } = await setOf({});
    await vi.waitFor(() => expect(engines.list()[0]?.drained).toBe(false), soon);
    expect(engines.simulated).toBe(true);
    expect(engines.list()).toMatchObject([{ name: 'embedded simulation', simulated: true, drained: false }]);
    expect(engines.requests.pick()).toMatchObject({ engine: 'embedded simulation', simulated: true, rule: 'only' });
  });

  test('may be an object of the host, which stays open when the set is closed', async () => {
    const { url } = await server();
    await using engine = new HttpEngine(url);
    const { engines } = await setOf({ engines: [{ engine, name: 'mine' }] });
    await engines.observed();
    expect(engines.engine('mine')).toBe(engine);
    await engines.close();
    await engine.health();
  });
});

test.each([
  ['a user in the address', ['http://user:canary@h:1'], /one with a user/],
  ['a user behind dns+', ['dns+http://user:canary@h:1'], /one with a user/],
  ['a query', ['http://h:1/?key=canary'], /one with a user, query or fragment/],
  ['https behind dns+', ['dns+https://h:1'], /dns\+http:\/\/host:port/],
  ['another scheme', ['ftp://h'], /unix:\/path/],
  ['a name of 257 characters', [{ url: 'http://h', name: 'n'.repeat(257) }], /a name of 1 to 256 characters/],
  ['one name twice', ['http://h:1', { url: 'http://h:2', name: 'http://h:1' }], /a name that no other engine has/],
  ['one address twice', ['http://h:1', { url: 'http://h:1', name: 'b' }], /not in the fleet/],
  ['an unknown field', [{ url: 'http://h', nme: 'x' }], /did you mean name/],
])('refused: %s', async (_, engines, message) => {
  const error = await startSet({ engines: engines as never }).catch((thrown: Error) => thrown);
  expect((error as Error).message).toMatch(message);
  expect((error as Error).message).not.toContain('canary');
});

test('starting does not wait for engines that refuse, answer nothing or have no address', async () => {
  const hole = await server();
  hole.answers['/metrics'] = silent;
  hole.answers['/health'] = silent;
  const resolve = () => new Promise<never>(() => {});
  const { engines } = await setOf({
    engines: [`http://127.0.0.1:${await closedPort()}`, hole.url, 'dns+http://nowhere.invalid:1'],
    resolve,
  });
  expect(engines.list().map(({ state }) => state.name)).toEqual(['unknown', 'unknown']);
  expect(() => engines.requests.pick()).toThrow(expect.objectContaining({ code: 'no_engine', status: 503 }));
  await engines.observed();
  expect(() => engines.requests.pick()).toThrow(/is loading/);
});

describe('what happens to an engine', () => {
  test('a hang is a state event and a drain, recovery a restore, and the metrics follow', async () => {
    const { url, figures } = await server({ running: 1 });
    const moving = setInterval(() => figures.tokens++, 5);
    const { state, told, types, metrics, engines } = await setOf({ engines: [{ url, name: 'e' }], monitor: impatient });
    await vi.waitFor(() => expect(state('e')).toBe('busy'), soon);
    expect(types('e')).toEqual(['added', 'state']);
    clearInterval(moving);
    await vi.waitFor(() => expect(state('e')).toBe('hung'), soon);
    expect(types('e').slice(2)).toEqual(['state', 'drained']);
    expect(told.at(-2)).toMatchObject({ data: { state: 'hung', before: 'busy', evidence: [/no iteration for/] } });
    expect(() => engines.requests.pick()).toThrow(/e is hung/);
    expect(metrics.text()).toContain('dtesn_engine_state{engine="e",state="hung"} 1');
    expect(metrics.text()).toContain('dtesn_engine_state{engine="e",state="busy"} 0');
    expect(metrics.text()).toContain('dtesn_engine_state_changes_total{engine="e"} 2');
    expect(metrics.text()).toMatch(/dtesn_source_age_seconds\{engine="e",source="metrics"\} 0\.\d/);
    const again = setInterval(() => figures.tokens++, 5);
    await vi.waitFor(() => expect(state('e')).toBe('busy'), soon);
    clearInterval(again);
    expect(types('e').slice(4, 6)).toEqual(['state', 'restored']);
  });

  test('a restart is an event and a mark in the figures over time', async () => {
    const { url, figures } = await server({ running: 0 });
    const { engines, types, state, metrics } = await setOf({ engines: [{ url, name: 'e' }] });
    await vi.waitFor(() => expect(state('e')).toBe('ready'), soon);
    const before = Date.now() / 1000;
    Object.assign(figures, { started: 2000, tokens: 0, model: 'other' });
    await vi.waitFor(() => expect(types('e')).toContain('restart'), soon);
    await vi.waitFor(() => expect(engines.list()[0]?.model).toBe('other'), soon);
    const { restarts, time, running } = engines.history('e');
    expect(restarts).toHaveLength(1);
    expect(Math.abs(restarts[0]! - before)).toBeLessThan(5);
    expect(time.length).toBe(running.length);
    expect(engines.history('e', time.at(-2)).time.length).toBeGreaterThanOrEqual(1);
    expect(engines.list()[0]?.restarts).toBe(1);
    expect(metrics.text()).toContain('dtesn_engine_restarts_total{engine="e"} 1');
  });

  test('the end of its process and its return are seen of a simulated server', async () => {
    const first = await EngineSimulator.start({ port: 0, load: 0.5 });
    const { port } = new URL(first.url);
    const { state, types } = await setOf({ engines: [{ url: first.url, name: 'e' }] });
    await vi.waitFor(() => expect(['ready', 'busy', 'saturated']).toContain(state('e')), soon);
    await first.close();
    await vi.waitFor(() => expect(state('e')).toBe('dead'), soon);
    expect(types('e').slice(-2)).toEqual(['state', 'drained']);
    open.push(await EngineSimulator.start({ port: Number(port), load: 0.5 }));
    await vi.waitFor(() => expect(types('e').slice(-1)).toEqual(['restored']), soon);
    expect(types('e')).toContain('restart');
  });
});

describe('engines that come and go', () => {
  test('are events, and leave what is known of the others as it is', async () => {
    const [a, b] = [await server({ running: 1 }), await server({ running: 2 })];
    const { engines, types, state, metrics } = await setOf({ engines: [{ url: a.url, name: 'a' }] });
    await vi.waitFor(() => expect(state('a')).toBe('busy'), soon);
    a.figures.running = 0; // ready from here on, so that nothing but the set changes it
    await vi.waitFor(() => expect(state('a')).toBe('ready'), soon);
    const { since } = engines.list()[0]!.state;
    const { time } = engines.history('a');
    b.figures.running = 0;
    await engines.add({ url: b.url, name: 'b' });
    await vi.waitFor(() => expect(state('b')).toBe('ready'), soon);
    expect(metrics.text()).toContain('engine="b"');
    await engines.remove('b');
    expect(types('b')).toEqual(['added', 'state', 'removed']);
    expect(engines.names).toEqual(['a']);
    expect(engines.history('a').time.slice(0, time.length)).toEqual(time);
    expect(Math.abs(Date.parse(engines.list()[0]!.state.since) - Date.parse(since))).toBeLessThan(50);
    expect(metrics.text()).not.toContain('engine="b"');
    expect(() => engines.engine('b')).toThrow(expect.objectContaining({ code: 'not_found' }));
    await expect(engines.remove('b')).rejects.toMatchObject({ code: 'not_found' });
    await new Promise((resolve) => setTimeout(resolve, fast.intervalMs)); // what was under way arrives
    const { length } = b.asked;
    await new Promise((resolve) => setTimeout(resolve, 3 * fast.intervalMs));
    expect(b.asked).toHaveLength(length);
  });

  test('may be fifty with ten that accept and never answer: the others serve', async () => {
    const servers = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const one = await server();
        if (i % 5 === 0) Object.assign(one.answers, { '/metrics': silent, '/health': silent, '/v1/models': silent });
        return one;
      }),
    );
    const { engines } = await setOf({
      engines: servers.map(({ url }) => url),
      monitor: { intervalMs: 1000, timeoutMs: 800, hungAfterMs: 2500 },
    });
    const states = (hole: boolean) =>
      engines.list().flatMap(({ state }, i) => ((i % 5 === 0) === hole ? [state.name] : []));
    await vi.waitFor(() => {
      expect(states(true)).toEqual(Array(10).fill('hung'));
      expect(states(false)).toEqual(Array(40).fill('ready'));
    }, soon);
    expect(engines.requests.pick().candidates).toBe(40);
  });

  test('are each read at least every second interval, also beside ten that never answer', async () => {
    const clock = new ManualClock();
    const answering = async () => Buffer.from('vllm:num_requests_running 0\n');
    const never = ({ signal }: RequestOptions = {}) =>
      new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    const engine = (i: number) => {
      const [metrics, health] = i % 5 === 0 ? [never, never] : [answering, async () => {}];
      return {
        engine: { label: `e${i}`, simulated: false, metrics, health, models: async () => [] } as unknown as Engine,
      };
    };
    const { engines } = await setOf({
      engines: Array.from({ length: 50 }, (_, i) => engine(i)),
      clock,
      monitor: { intervalMs: 1000 },
    });
    await clock.pass(2000);
    await engines.add({ engine: engine(50).engine, name: 'late' });
    expect(engines.list().at(-1)?.state).toMatchObject({ name: 'unknown', forSeconds: 0 });
    await engines.remove('late');
    let oldest = 0;
    for (let look = 0; look < 100; look++) {
      await clock.pass(97);
      const ages = engines.list().flatMap(({ stalenessSeconds }, i) => (i % 5 === 0 ? [] : [stalenessSeconds ?? 99]));
      oldest = Math.max(oldest, ...ages);
    }
    expect(oldest).toBeGreaterThan(0.8);
    expect(oldest).toBeLessThan(2);
  });
});

describe('a pick', () => {
  test('names the engine, its address and a reason, and keeps a session on its engine', async () => {
    const [a, b] = [await server({ running: 9 }), await server()];
    const { engines } = await setOf({
      affinity: 100,
      engines: [
        { url: a.url, name: 'a' },
        { url: b.url, name: 'b' },
      ],
    });
    await engines.observed();
    expect(engines.requests.pick()).toEqual({
      engine: 'b',
      url: b.url,
      kind: 'vllm',
      simulated: false,
      reason: expect.stringMatching(/^the cheapest of 2 engines, at cost \d+\.\d\d while ready$/),
      rule: 'cheapest',
      cost: expect.any(Number),
      candidates: 2,
      expected: { ttftSeconds: null, interTokenSeconds: null },
      meetsSlo: null,
      ttft: null,
    });
    a.figures.running = 0;
    await vi.waitFor(() => expect(engines.list()[0]?.figures?.running).toBe(0), soon);
    const picks = Array.from({ length: 5 }, () => engines.requests.pick({ session: 's' }));
    expect(new Set(picks.map(({ engine }) => engine)).size).toBe(1);
  });

  test('counts what was dispatched before the gauges show it', async () => {
    const [a, b] = [await server(), await server({ running: 3 })];
    const { engines } = await setOf({
      engines: [
        { url: a.url, name: 'a' },
        { url: b.url, name: 'b' },
      ],
    });
    await engines.observed();
    for (let i = 0; i < 8; i++) engines.requests.dispatch({ engine: 'a', ticket: `t${i}` });
    expect(engines.requests.pick().engine).toBe('b');
    for (let i = 0; i < 8; i++) engines.requests.finish({ ticket: `t${i}`, outcome: 'ok' });
    expect(engines.requests.pick().engine).toBe('a');
  });

  test('counts a load report that came with a finish until the next scrape', async () => {
    const [a, b] = [await server(), await server({ running: 1 })];
    const { engines } = await setOf({
      engines: [
        { url: a.url, name: 'a' },
        { url: b.url, name: 'b' },
      ],
      monitor: { intervalMs: 600, timeoutMs: 500, hungAfterMs: 60_000 },
    });
    await engines.observed();
    expect(engines.requests.pick().engine).toBe('a');
    const { ticket } = engines.requests.dispatch({ engine: 'a' });
    const orca = 'TEXT named_metrics.kv_cache_usage_perc=0.9, named_metrics.num_requests_waiting=8';
    expect(engines.requests.finish({ ticket, outcome: 'ok', orca })).toEqual({ known: true });
    expect(engines.requests.pick().engine).toBe('b');
    await vi.waitFor(() => expect(engines.requests.pick().engine).toBe('a'), soon);
  });
});

describe('a hang that the gauges hide', () => {
  const hidden = async () => {
    const { url, figures } = await server();
    const started = await setOf({ engines: [{ url, name: 'e' }], monitor: impatient });
    await vi.waitFor(() => expect(started.state('e')).toBe('ready'), soon);
    const hungWithin = async (ms: number) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return started.types('e').includes('drained');
    };
    return { figures, ...started, hungWithin };
  };
  const long = 3 * impatient.hungAfterMs;

  test('is seen by the tickets of two callers', async () => {
    const { engines, state } = await hidden();
    engines.requests.dispatch({ engine: 'e', caller: 'one' });
    engines.requests.dispatch({ engine: 'e', caller: 'two' });
    await vi.waitFor(() => expect(state('e')).toBe('hung'), soon);
    expect(engines.list()[0]).toMatchObject({
      tickets: 2,
      state: { evidence: [/^2 requests are in flight and none runs/] },
    });
  });

  test('is not seen by the tickets of one caller whom the engine never served, however many', async () => {
    const { engines, hungWithin } = await hidden();
    for (let i = 0; i < 500; i++) engines.requests.dispatch({ engine: 'e', caller: 'one' });
    expect(await hungWithin(long)).toBe(false);
  });

  test('is seen by the tickets of one caller whom the engine served before', async () => {
    const { engines, state, figures } = await hidden();
    const { ticket } = engines.requests.dispatch({ engine: 'e', caller: 'one' });
    figures.tokens += 50;
    await new Promise((resolve) => setTimeout(resolve, 3 * fast.intervalMs));
    engines.requests.finish({ ticket, outcome: 'ok', generatedTokens: 50 });
    engines.requests.dispatch({ engine: 'e', caller: 'one' });
    await vi.waitFor(() => expect(state('e')).toBe('hung'), soon);
  });

  test('is not there while scrapes count progress, however many tickets of however many callers are open', async () => {
    const { engines, figures, hungWithin } = await hidden();
    const moving = setInterval(() => figures.tokens++, 10);
    for (let i = 0; i < 500; i++) engines.requests.dispatch({ engine: 'e', caller: `c${i}` });
    expect(await hungWithin(long)).toBe(false);
    clearInterval(moving);
  });

  test('ends when the tickets are finished', async () => {
    const { engines, state } = await hidden();
    const tickets = ['one', 'two'].map((caller) => engines.requests.dispatch({ engine: 'e', caller }).ticket);
    await vi.waitFor(() => expect(state('e')).toBe('hung'), soon);
    for (const ticket of tickets) engines.requests.finish({ ticket, outcome: 'error' });
    await vi.waitFor(() => expect(state('e')).toBe('ready'), soon);
  });
});

test('tickets answer as their callers expect, and are counted', async () => {
  const { url } = await server();
  const { engines, metrics } = await setOf({ engines: [{ url, name: 'e' }] });
  expect(engines.requests.dispatch({ engine: 'e', ticket: 'mine', promptTokens: 100 })).toEqual({ ticket: 'mine' });
  expect(engines.requests.dispatch({ engine: 'e', ticket: 'mine', promptTokens: 100 })).toEqual({ ticket: 'mine' });
  expect(engines.list()[0]).toMatchObject({ tickets: 1, ticketPromptTokens: 100 });
  expect(metrics.text()).toContain('dtesn_tickets{engine="e"} 1');
  expect(engines.requests.firstToken({ ticket: 'mine' })).toEqual({ known: true });
  expect(engines.requests.firstToken({ ticket: 'mine' })).toEqual({ known: true });
  expect(engines.requests.finish({ ticket: 'mine', outcome: 'ok', generatedTokens: 7 })).toEqual({ known: true });
  expect(engines.requests.finish({ ticket: 'mine', outcome: 'ok', generatedTokens: 7 })).toEqual({ known: true });
  expect(engines.requests.finish({ ticket: 'unknown', outcome: 'ok' })).toEqual({ known: false });
  expect(engines.requests.firstToken({ ticket: 'unknown' })).toEqual({ known: false });
  expect(metrics.text()).toContain('dtesn_tickets{engine="e"} 0');
  expect(metrics.text()).toContain('dtesn_tickets_finished_total{engine="e",outcome="ok"} 1');
  expect(metrics.text()).toContain('dtesn_reported_tokens_total{engine="e"} 7');
  expect(metrics.text()).toContain('dtesn_observed_ttft_seconds_count{engine="e"} 1');
  expect(() => engines.requests.dispatch({ engine: 'x' })).toThrow(expect.objectContaining({ code: 'not_found' }));
  expect(() => engines.requests.dispatch({ engine: 'e', ticket: 'a b' })).toThrow(
    expect.objectContaining({ code: 'malformed' }),
  );
});
