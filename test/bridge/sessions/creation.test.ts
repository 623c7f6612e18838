/** Creation, listing, deletion and idle expiry of sessions, and the networks they are pinned to. */
import { describe, expect, test } from 'vitest';
import { MetricsRegistry } from '../../../src/bridge/metrics/index.js';
import { treeDefinition } from '../../../src/bridge/sessions/index.js';
import { ManualClock } from '../../manual-clock.js';
import { lists, networksOf, rowsOf, start, tree } from './fixtures.js';

const other = treeDefinition({ depth: 2, units: 12, inputs: 2, seed: 1 });
const third = treeDefinition({ depth: 2, units: 14, inputs: 2, seed: 1 });

describe('create', () => {
  test('a new id is created, at offset 0, with a random epoch', async () => {
    const service = await start();
    const a = await service.create({ id: 'a' });
    const b = await service.create({ id: 'b' });
    expect(a).toMatchObject({ created: true, session: { id: 'a', offset: 0, durable: 0 } });
    expect(a.session.epoch).not.toBe(b.session.epoch);
  });

  test('without an id the service makes one that follows the law of ids', async () => {
    const service = await start();
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await service.create()).session.id));
    expect(new Set(ids).size).toBe(20);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9._:-]{1,128}$/);
  });

  test.each(['', 'a b', 'a/b', 'ä', 'a\n', 'x'.repeat(129)])('the id %j is malformed', async (id) => {
    const service = await start();
    await expect(service.create({ id })).rejects.toMatchObject({ code: 'malformed' });
  });

  test('ids are case-sensitive', async () => {
    const service = await start();
    await service.create({ id: 'a' });
    expect((await service.create({ id: 'A' })).created).toBe(true);
  });

  test('an id that exists with the same network is answered with its offset, with another it is session_exists', async () => {
    const service = await start({ definitions: { default: tree, other } });
    const { session } = await service.create({ id: 'a' });
    await service.steps('a', { from: 0, rows: rowsOf(0, 4) });
    const again = await service.create({ id: 'a', network: 'default' });
    expect(again).toMatchObject({ created: false, session: { epoch: session.epoch, offset: 4 } });
    await expect(service.create({ id: 'a', network: 'other' })).rejects.toMatchObject({ code: 'session_exists' });
    const learning = service.create({ id: 'a', targets: { outputs: 1 } });
    await expect(learning).rejects.toMatchObject({ code: 'session_exists' });
  });

  test('two creations of one id at the same time make one session', async () => {
    const service = await start();
    const both = await Promise.all([service.create({ id: 'a' }), service.create({ id: 'a' })]);
    expect(both.map(({ created }) => created)).toEqual([true, false]);
    expect(both[0].session.epoch).toBe(both[1].session.epoch);
  });

  test('a network that has two names is found again under the default one', async () => {
    const service = await start({ definitions: { alias: tree, default: tree } });
    await service.create({ id: 'a' });
    expect((await service.create({ id: 'a' })).created).toBe(false);
    expect(service.describe('a').network).toBe('default');
  });

  test('an unknown network and columns beyond the outputs are impossible', async () => {
    const service = await start();
    await expect(service.create({ network: 'none' })).rejects.toMatchObject({ code: 'impossible' });
    await expect(service.create({ outputs: [40] })).rejects.toMatchObject({ code: 'impossible' });
    await expect(service.create({ outputs: [] })).rejects.toMatchObject({ code: 'malformed' });
  });

  test('beyond maxSessions it is sessions_full until one ends; a full memory is memory', async () => {
    let full = false;
    const service = await start({ maxSessions: 2, memoryFull: () => full });
    await service.create({ id: 'a' });
    await service.create({ id: 'b' });
    await expect(service.create({ id: 'c' })).rejects.toMatchObject({ code: 'sessions_full', status: 429 });
    expect((await service.create({ id: 'b' })).created).toBe(false);
    await service.remove('a');
    full = true;
    await expect(service.create({ id: 'c' })).rejects.toMatchObject({ code: 'memory', status: 429 });
    full = false;
    expect((await service.create({ id: 'c' })).created).toBe(true);
  });

  test('learners beyond maxRlsBytes are sessions_full, and the end of one makes room', async () => {
    const service = await start({ maxRlsBytes: 2 * 8 * 40 ** 2 });
    await service.create({ id: 'a', targets: { outputs: 1 } });
    await service.create({ id: 'b', targets: { outputs: 1 } });
    await expect(service.create({ targets: { outputs: 1 } })).rejects.toMatchObject({ code: 'sessions_full' });
    await service.create({ id: 'plain' });
    await service.remove('a');
    expect((await service.create({ targets: { outputs: 1 } })).created).toBe(true);
  });
});

