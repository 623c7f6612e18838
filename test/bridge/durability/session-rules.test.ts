/**
 * The rules of sessions that a careful client relies on, each by requests to the running bridge, most of them over a restart.
 *
 * @module-tag slow
 */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BridgeOptions } from '../../../src/bridge/index.js';
import { call } from './fed-session.js';
import { folder, stateBridge } from './state-bridge.js';

const rows = (count: number, value = 0.5): number[][] => Array.from({ length: count }, () => Array(16).fill(value));

/** A bridge with sessions by id, and the same after kill -9. */
async function bridgeWith(ids: readonly string[], options: BridgeOptions = {}) {
  const dir = path.join(folder(), 'state');
  const at = { bridge: await stateBridge(dir, options) };
  const post = async (route: string, body: object) => {
    const { status, json } = await call(at.bridge.url, `/v1/sessions${route}`, 'POST', body);
    return [status, json.error?.code ?? json] as const;
  };
  const get = (route: string) => call(at.bridge.url, `/v1/sessions${route}`);
  const restart = async () => {
    await at.bridge.end('SIGKILL');
    at.bridge = await stateBridge(dir, options);
  };
  for (const id of ids) expect((await post('', { id }))[0]).toBe(201);
  return { post, get, restart, url: () => at.bridge.url };
}

describe('over kill -9', { timeout: 180_000 }, () => {
  test('a session that is created or deleted is answered when that is durable', async () => {
    const { get, post, restart, url } = await bridgeWith(['a', 'A', 'b']);
    expect((await call(url(), '/v1/sessions/b', 'DELETE')).status).toBe(200);
    await restart();
    expect([(await get('/a')).status, (await get('/A')).status]).toEqual([200, 200]);
    const gone = await get('/b');
    expect([gone.status, gone.json.error.code]).toEqual([410, 'session_gone']);
    const unknown = await get('/c');
    expect([unknown.status, unknown.json.error.code]).toEqual([404, 'session_unknown']);
    expect((await post('', { id: 'b' }))[0]).toBe(201);
    await restart();
    expect((await get('/b')).status).toBe(200);
  });

  test('a late retry cannot feed a session that was created again: another epoch is 409', async () => {
    const { get, post, restart, url } = await bridgeWith(['a']);
    const { epoch } = (await get('/a')).json;
    await call(url(), '/v1/sessions/a', 'DELETE');
    await post('', { id: 'a' });
    await restart();
    expect(await post('/a/steps', { from: 0, rows: rows(1), epoch })).toEqual([409, 'session_epoch']);
    const now = (await get('/a')).json;
    expect([now.offset, now.epoch === epoch]).toEqual([0, false]);
    expect((await post('/a/steps', { from: 0, rows: rows(1), epoch: now.epoch }))[0]).toBe(200);
  });

  test('?ack=durable answers rows that survive; rows below the offset are skipped, a gap says where to go on', async () => {
    const { get, post, restart, url } = await bridgeWith(['a']);
    const [, acked] = await post('/a/steps?ack=durable', { from: 0, rows: rows(10) });
    expect(acked).toMatchObject({ offset: 10, durable: 10, outputsFrom: 0 });
    await restart();
    expect((await get('/a')).json).toMatchObject({ offset: 10, durable: 10 });
    const [, more] = await post('/a/steps', { from: 4, rows: rows(10) });
    expect(more).toMatchObject({ offset: 14, outputsFrom: 10 });
    expect(more.outputs.length).toBe(4);
    const [, again] = await post('/a/steps', { from: 10, rows: rows(4) });
    expect(again).toMatchObject({ offset: 14, outputsFrom: 10, outputs: more.outputs });
    const gap = await call(url(), '/v1/sessions/a/steps', 'POST', { from: 15, rows: rows(1) });
    expect(gap).toMatchObject({ status: 409, json: { error: { code: 'offset_gap', next: 14 } } });
    expect(gap.json.error.durable).toBeGreaterThanOrEqual(10);
  });

  test('the lists of ids come in pages, in order', async () => {
    const ids = ['b', 'A', 'a:1', 'a.2', 'a_3', 'a-4'];
    const { get, restart } = await bridgeWith(ids);
    await restart();
    const sorted = [...ids].sort();
    const first = (await get('?limit=4')).json;
    const second = (await get(`?limit=4&after=${encodeURIComponent(first.next)}`)).json;
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(sorted);
    expect(second.next).toBeUndefined();
  });

  test('bounds hold: maxSessions and maxRlsBytes are 429, and count the sessions that were recovered', async () => {
    const options = { sessions: { maxSessions: 3, maxRlsBytes: 8 * 64 ** 2 } };
    const { post, restart } = await bridgeWith(['a'], options);
    expect((await post('', { id: 'l', targets: { outputs: 1 } }))[0]).toBe(201);
    await restart();
    expect(await post('', { id: 'm', targets: { outputs: 1 } })).toEqual([429, 'sessions_full']);
    expect((await post('', { id: 'b' }))[0]).toBe(201);
    expect(await post('', { id: 'c' })).toEqual([429, 'sessions_full']);
  });

  test('a session that was idle too long is 410, also after a restart', async () => {
    const { get, post, restart } = await bridgeWith(['a'], { sessions: { idleMs: 1000 } });
    await expect.poll(async () => (await get('/a')).status, { timeout: 60_000 }).toBe(410);
    await post('', { id: 'b' }); // durable, and so is what ended before it
    await restart();
    expect((await get('/a')).status).toBe(410);
  });
});

