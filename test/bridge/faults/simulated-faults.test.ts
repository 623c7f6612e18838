/**
 * Every fault of the simulated engine, seen by a client of the running bridge.
 *
 * @module-tag slow
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TelemetrySeries } from '../../../src/engine/index.js';
import { engineStates } from '../../../src/monitor/index.js';
import { EngineSimulator, type FaultKind, type FaultOptions } from '../../../src/simulator/index.js';
import { SeenBridge } from './seen-bridge.js';

/** What each fault leads to; `sign` is in the evidence, which names no restart. */
const faults: { kind: FaultKind; states: string[]; sign?: RegExp; amount?: number }[] = [
  { kind: 'hang', states: ['hung'], sign: /no iteration for/ },
  { kind: 'leak', states: ['saturated', 'hung'], sign: /requests wait/, amount: 1 },
  { kind: 'preemption-storm', states: ['saturated'], sign: /preempted|KV memory|wait/ },
  { kind: 'drift', states: ['saturated', 'hung'], sign: /wait|no iteration for/, amount: 100 },
  { kind: 'sleep', states: ['sleeping'], sign: /sleeps/ },
  { kind: 'scaling', states: ['scaling'], sign: /scaling/ },
  { kind: 'metrics-freeze', states: ['hung'], sign: /no iteration for/ },
  { kind: '5xx', states: ['hung'], sign: /no answer from \/health \(failed\) and \/metrics \(failed\)/ },
  { kind: 'dead', states: ['dead'], sign: /\/health answers 503/ },
  { kind: 'crash', states: ['dead'], sign: /nothing listens any more/ },
  { kind: 'restart', states: ['busy', 'ready', 'saturated'] },
];
const serving = ['ready', 'busy', 'saturated'];
const simulators = new Map<string, EngineSimulator>();
let bridge: SeenBridge;
let injected = 0;

beforeAll(async () => {
  for (const name of ['well', ...faults.map(({ kind }) => kind)]) {
    const options = { load: name === 'well' ? 0.2 : 0.7, seed: 3, warmUpSeconds: 5, model: { kvBlocks: 600 } };
    simulators.set(name, await EngineSimulator.start(options));
  }
  bridge = await SeenBridge.start([...simulators].map(([name, { url }]) => ({ name, url })));
  for (const { kind } of faults) await bridge.reaches(kind, serving);
  await bridge.reaches('well', serving);
  for (const { kind, amount } of faults) {
    simulators.get(kind)!.inject({ kind, ...(amount !== undefined && { amount }) } as FaultOptions);
  }
  injected = performance.now();
  for (const { kind, states } of faults) await bridge.reaches(kind, states);
}, 60_000);

afterAll(async () => {
  await bridge?.[Symbol.asyncDispose]();
  for (const simulator of simulators.values()) await simulator.close();
});

test('a hang is shown within seconds of its injection', () => {
  // Beside the law of 3.5 s and a second between observations, the machine of a test may be slow.
  const hung = bridge.eventsOf('hang').find(({ type, data }) => type === 'state' && data.state === 'hung')!;
  expect(Date.parse(String(hung.data['at'])) - (performance.timeOrigin + injected)).toBeLessThan(10_000);
});

