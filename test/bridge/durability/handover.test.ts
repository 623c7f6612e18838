/**
 * Two bridges on one state directory, and the end of one under load.
 *
 * @module-tag slow
 */
import path from 'node:path';
import { expect, test } from 'vitest';
import { call, type FedSession, sameAsUndisturbed } from './fed-session.js';
import { randomOf, ShortSessions, untilDown } from './load.js';
import { fedSessions, folder, freePort, plainLines, startedBridge, stateBridge } from './state-bridge.js';

test('a second bridge waits for the lock, alive and not ready, then exits with 75 and names the holder', async () => {
  const dir = path.join(folder(), 'state');
  const first = await stateBridge(dir);
  const probe = `127.0.0.1:${await freePort()}`;
  const second = startedBridge(dir, { lockWaitMs: 2500 }, probe);
  await expect.poll(() => second.log(), { timeout: 60_000 }).toMatch('waiting for the lock of the state directory');
  expect((await fetch(`http://${probe}/livez`)).status).toBe(200);
  expect((await fetch(`http://${probe}/readyz`)).status).toBe(503);
  expect(second.out()).toBe('');
  expect(await second.code).toBe(75);
  const holder = `process ${first.process.pid} on `;
  expect(plainLines(second.log())).toEqual([
    expect.stringContaining(`dtesn bridge: The state directory ${dir} is in use by ${holder}`),
  ]);
  expect((await call(first.url, '/v1/sessions', 'POST', { id: 'still-served' })).status).toBe(201);
}, 120_000);

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'after %s of the first bridge the one that waits serves all sessions',
  async (signal) => {
    const dir = path.join(folder(), 'state');
    const first = await stateBridge(dir);
    const sessions = fedSessions(4);
    for (const session of sessions) {
      await session.create(first.url);
      await session.feed(first.url, 30);
    }
    const second = startedBridge(dir, { lockWaitMs: 120_000 });
    await expect.poll(() => second.log(), { timeout: 60_000 }).toMatch('waiting for the lock');
    for (const session of sessions) await session.feed(first.url, 30);
    expect(await first.end(signal)).toBe(signal === 'SIGTERM' ? 0 : null);
    await expect.poll(() => second.out(), { timeout: 60_000 }).toMatch('listening on');
    const url = /listening on (\S+)/.exec(second.out())![1]!;
    for (const session of sessions) {
      const answered = session.offset;
      await session.resume(url);
      if (signal === 'SIGTERM') expect(session.offset).toBe(answered);
      await session.feed(url, 30);
    }
    await sameAsUndisturbed(sessions, url, (await stateBridge(null)).url);
  },
  60_000,
);

/** Feeds until the bridge is down. Every request was answered, or found no connection. */
async function feedToTheEnd(session: FedSession, url: string, random: () => number): Promise<void> {
  for (;;) {
    const status = await session.feed(url, 1 + Math.floor(40 * random()));
    if (status === 503) session.sent = session.offset; // draining: nothing of the request was applied
  }
}

test('at SIGTERM under load each request is answered or refused whole, and all that was answered is durable', async () => {
  const dir = path.join(folder(), 'state');
  const sessions = fedSessions(12);
  const short = new ShortSessions();
  let bridge = await stateBridge(dir, { sessions: { checkpointMs: 5000 } });
  for (const session of sessions) await session.create(bridge.url);
  const random = randomOf(Date.now());
  for (let end = 0; end < 3; end++) {
    const { url } = bridge;
    const ended = untilDown([...sessions.map((session) => feedToTheEnd(session, url, random)), short.churn(url, 3)]);
    await new Promise((resolve) => setTimeout(resolve, 200 + 300 * random()));
    expect(await bridge.end('SIGTERM')).toBe(0);
    await ended;
    bridge = await stateBridge(dir, { sessions: { checkpointMs: 5000 } });
    for (const session of sessions) {
      const answered = session.offset;
      await session.resume(bridge.url);
      expect(session.offset, session.kind.id).toBe(answered);
    }
    await short.check(bridge.url);
  }
  await sameAsUndisturbed(sessions, bridge.url, (await stateBridge(null)).url);
}, 180_000);

test('another size of the network concerns new sessions alone: old ones go on to the bit', async () => {
  const dir = path.join(folder(), 'state');
  const first = await stateBridge(dir);
  const sessions = fedSessions(4);
  for (const session of sessions) {
    await session.create(first.url);
    await session.feed(first.url, 30);
  }
  const before = (await call(first.url, '/v1/sessions/s0')).json.fingerprint;
  await first.end('SIGTERM');
  const second = await stateBridge(dir, {}, { DTESN_UNITS: '96' });
  for (const session of sessions) {
    await session.resume(second.url);
    await session.feed(second.url, 30);
  }
  await call(second.url, '/v1/sessions', 'POST', { id: 'new' });
  const { json: fresh } = await call(second.url, '/v1/sessions/new');
  const { json: old } = await call(second.url, '/v1/sessions/s0');
  expect([old.fingerprint, fresh.fingerprint === before, fresh.outputs]).toEqual([before, false, 96]);
  expect((await call(second.url, '/v1/sessions', 'POST', { id: 's0' })).status).toBe(200);
  await sameAsUndisturbed(sessions, second.url, (await stateBridge(null)).url);
}, 180_000);

test('sessions whose network has no room are 409 network_changed, and are back when there is room', async () => {
  const dir = path.join(folder(), 'state');
  const first = await stateBridge(dir);
  const sessions = fedSessions(4);
  for (const session of sessions) {
    await session.create(first.url);
    await session.feed(first.url, 30);
  }
  await first.end('SIGTERM');
  const second = await stateBridge(dir, { sessions: { maxNetworks: 1 } }, { DTESN_UNITS: '96' });
  for (const { kind } of sessions) {
    for (const answer of [
      await call(second.url, `/v1/sessions/${kind.id}`),
      await call(second.url, `/v1/sessions/${kind.id}/steps`, 'POST', { from: 30, rows: [] }),
    ]) {
      expect([answer.status, answer.json.error.code]).toEqual([409, 'network_changed']);
    }
  }
  expect((await call(second.url, '/v1/sessions', 'POST', { id: 'new' })).status).toBe(201);
  await second.end('SIGKILL');
  const third = await stateBridge(dir, {}, { DTESN_UNITS: '96' });
  for (const session of sessions) {
    await session.resume(third.url);
    await session.feed(third.url, 30);
  }
  await sameAsUndisturbed(sessions, third.url, (await stateBridge(null)).url);
}, 180_000);

test('SIGTERM ends a bridge that waits for the lock with 0', async () => {
  const dir = path.join(folder(), 'state');
  await stateBridge(dir);
  const second = startedBridge(dir);
  await expect.poll(() => second.log(), { timeout: 60_000 }).toMatch('waiting for the lock');
  second.process.kill('SIGTERM');
  expect(await second.code).toBe(0);
}, 120_000);
