import { describe, expect, test } from 'vitest';
import { bridgeErrorCodes } from '../../../src/bridge/messages/index.js';
import { Heartbeat, type HeartbeatView, heartbeatView, phases, probeAnswer } from '../../../src/bridge/probes/index.js';
import { ManualClock } from '../../manual-clock.js';

const serving: HeartbeatView = {
  beatMs: 1000,
  phase: 'serving',
  listeners: true,
  network: true,
  state: true,
  done: 0,
  total: 0,
  livenessMs: 30_000,
};

const statusOf = (view: Partial<HeartbeatView>, path: string, ageMs = 0) =>
  probeAnswer({ ...serving, ...view }, path, 1000 + ageMs)!.status;

describe('readiness', () => {
  test('is 200 while all conditions hold and the last beat is younger than two seconds', () => {
    expect(statusOf({}, '/readyz', 1999)).toBe(200);
    expect(statusOf({}, '/health', 1999)).toBe(200);
    expect(statusOf({}, '/readyz', 2000)).toBe(503);
  });

  test.each([
    { listeners: false },
    { network: false },
    { state: false },
    { phase: 'building' },
    { phase: 'recovering' },
    { phase: 'draining' },
    { phase: 'stopping' },
  ] as const)('is 503 with %o', (view) => {
    expect(statusOf(view, '/readyz')).toBe(503);
    expect(statusOf(view, '/livez')).toBe(200);
  });
});

describe('liveness', () => {
  test('fails with an old beat, but not while the network is built or the state recovered', () => {
    const at = (phase: HeartbeatView['phase'], ageMs: number) => statusOf({ phase }, '/livez', ageMs);
    expect([at('serving', 30_000), at('serving', 30_001), at('draining', 30_001)]).toEqual([200, 503, 503]);
    expect([at('building', 1e6), at('recovering', 1e6)]).toEqual([200, 200]);
    expect(statusOf({}, '/healthz', 30_001)).toBe(503);
  });
});

test('verbose lists each condition, the age of the beat and the progress', () => {
  const view = { ...serving, phase: 'recovering' as const, state: false, done: 3, total: 10 };
  expect(JSON.parse(probeAnswer(view, '/readyz?verbose', 1250)!.body)).toEqual({
    status: 'unavailable',
    phase: 'recovering',
    error: { code: 'starting', message: 'Not ready: state, serving' },
    conditions: { heartbeat: true, listeners: true, network: true, state: false, serving: false },
    heartbeatAgeMs: 250,
    progress: { done: 3, total: 10 },
  });
});

test('every code of an answer is one of the closed set', () => {
  const codes = phases.flatMap((phase) =>
    [0, 1e6].flatMap((ageMs) => {
      const body = JSON.parse(probeAnswer({ ...serving, phase }, '/readyz', 1000 + ageMs)!.body);
      return body.error === undefined ? [] : [body.error.code];
    }),
  );
  expect(new Set(codes)).toEqual(new Set(['stalled', 'draining', 'starting']));
  expect(bridgeErrorCodes).toEqual(expect.arrayContaining(codes));
});

test('another path is no probe', () => {
  expect(probeAnswer(serving, '/metrics', 1000)).toBeNull();
  expect(probeAnswer(serving, '/livez/', 1000)).toBeNull();
});

test('a heartbeat writes phase, conditions and progress into the shared memory, and beats until it is closed', async () => {
  const clock = new ManualClock();
  const heartbeat = new Heartbeat({ clock, livenessMs: 500 });
  expect(heartbeatView(heartbeat.shared)).toMatchObject({ phase: 'building', listeners: false, livenessMs: 500 });
  for (const phase of phases) {
    heartbeat.phase(phase);
    expect(heartbeat.view().phase).toBe(phase);
  }
  heartbeat.ready({ listeners: true, state: true });
  heartbeat.ready({ listeners: false, network: true });
  heartbeat.progress(7, 9);
  const view = heartbeatView(heartbeat.shared);
  expect(view).toMatchObject({ listeners: false, network: true, state: true, done: 7, total: 9 });
  await clock.pass(100);
  expect(heartbeat.view().beatMs).toBeGreaterThan(view.beatMs);
  heartbeat.close();
  expect(clock.waiting).toBe(0);
});
