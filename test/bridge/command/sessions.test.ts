/** Bounds of sessions in the running command: idle time, bytes on disk, bytes of networks. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { call } from '../durability/fed-session.js';
import { folder, stateBridge } from '../durability/state-bridge.js';

interface Message {
  error?: { code: string; message: string };
  offset?: number;
  items?: Message[];
}

const rows = (count: number, from = 0) =>
  Array.from({ length: count }, (_, row) => Array.from({ length: 16 }, (_, column) => Math.sin(from + row + column)));
const code = ({ status, json }: { status: number; json: { error?: { code: string } } }) => [status, json.error?.code];

test('a session without steps for idleMs is 410, one with steps stays, and both hold after a restart', {
  tags: ['slow'],
}, async () => {
  const state = folder();
  const options = { sessions: { idleMs: 2000 } };
  const bridge = await stateBridge(state, options);
  for (const id of ['idle', 'busy']) {
    expect((await call(bridge.url, '/v1/sessions', 'POST', { id, outputs: [0] })).status).toBe(201);
  }
  let from = 0;
  const end = performance.now() + 4500;
  while (performance.now() < end) {
    const { status, json } = await call(bridge.url, '/v1/sessions/busy/steps', 'POST', { from, rows: rows(1, from) });
    expect([status, json.offset]).toEqual([200, ++from]);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  expect(code(await call(bridge.url, '/v1/sessions/idle'))).toEqual([410, 'session_gone']);
  const late = await call(bridge.url, '/v1/sessions/idle/steps', 'POST', { from: 0, rows: rows(1) });
  expect(code(late)).toEqual([410, 'session_gone']);
  expect(code(await call(bridge.url, '/v1/sessions/never'))).toEqual([404, 'session_unknown']);
  expect((await call(bridge.url, '/v1/sessions')).json.items.map(({ id }: { id: string }) => id)).toEqual(['busy']);
  expect(await bridge.end()).toBe(0);
  const next = await stateBridge(state);
  expect(code(await call(next.url, '/v1/sessions/idle'))).toEqual([410, 'session_gone']);
  expect((await call(next.url, '/v1/sessions/busy')).json).toMatchObject({ offset: from, durable: from });
  // The id is free again, under another epoch.
  expect((await call(next.url, '/v1/sessions', 'POST', { id: 'idle', outputs: [0] })).status).toBe(201);
});

test('a journal of stateMaxBytes refuses rows with 503 storage, and takes them once sessions were deleted', {
  tags: ['slow'],
  timeout: 60_000,
}, async () => {
  const state = folder();
  const bridge = await stateBridge(state, { sessions: { stateMaxBytes: 2 ** 20, checkpointMs: 20 } });
  const make = (id: string) => call(bridge.url, '/v1/sessions', 'POST', { id, targets: { outputs: 1 }, outputs: [0] });
  const made: string[] = [];
  let full: { status: number; json: { error?: { code: string } } } | null = null;
  // States of learners fill the snapshots, which no compaction can make smaller.
  for (let i = 0; i < 200 && full === null; i++) {
    const one = await make(`s${i}`);
    if (one.status !== 201) {
      full = one;
      break;
    }
    made.push(`s${i}`);
    for (let from = 0; from < 400 && full === null; from += 200) {
      const targets = rows(200, from).map(([first]) => [first!]);
      const answer = await call(bridge.url, `/v1/sessions/s${i}/steps`, 'POST', {
        from,
        rows: rows(200, from),
        targets,
      });
      if (answer.status !== 200) full = answer;
    }
  }
  expect(full && code(full)).toEqual([503, 'storage']);
  const place = (await call(bridge.url, `/v1/sessions/${made[0]}`)).json;
  const more = () => call(bridge.url, `/v1/sessions/${made[0]}/steps`, 'POST', { from: place.offset, rows: rows(100) });
  const refused = await more();
  expect([200, 503]).toContain(refused.status);
  expect((await fetch(`${bridge.url}/readyz`)).status).toBe(200);
  for (const id of made.slice(1)) expect((await call(bridge.url, `/v1/sessions/${id}`, 'DELETE')).status).toBe(200);
  await expect.poll(async () => (await more()).status, { timeout: 10_000 }).toBe(200);
  expect((await make('again')).status).toBe(201);
  const sure = await call(bridge.url, '/v1/sessions/again/steps?ack=durable', 'POST', { from: 0, rows: rows(3) });
  expect(sure.json).toMatchObject({ offset: 3, durable: 3 });
  const before = (await call(bridge.url, `/v1/sessions/${made[0]}`)).json;
  await bridge.end('SIGKILL');
  const next = await stateBridge(state);
  const after = (await call(next.url, `/v1/sessions/${made[0]}`)).json;
  expect(after.offset).toBeGreaterThanOrEqual(before.durable);
  expect(after.epoch).toBe(before.epoch);
});

test('a network beyond networkBytes refuses the change with 422 and changes nothing; within it the change is taken', async () => {
  const token = 'canary-token-of-the-administrator-0123456789';
  const file = path.join(folder(), 'admin');
  writeFileSync(file, token, { mode: 0o600 });
  const bridge = await stateBridge(null, { adminTokenFile: file, sessions: { networkBytes: 4 * 2 ** 20 } });
  const change = async (changes: object) => {
    const answer = await fetch(`${bridge.url}/v1/config`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ changes }),
    });
    return { status: answer.status, json: (await answer.json()) as Message };
  };
  expect((await call(bridge.url, '/v1/sessions', 'POST', { id: 'old', outputs: [0] })).status).toBe(201);
  const before = (await call(bridge.url, '/v1/config')).json;
  const old = (await call(bridge.url, '/v1/sessions/old')).json;
  const large = await change({
    'networks.large': { kind: 'Reservoir', options: { units: 1200, inputs: 4, density: 1 } },
  });
  expect([large.status, large.json.error?.code, large.json.error?.message]).toEqual([
    422,
    'impossible',
    expect.stringContaining('networkBytes'),
  ]);
  expect((await call(bridge.url, '/v1/config')).json).toEqual(before);
  expect(code(await call(bridge.url, '/v1/sessions', 'POST', { network: 'large' }))).toEqual([422, 'impossible']);
  const lower = await change({ 'sessions.networkBytes': 10 });
  expect([lower.status, lower.json.error?.code]).toEqual([422, 'impossible']);
  const small = await change({ 'networks.small': { kind: 'Reservoir', options: { units: 50, inputs: 4 } } });
  expect(small.status, JSON.stringify(small.json)).toBe(200);
  expect((await call(bridge.url, '/v1/sessions', 'POST', { id: 'new', network: 'small' })).status).toBe(201);
  expect((await call(bridge.url, '/v1/sessions/old')).json.fingerprint).toBe(old.fingerprint);
});

test('rows that are not begun within x-dtesn-budget-ms are 504 and not applied, those with time left are', {
  tags: ['slow'],
}, async () => {
  const bridge = await stateBridge(null, {}, { DTESN_UNITS: '1024' });
  expect((await call(bridge.url, '/v1/sessions', 'POST', { id: 'a', outputs: [0] })).status).toBe(201);
  const count = 200_000;
  const long = fetch(`${bridge.url}/v1/sessions/a/steps`, {
    method: 'POST',
    headers: {
      'content-type': 'application/octet-stream',
      accept: 'application/octet-stream',
      'x-dtesn-dtype': 'f32',
      'x-dtesn-shape': `${count},16`,
      'x-dtesn-from': '0',
    },
    body: new Float32Array(count * 16).fill(0.1),
  });
  await expect
    .poll(async () => (await call(bridge.url, '/v1/sessions/a')).json.offset, { timeout: 20_000, interval: 10 })
    .toBeGreaterThan(0);
  const send = async (route: string, body: object, budget: string) => {
    const answer = await fetch(`${bridge.url}${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-dtesn-budget-ms': budget },
      body: JSON.stringify(body),
    });
    return { status: answer.status, json: (await answer.json()) as Message };
  };
  const steps = { from: count, rows: rows(2) };
  const patient = send('/v1/sessions/a/steps', { from: count, rows: rows(1) }, '60000');
  const [late, many] = await Promise.all([
    send('/v1/sessions/a/steps', { from: count + 1, rows: rows(2) }, '20'),
    send('/v1/sessions/steps', { items: [{ id: 'a', ...steps }] }, '20'),
  ]);
  expect(code(late)).toEqual([504, 'budget']);
  expect([many.status, many.json.items?.[0]?.error?.code]).toEqual([200, 'budget']);
  expect((await long).status).toBe(200);
  expect((await patient).json).toMatchObject({ offset: count + 1 });
  expect((await call(bridge.url, '/v1/sessions/a')).json.offset).toBe(count + 1);
  const metrics = await (await fetch(`${bridge.url}/metrics`)).text();
  expect(metrics).toMatch(/^dtesn_shed_total\{reason="budget"\} 2$/m);
});
