/** Connections of the command: how long they are kept, and how they end with a drain; streams of events to many. */
import type net from 'node:net';
import { expect, test } from 'vitest';
import { answersOf, connect, exchange } from '../attack/raw-client.js';
import { runningBridge } from '../running-bridge.js';

const host = 'Host: 127.0.0.1\r\n';
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** One request on a connection that is open; the head of its answer. */
function ask(socket: net.Socket, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let came = '';
    const take = (chunk: Buffer) => {
      came += chunk.toString('latin1');
      const [answer] = answersOf(came);
      const length = Number(/^content-length: (\d+)/m.exec(answer!.head)?.[1] ?? Number.POSITIVE_INFINITY);
      if (answer!.body.length < length) return;
      socket.off('data', take);
      resolve(answer!.head);
    };
    socket.on('data', take).once('error', reject);
    socket.write(`GET ${target} HTTP/1.1\r\n${host}\r\n`);
  });
}

test('a connection is kept for 75 s and says so, on errors too; while draining each answer closes its own', async () => {
  await using bridge = await runningBridge();
  const kept = await connect(bridge.url);
  for (const target of ['/v1/status', '/missing', '/metrics']) {
    const head = await ask(kept, target);
    expect([target, /^keep-alive: (.*?)\r?$/m.exec(head)?.[1], /^connection: (.*?)\r?$/m.exec(head)?.[1]]).toEqual([
      target,
      'timeout=75',
      'keep-alive',
    ]);
  }
  const other = await connect(bridge.url);
  const ended = bridge.end();
  await expect.poll(() => bridge.log(), { timeout: 10_000 }).toContain('draining');
  const closed = Promise.all(
    [kept, other].map((socket) => new Promise((resolve) => socket.once('close', () => resolve(true)))),
  );
  // While a connection is open the drain goes on, and new ones are answered.
  const { text, ended: isEnded } = await exchange(bridge.url, `GET /readyz HTTP/1.1\r\n${host}\r\n`);
  expect([answersOf(text)[0]!.status, isEnded]).toEqual([503, true]);
  for (const socket of [kept, other]) {
    const head = await ask(socket, '/v1/status');
    expect(head).toMatch(/^http\/1\.1 200/);
    expect(head).toMatch(/^connection: close\r?$/m);
    expect(head).not.toContain('keep-alive');
  }
  await closed;
  expect(await ended).toBe(0);
});

test('without connections a drain ends early', async () => {
  await using bridge = await runningBridge();
  const start = performance.now();
  expect(await bridge.end()).toBe(0);
  expect(performance.now() - start).toBeLessThan(4000);
});

test('a drain ends 50 streams of events over 2 s, each once and with its reason', {
  tags: ['slow'],
  timeout: 60_000,
}, async () => {
  await using bridge = await runningBridge({ env: { DTESN_BRIDGE_SETTLE_MS: '200' } });
  const texts: string[] = Array.from({ length: 50 }, () => '');
  const ends: number[] = [];
  await Promise.all(
    texts.map(async (_, i) => {
      const socket = await connect(bridge.url);
      socket.on('data', (chunk) => {
        texts[i] += chunk.toString('latin1');
        if (chunk.includes('event: end')) ends.push(performance.now());
      });
      socket.write(`GET /v1/events HTTP/1.1\r\n${host}\r\n`);
      await expect.poll(() => texts[i], { timeout: 10_000 }).toContain('retry: ');
    }),
  );
  const start = performance.now();
  expect(await bridge.end()).toBe(0);
  expect(ends).toHaveLength(50);
  for (const text of texts) expect(text.match(/event: end\ndata: \{"reason":"drain"\}/g)).toHaveLength(1);
  const [first, last] = [Math.min(...ends) - start, Math.max(...ends) - start];
  expect(last - first).toBeGreaterThan(1000);
  expect(last).toBeLessThan(200 + 2000 + 1500);
  // Not all in one part of the time: of four quarters each has some.
  const quarters = new Set(ends.map((at) => Math.min(3, Math.floor((4 * (at - start - first)) / (last - first)))));
  expect(quarters.size).toBe(4);
});

test('an idle stream of events has a comment every 15 s', { tags: ['slow'], timeout: 90_000 }, async () => {
  await using bridge = await runningBridge();
  const socket = await connect(bridge.url);
  const comments: number[] = [];
  const start = performance.now();
  socket.on('data', (chunk) => {
    for (const _ of chunk.toString('latin1').matchAll(/^: /gm)) comments.push(performance.now() - start);
  });
  socket.write(`GET /v1/events HTTP/1.1\r\n${host}\r\n`);
  await pause(48_000);
  expect(comments).toHaveLength(3);
  for (const [i, at] of comments.entries()) expect(Math.abs(at - 15_000 * (i + 1))).toBeLessThan(1500);
  socket.destroy();
});
