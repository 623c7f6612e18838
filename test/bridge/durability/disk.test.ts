/**
 * A disk that is full, one that is read-only, and files that were altered, seen through the running bridge.
 *
 * @module-tag slow
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runningBridge, startBridge } from '../running-bridge.js';
import { call, type FedSession, sameAsUndisturbed } from './fed-session.js';
import { fedSessions, folder, plainLines, stateBridge } from './state-bridge.js';

/** A small file system of its own; null where it cannot be mounted. */
function mounted(size: string): string | null {
  const dir = path.join(folder(), 'disk');
  mkdirSync(dir);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir]).status !== 0) return null;
  onTestFinished(() => {
    spawnSync('umount', ['--lazy', dir]);
  });
  return dir;
}

test('on a full disk sessions go on, degraded, and all becomes durable once there is space again', async (context) => {
  const disk = mounted('2m');
  if (disk === null) return context.skip('skipped: a tmpfs cannot be mounted here');
  const bridge = await stateBridge(path.join(disk, 'state'), { sessions: { checkpointMs: 20 } });
  const sessions = fedSessions(4);
  for (const session of sessions) {
    await session.create(bridge.url);
    await session.feed(bridge.url, 40, { ack: true });
  }
  const ballast = path.join(disk, 'ballast');
  writeFileSync(ballast, '');
  spawnSync('sh', ['-c', `cat /dev/zero > ${ballast}`]);
  await expect
    .poll(() => sessions[1]!.feed(bridge.url, 200).then(() => sessions[1]!.durability), { timeout: 60_000 })
    .toBe('degraded');
  for (const session of sessions) await session.feed(bridge.url, 30);
  const before = sessions.map(({ durable }) => durable);
  for (const session of sessions) await session.feed(bridge.url, 30);
  expect(sessions.map(({ durability }) => durability)).toEqual(sessions.map(() => 'degraded'));
  expect(sessions.map(({ durable }) => durable)).toEqual(before);
  for (const { offset, durable } of sessions) expect(durable).toBeLessThan(offset);
  const rows = [sessions[0]!.row(sessions[0]!.offset)];
  const steps = { from: sessions[0]!.offset, rows };
  const refused = await call(bridge.url, '/v1/sessions/s0/steps?ack=durable', 'POST', steps);
  expect([refused.status, refused.json.error.code]).toEqual([503, 'storage']);
  const created = await call(bridge.url, '/v1/sessions', 'POST', { id: 'late' });
  expect([created.status, created.json.error.code]).toEqual([503, 'storage']);
  expect((await fetch(`${bridge.url}/readyz`)).status).toBe(200);
  const metrics = await (await fetch(`${bridge.url}/metrics`)).text();
  expect(Number(/^dtesn_undurable_rows (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);
  expect(Number(/^dtesn_checkpoint_errors_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);

  rmSync(ballast);
  await expect
    .poll(() => call(bridge.url, '/v1/sessions/s0').then(({ json }) => json.offset - json.durable), { timeout: 60_000 })
    .toBe(0);
  expect((await call(bridge.url, '/v1/sessions/late')).status).toBe(404);
  sessions[0]!.sent++; // the row whose acknowledgement was refused was applied
  for (const session of sessions) {
    const { json } = await call(bridge.url, `/v1/sessions/${session.kind.id}`);
    expect([json.durability, json.durable]).toEqual([undefined, json.offset]);
    session.durable = json.durable;
  }
  await bridge.end('SIGKILL');
  const again = await stateBridge(path.join(disk, 'state'));
  for (const session of sessions) {
    await session.resume(again.url);
    await session.feed(again.url, 20);
  }
  await sameAsUndisturbed(sessions, again.url, (await stateBridge(null)).url);
}, 180_000);

test.for(['SIGTERM', 'SIGKILL'] as const)(
  'after %s a bridge starts on a disk that is full, and serves its sessions',
  { timeout: 180_000 },
  async (signal, context) => {
    // Directory of the mount, ballast, state, lock, one segment and one ahead: no file can be made beyond.
    const disk = mounted('1m,nr_inodes=6');
    if (disk === null) return context.skip('skipped: a tmpfs cannot be mounted here');
    const dir = path.join(disk, 'state');
    const first = await stateBridge(dir);
    const sessions = fedSessions(4);
    for (const session of sessions) {
      await session.create(first.url);
      await session.feed(first.url, 30, { ack: true });
    }
    const before = sessions.map(({ durable }) => durable);
    expect(await first.end(signal)).toBe(signal === 'SIGTERM' ? 0 : null);
    const ballast = path.join(disk, 'ballast');
    spawnSync('sh', ['-c', `cat /dev/zero > ${ballast}; touch ${disk}/one ${disk}/two`]);
    const second = await stateBridge(dir, { sessions: { checkpointMs: 20 } });
    for (const session of sessions) {
      await session.resume(second.url);
      await session.feed(second.url, 30);
    }
    await expect.poll(() => sessions[0]!.feed(second.url, 1).then(() => sessions[0]!.durability)).toBe('degraded');
    rmSync(path.join(disk, 'one'), { force: true });
    rmSync(path.join(disk, 'two'), { force: true });
    rmSync(ballast);
    await expect
      .poll(() => call(second.url, '/v1/sessions/s0').then(({ json }) => json.offset - json.durable), {
        timeout: 60_000,
      })
      .toBe(0);
    expect(await sessions[0]!.feed(second.url, 1, { ack: true })).toBe(200);
    await second.end('SIGKILL');
    const third = await stateBridge(dir);
    for (const [index, session] of sessions.entries()) {
      await session.resume(third.url);
      expect(session.offset).toBeGreaterThan(before[index]!);
    }
    await sameAsUndisturbed(sessions, third.url, (await stateBridge(null)).url);
  },
);

test('a state directory on a read-only mount ends the start with 78 and one line', async (context) => {
  const disk = mounted('1m');
  if (disk === null) return context.skip('skipped: a tmpfs cannot be mounted here');
  const made = path.join(disk, 'state');
  mkdirSync(made, { mode: 0o700 });
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  for (const dir of [made, path.join(disk, 'other')]) {
    const child = startBridge({ args: ['--state-dir', dir] });
    let log = '';
    child.stderr.on('data', (chunk) => {
      log += chunk;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, plainLines(log)]).toEqual([78, [`dtesn bridge: The state directory ${dir} cannot be used: EROFS`]]);
  }
});

test('the state directory has mode 0700 and its files 0600, whatever the umask, and also where it was 0777', async () => {
  const dir = path.join(folder(), 'volume');
  mkdirSync(dir);
  chmodSync(dir, 0o777);
  const bridge = await runningBridge({ args: ['--state-dir', dir] });
  onTestFinished(() => bridge[Symbol.asyncDispose]());
  await call(bridge.url, '/v1/sessions', 'POST', { id: 'one' });
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  const modes = readdirSync(dir).map((name) => statSync(path.join(dir, name)).mode & 0o777);
  expect(modes.length).toBeGreaterThan(1);
  expect(new Set(modes)).toEqual(new Set([0o600]));
});

/** A killed bridge whose sessions have 60 durable rows each. */
async function killedState(count: number, options = {}) {
  const dir = path.join(folder(), 'state');
  const bridge = await stateBridge(dir, options);
  const sessions = fedSessions(count);
  for (const session of sessions) await session.create(bridge.url);
  for (let turn = 0; turn < 3; turn++) for (const session of sessions) await session.feed(bridge.url, 20);
  for (const session of sessions) await session.feed(bridge.url, 1, { ack: true });
  return { dir, bridge, sessions };
}

function newest(dir: string, kind: 'segment' | 'snapshot'): string {
  const names = readdirSync(dir).filter((name) => name.startsWith(kind) && statSync(path.join(dir, name)).size > 0);
  return path.join(dir, names.sort().at(-1)!);
}

test('garbage behind the last record, as of a torn write, is cut and costs nothing', async () => {
  const { dir, bridge, sessions } = await killedState(4);
  await bridge.end('SIGKILL');
  const segment = newest(dir, 'segment');
  const bytes = readFileSync(segment);
  writeFileSync(segment, Buffer.concat([bytes, bytes.subarray(1000, 1333)]));
  const again = await stateBridge(dir);
  for (const session of sessions) {
    await session.resume(again.url);
    await session.feed(again.url, 20);
  }
  await sameAsUndisturbed(sessions, again.url, (await stateBridge(null)).url);
}, 180_000);

test('a segment cut short gives sessions with fewer rows, which go on from there to the bit', async () => {
  const { dir, bridge, sessions } = await killedState(4);
  await bridge.end('SIGKILL');
  const segment = newest(dir, 'segment');
  truncateSync(segment, Math.floor(0.7 * statSync(segment).size));
  const again = await stateBridge(dir);
  for (const session of sessions) {
    session.durable = 0; // the disk did not keep what it had confirmed
    await session.resume(again.url);
    while (session.offset < 61) await session.feed(again.url, 20);
  }
  await sameAsUndisturbed(sessions, again.url, (await stateBridge(null)).url);
}, 180_000);

test('a flipped byte in the rows of one session quarantines that session alone', async () => {
  const { dir, bridge, sessions } = await killedState(4);
  await bridge.end('SIGKILL');
  const segment = newest(dir, 'segment');
  const bytes = readFileSync(segment);
  const at = bytes.indexOf(Buffer.from(Float32Array.from(sessions[1]!.row(25)).buffer));
  expect(at).toBeGreaterThan(0);
  bytes[at + 5]! ^= 4;
  writeFileSync(segment, bytes);
  await onlyTheSecondIsQuarantined(dir, sessions);
}, 180_000);

test('an altered state in a snapshot quarantines that session alone', async () => {
  const { dir, bridge, sessions } = await killedState(4, { sessions: { checkpointMs: 5, stateMaxBytes: 2 ** 20 } });
  for (let turn = 0; turn < 80; turn++) await sessions[1]!.feed(bridge.url, 300, { ack: true });
  await expect.poll(() => readdirSync(dir).some((name) => /^snapshot-\d+$/.test(name)), { timeout: 60_000 }).toBe(true);
  await bridge.end('SIGKILL');
  const snapshot = newest(dir, 'snapshot');
  const bytes = readFileSync(snapshot);
  const [begin, end] = ['s1', 's2'].map((id) => bytes.indexOf(`"id":"${id}"`));
  expect(end).toBeGreaterThan(begin!);
  bytes[Math.floor((begin! + end!) / 2)]! ^= 16;
  writeFileSync(snapshot, bytes);
  await onlyTheSecondIsQuarantined(dir, sessions);
}, 180_000);

async function onlyTheSecondIsQuarantined(dir: string, sessions: FedSession[]) {
  const [, damaged] = sessions;
  const sound = sessions.filter((session) => session !== damaged);
  const undisturbed = await stateBridge(null);
  for (let start = 0; start < 2; start++) {
    const again = await stateBridge(dir);
    const { json } = await call(again.url, '/v1/sessions');
    expect(json.items.map((item: { id: string; blocked?: string }) => [item.id, item.blocked])).toEqual(
      sessions.map((session) => [session.kind.id, session === damaged ? 'quarantined' : undefined]),
    );
    const refused = await call(again.url, '/v1/sessions/s1/steps', 'POST', { from: 0, rows: [] });
    expect([refused.status, refused.json.error.code]).toEqual([503, 'storage']);
    for (const session of sound) {
      await session.resume(again.url);
      await session.feed(again.url, 20);
    }
    expect((await fetch(`${again.url}/readyz`)).status).toBe(200);
    if (start === 1) {
      await sameAsUndisturbed(sound, again.url, undisturbed.url);
      expect((await call(again.url, '/v1/sessions/s1', 'DELETE')).status).toBe(200);
      await damaged!.create(again.url);
    }
    await again.end('SIGKILL');
  }
}