describe('the end', () => {
  test('an unknown id is session_unknown, a deleted one session_gone for an hour, then unknown', async () => {
    const clock = new ManualClock();
    const service = await start({ clock });
    expect(() => service.describe('a')).toThrow(expect.objectContaining({ code: 'session_unknown' }));
    await service.create({ id: 'a' });
    await service.remove('a');
    expect(() => service.describe('a')).toThrow(expect.objectContaining({ code: 'session_gone' }));
    await expect(service.steps('a', { from: 0, rows: [] })).rejects.toMatchObject({ code: 'session_gone' });
    await expect(service.remove('a')).rejects.toMatchObject({ code: 'session_gone' });
    await clock.pass(3_600_000 - 1);
    expect(() => service.describe('a')).toThrow(expect.objectContaining({ code: 'session_gone' }));
    await clock.pass(2);
    expect(() => service.describe('a')).toThrow(expect.objectContaining({ code: 'session_unknown' }));
  });

  test('a deleted id can be created again: a late retry with the old epoch is refused', async () => {
    const service = await start();
    const before = (await service.create({ id: 'a' })).session;
    await service.steps('a', { from: 0, rows: rowsOf(0, 5) });
    await service.remove('a');
    const after = await service.create({ id: 'a' });
    expect(after).toMatchObject({ created: true, session: { offset: 0 } });
    const late = service.steps('a', { from: 0, rows: rowsOf(0, 5), epoch: before.epoch });
    await expect(late).rejects.toMatchObject({ code: 'session_epoch' });
  });

  test('the state of an ended session is not that of the next one in its place', async () => {
    const service = await start();
    await service.create({ id: 'a' });
    const first = await service.steps('a', { from: 0, rows: rowsOf(0, 5) });
    await service.remove('a');
    await service.create({ id: 'b' });
    expect((await service.steps('b', { from: 0, rows: rowsOf(0, 5) })).outputs).toEqual(first.outputs);
  });

  test('deletion waits for the request under way, and refuses those behind it', async () => {
    const service = await start();
    await service.create({ id: 'a' });
    const begun = service.steps('a', { from: 0, rows: rowsOf(0, 300) });
    await new Promise((turn) => setImmediate(turn));
    await new Promise((turn) => setImmediate(turn));
    const behind = service.steps('a', { from: 300, rows: rowsOf(300, 1) });
    const refused = expect(behind).rejects.toMatchObject({ code: 'session_gone' });
    const removed = await service.remove('a');
    expect(removed.offset).toBe(300);
    expect((await begun).offset).toBe(300);
    await refused;
  });

  test('a session without steps for idleMs expires; steps keep it', async () => {
    const clock = new ManualClock();
    const service = await start({ clock, idleMs: 10_000 });
    await service.create({ id: 'idle' });
    await service.create({ id: 'used' });
    await clock.pass(6000);
    await service.steps('used', { from: 0, rows: rowsOf(0, 1) });
    await clock.pass(6000);
    expect(() => service.describe('idle')).toThrow(expect.objectContaining({ code: 'session_gone' }));
    expect(service.describe('used').offset).toBe(1);
    await clock.pass(6000);
    expect(() => service.describe('used')).toThrow(expect.objectContaining({ code: 'session_gone' }));
  });
});

