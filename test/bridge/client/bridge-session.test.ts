import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BridgeClient } from '../../../src/bridge/client/index.js';
import { BridgeProcess } from './bridge-process.js';

let folder = '';
let bridge: BridgeProcess;
let client: BridgeClient;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn-session-'));
  bridge = await BridgeProcess.start('--listen', '127.0.0.1:0', '--state-dir', folder);
  client = new BridgeClient(bridge.address);
});
afterEach(async () => {
  await client.close();
  await bridge.kill();
  rmSync(folder, { recursive: true, force: true });
});

const rowsFrom = (first: number, count: number) => Array.from({ length: count }, (_, i) => [Math.sin(first + i)]);

test('the outputs of rows in many calls are those of the same rows in one', async () => {
  const one = await client.session({ id: 'one' });
  const whole = await one.steps(rowsFrom(0, 60));
  expect([whole.offset, whole.outputsFrom, whole.outputs.length]).toEqual([60, 0, 60]);
  const many = await client.session({ id: 'many' });
  const parts = await Promise.all([0, 20, 40].map((first) => many.steps(rowsFrom(first, 20))));
  expect(parts.flatMap(({ outputs }) => outputs)).toEqual(whole.outputs);
  expect(many.next).toBe(60);
});

test('rows are dropped as they become durable', async () => {
  const session = await client.session();
  await session.steps(rowsFrom(0, 10), { ack: 'durable' });
  expect([session.durable, session.kept]).toEqual([10, 0]);
  await session.steps(rowsFrom(10, 10));
  await session.flush();
  expect([session.durable, session.kept, session.next]).toEqual([20, 0, 20]);
});

test('a session goes on after kill -9 of the bridge, with the outputs of an undisturbed one', async () => {
  const undisturbed = await (await client.session()).steps(rowsFrom(0, 400));
  const session = await client.session();
  const outputs: number[][] = [];
  for (let call = 0; call < 40; call++) {
    if (call % 10 === 5) {
      await bridge.kill();
      if (call % 20 === 5) await bridge.startAgain();
      else setTimeout(() => void bridge.startAgain(), 300);
    }
    const answer = await session.steps(rowsFrom(10 * call, 10));
    expect(answer.outputsFrom).toBe(10 * call);
    outputs.push(...answer.outputs);
  }
  expect(outputs).toEqual(undisturbed.outputs);
  await session.flush();
  expect([session.offset, session.durable]).toEqual([400, 400]);
});

test('a client that comes back goes on where the session stands', async () => {
  const before = await client.session({ id: 'kept' });
  await before.steps(rowsFrom(0, 10));
  const after = await client.session({ id: 'kept' });
  expect([after.next, after.durable, after.epoch]).toEqual([10, 10, before.epoch]);
  expect((await after.steps(rowsFrom(10, 1))).offset).toBe(11);
});

test('rows that the bridge refuses are not kept: the session goes on without them', async () => {
  const session = await client.session();
  await session.steps(rowsFrom(0, 3));
  await expect(session.steps([[1, 2, 3]])).rejects.toMatchObject({ status: 422 });
  expect(session.next).toBe(3);
  expect((await session.steps(rowsFrom(3, 1))).offset).toBe(4);
});

test('a session that was created again is another: session_epoch, for good', async () => {
  const session = await client.session({ id: 'again' });
  await session.steps(rowsFrom(0, 3));
  await (await client.session({ id: 'again' })).close();
  await client.session({ id: 'again' });
  await expect(session.steps(rowsFrom(3, 1))).rejects.toMatchObject({ code: 'session_epoch' });
  await expect(session.steps(rowsFrom(3, 1))).rejects.toMatchObject({ code: 'session_epoch' });
});

test('rows of another client are other_writer', async () => {
  const session = await client.session({ id: 'shared' });
  const other = await client.session({ id: 'shared' });
  await other.steps(rowsFrom(0, 5));
  await expect(session.steps(rowsFrom(0, 3))).rejects.toMatchObject({ code: 'other_writer' });
});

test('while the bridge is away longer than resumeMs a call fails, its rows stay, and the next call sends them', async () => {
  await using hasty = new BridgeClient(bridge.address, { resumeMs: 200 });
  const session = await hasty.session();
  await bridge.kill();
  await expect(session.steps(rowsFrom(0, 5))).rejects.toMatchObject({ code: 'unreachable' });
  expect([session.next, session.kept]).toEqual([5, 5]);
  await bridge.startAgain();
  const answer = await session.steps(rowsFrom(5, 5));
  expect([answer.offset, answer.outputsFrom]).toEqual([10, 5]);
});

test('a call that waits for its turn ends with the signal, and its rows are not of the session', async () => {
  const session = await client.session();
  const stop = new AbortController();
  const first = session.steps(rowsFrom(0, 5));
  const second = session.steps(rowsFrom(5, 5), { signal: stop.signal });
  stop.abort(new Error('enough'));
  await expect(second).rejects.toThrow('enough');
  await first;
  expect(session.next).toBe(5);
});

test('more rows than may be kept wait for the commit', async () => {
  const session = await client.session({ maxKeptRows: 10 });
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
  const session = await other.session();
  await session.steps(rowsFrom(0, 5));
  expect([session.durability, session.kept]).toEqual(['none', 0]);
  await memory.kill();
});

test('close() deletes the session at the bridge; a second close() does nothing', async () => {
  const session = await client.session({ id: 'gone' });
  await session.close();
  await session.close();
  await expect(session.steps([])).rejects.toMatchObject({ code: 'closed' });
  expect((await client.session({ id: 'gone' })).next).toBe(0);
});

test('wrong rows are named', async () => {
  const session = await client.session();
  await expect(session.steps([[1], [Number.NaN]])).rejects.toThrow('Expected a finite number for rows[1][0]');
  await expect(session.steps([[1]], { targets: [] })).rejects.toThrow('1 rows of targets');
  expect(session.next).toBe(0);
});
