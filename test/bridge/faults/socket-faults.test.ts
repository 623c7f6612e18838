/**
 * Faults below HTTP, of every path or of /metrics alone: what the running bridge says of the engine, and that others go on.
 *
 * @module-tag slow
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { engineStates } from '../../../src/monitor/index.js';
import {
  cutChunked,
  cutLength,
  drip,
  type Fault,
  FaultServer,
  flood,
  gzip,
  halfHeaders,
  hangUp,
  headersThenStall,
  lengthTooLong,
  lengthTooShort,
  notHttp,
  reset,
  silence,
  status,
} from '../../faults/fault-server.js';
import { hungListener } from '../../faults/hung-listener.js';
import { idleMetrics, SeenBridge, soon } from './seen-bridge.js';

const text = { 'content-type': 'text/plain' };
const unread = ['unknown', 'hung'];
const faults: [name: string, fault: Fault, ofAll: string[], ofMetrics: string[]][] = [
  ['silence', silence, ['hung'], unread],
  ['a reset', reset, ['hung'], unread],
  ['a connection that is closed at once', hangUp, ['hung'], unread],
  ['another protocol', notHttp, ['hung'], unread],
  ['headers without a body', headersThenStall, ['hung', 'unknown'], unread],
  ['half of the headers', halfHeaders, ['hung'], unread],
  ['a byte at a time', drip, ['hung', 'unknown'], unread],
  ['a body cut before its length', cutLength, ['hung', 'unknown'], unread],
  ['a body cut before its last chunk', cutChunked, ['hung', 'unknown'], unread],
  ['more than its length', lengthTooShort, ['hung', 'unknown'], unread],
  ['less than its length', lengthTooLong, ['hung', 'unknown'], unread],
  ['a body of 20 MB', flood(20e6), ['hung', 'unknown'], unread],
  ['20 MB in 20 KB of gzip', gzip(Buffer.alloc(20e6, '#')), ['hung', 'unknown'], unread],
  ['status 401', status(401), ['unauthorised'], ['unauthorised']],
  ['status 404', status(404), ['hung', 'unknown'], unread],
  ['status 500', status(500), ['hung'], unread],
  ['status 503', status(503), ['dead', 'hung'], unread],
  ['a redirect', status(302, '', { location: 'http://127.0.0.1:1/' }), ['hung', 'unknown'], unread],
  ['figures that are none', status(200, 'aphrodite:x{ 1\n', text), ['unknown', 'hung'], unread],
  ['an empty body', status(200, '', text), ['unknown', 'hung'], unread],
];
const servers = new Map<string, FaultServer>();
const expected = new Map<string, string[]>();
let hole: Awaited<ReturnType<typeof hungListener>>;
let bridge: SeenBridge;
const serving = ['ready', 'busy', 'saturated'];

beforeAll(async () => {
  hole = await hungListener();
  const idle = status(200, idleMetrics, text);
  for (const [name, , ofAll, ofMetrics] of faults) {
    for (const [scope, states] of [
      ['all', ofAll],
      ['metrics', ofMetrics],
    ] as const) {
      servers.set(`${name} of ${scope}`, await FaultServer.start({ '/metrics': idle }));
      expected.set(`${name} of ${scope}`, states);
    }
  }
  servers.set('well', await FaultServer.start({ '/metrics': idle }));
  const named = [...servers].map(([name, { url }]) => ({ name, url }));
  bridge = await SeenBridge.start([...named, { name: 'hole', url: hole.url }]);
  for (const name of servers.keys()) await bridge.reaches(name, serving);
  for (const [name, fault] of faults) {
    const { faults: ofAll } = servers.get(`${name} of all`)!;
    ofAll.delete('/metrics');
    ofAll.set('*', fault);
    servers.get(`${name} of metrics`)!.faults.set('/metrics', fault);
  }
  for (const [name, states] of expected) await bridge.reaches(name, states);
  await bridge.reaches('hole', ['hung']);
}, 90_000);

afterAll(async () => {
  await bridge?.[Symbol.asyncDispose]();
  for (const server of servers.values()) await server.close();
  await hole?.close();
});

describe.each(faults.flatMap(([name]) => [`${name} of all`, `${name} of metrics`]))('%s', (name) => {
  test('is the state of the engine with evidence, told and counted', async () => {
    const { state, drained } = await bridge.reaches(name, expected.get(name)!);
    expect(state.evidence.join()).not.toBe('');
    expect(drained).toBe(true);
    expect(bridge.eventsOf(name).map(({ type }) => type)).toEqual(expect.arrayContaining(['state', 'drained']));
    const metric = await bridge.metrics();
    const ones = engineStates.filter((one) => metric('dtesn_engine_state', { engine: name, state: one }) === 1);
    expect(ones).toHaveLength(1);
    expect(metric('dtesn_engine_state_changes_total', { engine: name })).toBeGreaterThanOrEqual(2);
    expect(metric('dtesn_source_age_seconds', { engine: name, source: 'metrics' })).toBeGreaterThan(1);
  });

  test('leaves the context in the published format, with its failed sources named', async () => {
    // A source that was late on a busy machine is asked again.
    await vi.waitFor(async () => {
      const { failed } = await bridge.context(name);
      expect(failed).toContain('performance');
      if (name.endsWith('of metrics')) expect(failed).not.toContain('model_config');
    }, soon);
  });
});

test('the engine that is well is observed and picked all the while', async () => {
  const { state, stalenessSeconds } = await bridge.engine('well');
  expect(serving).toContain(state.name);
  expect(stalenessSeconds).toBeLessThan(2);
  for (let i = 0; i < 10; i++) expect((await bridge.post('/v1/pick', { session: `s${i}` })).json.engine).toBe('well');
  expect(bridge.eventsOf('well').map(({ type }) => type)).not.toContain('drained');
  await bridge.checkMetrics();
  await bridge.checkProbes();
});

test('a first engine with any of the faults costs an input its tokenizer, not its answer', async () => {
  const server = await FaultServer.start({ '/metrics': status(200, idleMetrics, text) });
  const other = await SeenBridge.start([{ name: 'first', url: server.url }]);
  try {
    await other.reaches('first', serving);
    for (const [name, fault] of faults) {
      server.faults.clear();
      server.faults.set('*', fault);
      const { status: code, json } = await other.post('/v1/process', { text: `beside ${name}` });
      expect([name, code, json.ok]).toEqual([name, 200, true]);
      await other.context();
      await other.checkProbes();
    }
  } finally {
    await other[Symbol.asyncDispose]();
    await server.close();
  }
});