test('list pages through the sessions in the order of their ids', async () => {
  const service = await start();
  for (const id of ['b', 'a', 'C', 'd', '1']) await service.create({ id });
  const first = service.list({ limit: 2 });
  expect(first.items.map(({ id }) => id)).toEqual(['1', 'C']);
  const second = service.list({ limit: 2, after: first.next });
  expect(second.items.map(({ id }) => id)).toEqual(['a', 'b']);
  expect(service.list({ limit: 2, after: second.next })).toEqual({ items: [service.describe('d')] });
  expect(service.list().items).toHaveLength(5);
  expect(() => service.list({ limit: 0 })).toThrow(expect.objectContaining({ code: 'malformed' }));
});

describe('networks', () => {
  test('a session stays with the network it began with, and new ones take the new network', async () => {
    const service = await start();
    await service.create({ id: 'old' });
    await service.create({ id: 'undisturbed' });
    const rows = rowsOf(0, 20);
    const before = await service.steps('old', { from: 0, rows: rows.slice(0, 10) });
    const { fingerprint } = service.describe('old');
    service.replaceNetworks(await networksOf({ default: other }));
    await service.create({ id: 'new' });
    expect(service.describe('new').inputs).toBe(2);
    expect(service.describe('old').fingerprint).toBe(fingerprint);
    const after = await service.steps('old', { from: 10, rows: rows.slice(10) });
    const whole = await service.steps('undisturbed', { from: 0, rows });
    expect([...lists(before.outputs), ...lists(after.outputs)]).toEqual(lists(whole.outputs));
  });

  test('an old network counts until its last session ends; beyond maxNetworks nothing changes', async () => {
    const service = await start({ maxNetworks: 2 });
    await service.create({ id: 'a' });
    await service.create({ id: 'b' });
    service.replaceNetworks(await networksOf({ default: other }));
    const next = await networksOf({ default: other, third });
    expect(() => service.replaceNetworks(next)).toThrow(expect.objectContaining({ code: 'impossible' }));
    await expect(service.create({ network: 'third' })).rejects.toMatchObject({ code: 'impossible' });
    await service.remove('a');
    expect(() => service.replaceNetworks(next)).toThrow(/maxNetworks/);
    await service.remove('b');
    service.replaceNetworks(next);
    expect((await service.create({ network: 'third' })).created).toBe(true);
  });

  test('weights beyond networkBytes are refused', async () => {
    const [made] = await networksOf({ default: tree });
    const networkBytes = made!.network.bytes;
    made!.network.close();
    const service = await start({ networkBytes });
    const next = await networksOf({ default: tree, other });
    expect(() => service.replaceNetworks(next)).toThrow(/networkBytes/);
    for (const { network } of next) network.close();
  });

  test('an unchanged network is kept: its sessions and new ones share it', async () => {
    const service = await start({ maxNetworks: 1 });
    await service.create({ id: 'a' });
    service.replaceNetworks(await networksOf({ default: tree }));
    await service.create({ id: 'b' });
    expect(service.describe('b').fingerprint).toBe(service.describe('a').fingerprint);
    expect((await service.steps('b', { from: 0, rows: rowsOf(0, 2) })).offset).toBe(2);
  });

  test('networks without a default are refused', async () => {
    await expect(start({ definitions: { other } })).rejects.toMatchObject({ code: 'impossible' });
  });
});

test('the metrics count sessions and rows', async () => {
  const metrics = new MetricsRegistry();
  const service = await start({ metrics });
  await service.create({ id: 'a' });
  await service.steps('a', { from: 0, rows: rowsOf(0, 5) });
  await service.steps('a', { from: 3, rows: rowsOf(3, 4) });
  await service.steps('a', { from: 9, rows: rowsOf(9, 3) }).catch(() => undefined);
  const page = metrics.text();
  expect(page).toContain('dtesn_sessions 1');
  expect(page).toContain('dtesn_session_rows_total{result="applied"} 7');
  expect(page).toContain('dtesn_session_rows_total{result="skipped"} 2');
  expect(page).toContain('dtesn_session_rows_total{result="refused"} 3');
});
