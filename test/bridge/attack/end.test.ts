/** SIGTERM while clients are connected: requests under way are answered, streams get their end, and the process exits in time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runningBridge } from '../running-bridge.js';
import { answersOf, connect, exchange, pause, statusesOf } from './raw-client.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-end-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const host = 'Host: 127.0.0.1\r\n';
const json = 'Content-Type: application/json\r\n';

test('a drain ends within 10 s with idle connections, streams of events and a body that stops', {
  tags: ['slow'],
  timeout: 60_000,
}, async () => {
  await using bridge = await runningBridge({ args: ['--state-dir', path.join(folder, 'state')] });
  const idle = await Promise.all(Array.from({ length: 20 }, () => connect(bridge.url)));
  for (const socket of idle) {
    socket.resume();
    socket.write(`GET /livez HTTP/1.1\r\n${host}\r\n`);
  }
  const ends: number[] = [];
  let start = 0;
  const listeners = await Promise.all(Array.from({ length: 40 }, () => connect(bridge.url)));
  for (const socket of listeners) {
    socket.write(`GET /v1/events HTTP/1.1\r\n${host}\r\n`);
    socket.on('data', (chunk) => {
      if (String(chunk).includes('event: end\ndata: {"reason":"drain"}')) ends.push(performance.now() - start);
    });
  }
  const stalled = await connect(bridge.url);
  stalled.resume();
  stalled.write(`POST /v1/process HTTP/1.1\r\n${host}${json}Content-Length: 100\r\n\r\n{`);
  const silent = await connect(bridge.url);
  silent.pause();
  silent.write(
    `POST /v1/process/stream HTTP/1.1\r\n${host}${json}Content-Length: 300029\r\n\r\n{"chunk":10,"text":"${'a'.repeat(300_007)}"}`,
  );
  await pause(1000);
  start = performance.now();
  const ended = bridge.end();
  await expect.poll(async () => (await fetch(`${bridge.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${bridge.url}/livez`)).status).toBe(200);
  const during = await exchange(
    bridge.url,
    `POST /v1/process HTTP/1.1\r\n${host}${json}Content-Length: 12\r\n\r\n{"text":"a"}`,
  );
  expect([statusesOf(during.text), during.ended]).toEqual([[200], true]);
  expect(during.text.toLowerCase()).toContain('connection: close');
  expect(await ended).toBe(0);
  expect(performance.now() - start).toBeLessThan(11_000);
  expect(ends).toHaveLength(listeners.length);
  expect(Math.max(...ends) - Math.min(...ends)).toBeGreaterThan(500);
  expect(bridge.log()).not.toContain('fatal');
});

test('an answer under way when the listeners close is whole', { timeout: 60_000 }, async () => {
  await using bridge = await runningBridge();
  const text = 'x'.repeat(200_000);
  const body = JSON.stringify({ text });
  const answers = Array.from({ length: 6 }, () =>
    exchange(
      bridge.url,
      `POST /v1/process HTTP/1.1\r\n${host}${json}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      20_000,
    ),
  );
  await pause(100);
  expect(await bridge.end()).toBe(0);
  const came = (await Promise.all(answers)).map((one) => answersOf(one.text)[0]!);
  for (const { status } of came) expect([200, 503]).toContain(status);
  const whole = came.filter(({ status }) => status === 200);
  expect(whole.length).toBeGreaterThan(0);
  for (const one of whole) expect(JSON.parse(one.body)).toMatchObject({ ok: true });
});

test('a second signal exits at once', { timeout: 60_000 }, async () => {
  await using bridge = await runningBridge();
  const socket = await connect(bridge.url);
  const ended = bridge.end();
  await expect.poll(() => bridge.log()).toContain('draining');
  const start = performance.now();
  bridge.process.kill('SIGTERM');
  expect(await ended).toBe(143);
  expect(performance.now() - start).toBeLessThan(2000);
  socket.destroy();
});
