import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BridgeClient } from '../../../src/bridge/client/index.js';
import { BridgeProcess } from './bridge-process.js';

let folder = '';
let bridge: BridgeProcess;
let client: BridgeClient;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn-session-'));
  bridge = await BridgeProcess.start('--listen', '127.0.0.1:0', '--state-dir', folder);
  client = new BridgeClient(bridge.address);
});
afterAll(async () => {
  await client.close();
  await bridge.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** Rows of the default network, which takes 16 numbers. */
const rowsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => Array.from({ length: 16 }, (_, j) => Math.sin(first + i + j)));

const outputs = [0, 1023];

test('the outputs of rows in many calls are those of the same rows in one', async () => {
  const one = await client.session({ id: 'one', outputs });
  const whole = await one.steps(rowsFrom(0, 60));
  expect([whole.offset, whole.outputsFrom, whole.outputs.length]).toEqual([60, 0, 60]);
  const many = await client.session({ id: 'many', outputs });
  const parts = await Promise.all([0, 20, 40].map((first) => many.steps(rowsFrom(first, 20))));
  expect(parts.flatMap(({ outputs }) => outputs)).toEqual(whole.outputs);
  expect(many.next).toBe(60);
});

test('rows are dropped as they become durable', async () => {
  const session = await client.session({ outputs });
  await session.steps(rowsFrom(0, 10), { ack: 'durable' });
  expect([session.durable, session.kept]).toEqual([10, 0]);
  await session.steps(rowsFrom(10, 10));
  await session.flush();
  expect([session.durable, session.kept, session.next]).toEqual([20, 0, 20]);
});

test('rows whose outputs are too many for one answer are sent in parts', async () => {
  const session = await client.session();
  const { outputs, offset } = await session.steps(rowsFrom(0, 1500));
  expect([offset, outputs.length]).toEqual([1500, 1500]);
});

test('flush waits for a bridge that restarts', { tags: ['slow'], timeout: 60_000 }, async () => {
  const session = await client.session({ outputs });
  await session.steps(rowsFrom(0, 5));
  await bridge.kill();
  const started = new Promise((resolve) => setTimeout(() => resolve(bridge.startAgain()), 500));
  await session.flush();
  await started;
  expect([session.durable, session.kept]).toEqual([5, 0]);
});

test('a session goes on after kill -9 of the bridge, with the outputs of an undisturbed one', {
  tags: ['slow'],
  timeout: 120_000,
}, async () => {
  const undisturbed = await (await client.session({ outputs })).steps(rowsFrom(0, 300));
  const session = await client.session({ outputs });
  const answered: (number | null)[][] = [];
  for (let call = 0; call < 30; call++) {
    if (call % 10 === 5) {
      await bridge.kill();
      if (call % 20 === 5) await bridge.startAgain();
      else setTimeout(() => void bridge.startAgain(), 500);
    }
    const answer = await session.steps(rowsFrom(10 * call, 10));
    expect(answer.outputsFrom).toBe(10 * call);
    answered.push(...answer.outputs);
  }
  expect(answered).toEqual(undisturbed.outputs);
  await session.flush();
  expect([session.offset, session.durable]).toEqual([300, 300]);
});

test('a session goes on over a bridge that drains and is started again', {
  tags: ['slow'],
  timeout: 60_000,
}, async () => {
  const session = await client.session({ outputs });
  const answered: (number | null)[][] = [];
  let isAgain = false;
  const again = bridge
    .terminate()
    .then(() => bridge.startAgain())
    .then(() => {
      isAgain = true;
    });
  while (!isAgain) answered.push(...(await session.steps(rowsFrom(session.next, 10))).outputs);
  await again;
  answered.push(...(await session.steps(rowsFrom(session.next, 10))).outputs);
  const undisturbed = await client.session({ outputs });
  expect(answered).toEqual((await undisturbed.steps(rowsFrom(0, session.next))).outputs);
});

test('a session with targets learns them, also over kill -9, as an undisturbed one', { timeout: 60_000 }, async () => {
  const targets = { outputs: 1 };
  const aims = rowsFrom(1, 40).map((row) => row.slice(0, 1));
  const undisturbed = await client.session({ targets });
  await undisturbed.steps(rowsFrom(0, 40), { targets: aims });
  const session = await client.session({ targets });
  await session.steps(rowsFrom(0, 20), { targets: aims.slice(0, 20) });
  await bridge.kill();
  await bridge.startAgain();
  await session.steps(rowsFrom(20, 20), { targets: aims.slice(20) });
  const { learned, weights, bias } = await session.readout();
  const whole = await undisturbed.readout();
  expect([learned, weights.length > 0]).toEqual([40, true]);
  expect([weights, bias]).toEqual([whole.weights, whole.bias]);
});

test('a client that comes back goes on where the session stands', async () => {
  const before = await client.session({ id: 'kept', outputs });
  await before.steps(rowsFrom(0, 10));
  const after = await client.session({ id: 'kept', outputs });
  expect([after.next, after.durable, after.epoch]).toEqual([10, 10, before.epoch]);
  expect((await after.steps(rowsFrom(10, 1))).offset).toBe(11);
});

test('rows that the bridge refuses are not kept: the session goes on without them', async () => {
  const session = await client.session({ outputs });
  await session.steps(rowsFrom(0, 3));
  await expect(session.steps([[1, 2, 3]])).rejects.toMatchObject({ status: 422 });
  expect(session.next).toBe(3);
  expect((await session.steps(rowsFrom(3, 1))).offset).toBe(4);
});

test('a session that was created again is another: session_epoch, for good', async () => {
  const session = await client.session({ id: 'again', outputs });
  await session.steps(rowsFrom(0, 3));
  await (await client.session({ id: 'again', outputs })).close();
  await client.session({ id: 'again', outputs });
  await expect(session.steps(rowsFrom(3, 1))).rejects.toMatchObject({ code: 'session_epoch' });
  await expect(session.steps(rowsFrom(3, 1))).rejects.toMatchObject({ code: 'session_epoch' });
});

test('rows of another client are other_writer', async () => {
  const session = await client.session({ id: 'shared', outputs });
  const other = await client.session({ id: 'shared', outputs });
  await other.steps(rowsFrom(0, 5));
  await expect(session.steps(rowsFrom(0, 3))).rejects.toMatchObject({ code: 'other_writer' });
});

test('while the bridge is away longer than resumeMs a call fails, its rows stay, and the next call sends them', async () => {
  await using hasty = new BridgeClient(bridge.address, { resumeMs: 200 });
  const session = await hasty.session({ outputs });
  await bridge.kill();
  await expect(session.steps(rowsFrom(0, 5))).rejects.toMatchObject({ code: 'unreachable' });
  expect([session.next, session.kept]).toEqual([5, 5]);
  await bridge.startAgain();
  const answer = await session.steps(rowsFrom(5, 5));
  expect([answer.offset, answer.outputsFrom]).toEqual([10, 5]);
});

test('a call that waits for its turn ends with the signal, and its rows are not of the session', async () => {
  const session = await client.session({ outputs });
  const stop = new AbortController();
  const first = session.steps(rowsFrom(0, 5));
  const second = session.steps(rowsFrom(5, 5), { signal: stop.signal });
  stop.abort(new Error('enough'));
  await expect(second).rejects.toThrow('enough');
  await first;
  expect(session.next).toBe(5);
});

test('more rows than may be kept wait for the commit', async () => {
  const session = await client.session({ maxKeptRows: 10, outputs });
  for (let i = 0; i < 5; i++) {
    await session.steps(rowsFrom(8 * i, 8));
    expect(session.kept).toBeLessThanOrEqual(10);
  }
  expect(session.next).toBe(40);
  await expect(session.steps(rowsFrom(0, 11))).rejects.toThrow('maxKeptRows');
});

test('without a state-dir no rows are kept', async () => {
  const memory = await BridgeProcess.start('--listen', '127.0.0.1:0');
  await using other = new BridgeClient(memory.address);
  const session = await other.session({ outputs });
  await session.steps(rowsFrom(0, 5));
  expect([session.durability, session.kept]).toEqual(['none', 0]);
  await memory.kill();
});

test('close() deletes the session at the bridge; a second close() does nothing', async () => {
  const session = await client.session({ id: 'gone', outputs });
  await session.close();
  await session.close();
  await expect(session.steps([])).rejects.toMatchObject({ code: 'closed' });
  expect((await client.session({ id: 'gone', outputs })).next).toBe(0);
});

test('wrong rows are named', async () => {
  const session = await client.session({ outputs });
  await expect(session.steps([[1], [Number.NaN]])).rejects.toThrow('Expected a finite number for rows[1][0]');
  await expect(session.steps([[1]], { targets: [] })).rejects.toThrow('1 rows of targets');
  expect(session.next).toBe(0);
});