describe.each(faults)('the fault $kind', ({ kind, states, sign }) => {
  test('is the state of the engine, with when it began and by which evidence', async () => {
    const { state } = await bridge.reaches(kind, states);
    if (sign !== undefined) expect(state.evidence.join('; ')).toMatch(sign);
    expect(Math.abs(Date.parse(state.since) + 1000 * state.forSeconds - Date.now())).toBeLessThan(2000);
  });

  test('is an event with the state before, and one of a drain where the engine cannot serve', async () => {
    const { state } = await bridge.reaches(kind, states);
    const events = bridge.eventsOf(kind);
    const changes = events.filter(({ type }) => type === 'state');
    for (const [i, { data }] of changes.entries()) if (i > 0) expect(data.before).toBe(changes[i - 1]!.data.state);
    if (kind !== 'restart') expect(changes.some(({ data }) => states.includes(data.state!))).toBe(true);
    const last = events.filter(({ type }) => type === 'drained' || type === 'restored').at(-1)?.type;
    if (!serving.includes(state.name)) expect(last).toBe('drained');
    if (kind === 'restart') expect(events.map(({ type }) => type)).toContain('restart');
  });

  test('is one state of all in the metrics, beside the changes and the age of the figures', async () => {
    await bridge.reaches(kind, states);
    const metric = await bridge.metrics();
    const ones = engineStates.filter((state) => metric('dtesn_engine_state', { engine: kind, state }) === 1);
    expect(ones).toHaveLength(1);
    expect(states).toContain(ones[0]);
    const others = engineStates.map((state) => metric('dtesn_engine_state', { engine: kind, state }));
    expect(others.reduce((sum, value) => sum! + value!, 0)).toBe(1);
    const changes = bridge.eventsOf(kind).filter(({ type }) => type === 'state').length;
    expect(metric('dtesn_engine_state_changes_total', { engine: kind })).toBeGreaterThanOrEqual(changes);
    const age = metric('dtesn_source_age_seconds', { engine: kind, source: 'metrics' })!;
    const isRead = !['scaling', '5xx', 'crash'].includes(kind);
    if (isRead) expect(age).toBeLessThan(5);
    else expect(age).toBeGreaterThan(1);
    if (kind === 'restart') expect(metric('dtesn_engine_restarts_total', { engine: kind })).toBeGreaterThanOrEqual(1);
  });

  test('leaves the context in the published format, its failed sources named', async () => {
    const { failed, data } = await bridge.context(kind);
    const isGone = ['scaling', '5xx', 'crash'].includes(kind);
    if (isGone) expect(failed).toEqual(expect.arrayContaining(['model_config', 'tokenizer', 'performance']));
    else expect(failed).not.toContain('performance');
    const sources = data.sources as Record<string, { error?: string | undefined; stale_reason?: string | undefined }>;
    for (const name of failed) expect(sources[name]!.error ?? sources[name]!.stale_reason).toBeTruthy();
  });
});

test('engines that cannot serve are never picked', async () => {
  const gone = faults.filter(({ states }) => !states.some((state) => serving.includes(state))).map(({ kind }) => kind);
  for (let i = 0; i < 40; i++) {
    const { status, json } = await bridge.post('/v1/pick', { session: `session-${i}` });
    expect(status).toBe(200);
    expect(gone).not.toContain(json.engine);
    expect(json.reason).toMatch(/\w/);
  }
});

test('the history of a restarted engine has the time of its restart', async () => {
  const history = (await (await bridge.get('/v1/engines/restart/history?seconds=600')).json()) as TelemetrySeries;
  expect(history.restarts).toHaveLength(1);
  expect(history.restarts[0]).toBeGreaterThanOrEqual(history.time[0]!);
  expect(history.running).toHaveLength(history.time.length);
  const { restarts } = (await (await bridge.get('/v1/engines/well/history?seconds=600')).json()) as TelemetrySeries;
  expect(restarts).toEqual([]);
});

test('probes are as without faults, and inputs are processed', async () => {
  await bridge.checkProbes();
  await bridge.checkMetrics();
  const { status, json } = await bridge.post('/v1/process', { text: 'as ever' });
  expect([status, json.ok]).toEqual([200, true]);
});

test('engines that come back are restored, and a pick finds none while all are gone', async () => {
  for (const simulator of simulators.values()) simulator.inject({ kind: 'crash' });
  for (const name of simulators.keys()) await bridge.reaches(name, ['dead', 'loading']);
  const { status, json } = await bridge.post('/v1/pick', {});
  expect([status, json.error.code]).toEqual([503, 'no_engine']);
  await bridge.checkProbes();
  const { json: result } = await bridge.post('/v1/process', { text: 'no engine at all' });
  expect(result.ok).toBe(true);
  await simulators.get('well')!.clear();
  await bridge.reaches('well', serving);
  expect((await bridge.post('/v1/pick', {})).json.engine).toBe('well');
  expect(bridge.eventsOf('well').map(({ type }) => type)).toEqual(
    expect.arrayContaining(['drained', 'restored', 'restart']),
  );
});