test('all rows of a request are checked before any is applied', async () => {
  const { get, post } = await bridgeWith(['a', 'l']);
  const bad = [
    { from: 0, rows: [...rows(3), Array(15).fill(0)] },
    { from: 0, rows: [...rows(3), [...Array(15).fill(0), 1e39]] },
    { from: 0, rows: rows(3), targets: [[1], [1], [1]] },
  ];
  for (const steps of bad) expect(await post('/a/steps', steps)).toEqual([422, 'impossible']);
  expect((await post('/a/steps', { from: 0, rows: [...rows(3), Array(16).fill('x')] }))[0]).toBe(400);
  expect((await get('/a')).json.offset).toBe(0);
}, 60_000);

test('POST of an id that exists is 200 with the same network, 409 with another or other settings', async () => {
  const other = { kind: 'Reservoir' as const, options: { units: 32, inputs: 16 } };
  const { post } = await bridgeWith(['a'], { networks: { other } });
  await post('/a/steps', { from: 0, rows: rows(5) });
  expect(await post('', { id: 'a' })).toMatchObject([200, { id: 'a', offset: 5 }]);
  expect(await post('', { id: 'a', network: 'other' })).toEqual([409, 'session_exists']);
  expect(await post('', { id: 'a', targets: { outputs: 1 } })).toEqual([409, 'session_exists']);
  for (const id of ['', 'a b', 'ä', 'x'.repeat(129)]) expect((await post('', { id }))[0], id).toBe(400);
  const [status, made] = await post('', {});
  expect([status, /^[A-Za-z0-9._:-]{1,128}$/.test(made.id)]).toEqual([201, true]);
}, 60_000);

test('requests on one session run one after the other, whatever their order on the wire', async () => {
  const { get, post } = await bridgeWith(['a', 'b']);
  const requests = Array.from({ length: 20 }, () => post('/a/steps', { from: 0, rows: rows(7) }));
  for (const [status, answer] of await Promise.all(requests)) expect([status, answer.offset]).toEqual([200, 7]);
  expect((await get('/a')).json.offset).toBe(7);
  const items = [
    { id: 'b', from: 0, rows: rows(2) },
    { id: 'absent', from: 0, rows: rows(1) },
    { id: 'b', from: 2, rows: rows(3) },
    { id: 'b', from: 9, rows: rows(1) },
  ];
  const [, many] = await post('/steps?ack=durable', { items });
  expect(many.items).toMatchObject([
    { id: 'b' },
    { id: 'absent', error: { code: 'session_unknown' } },
    { id: 'b', offset: 5, durable: 5 },
    { id: 'b', error: { code: 'offset_gap', next: 5 } },
  ]);
}, 60_000);
