/** Clients that are slow, many, large or silent: the right end for them, bounded memory, and others are served meanwhile. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningBridge, runningBridge } from '../running-bridge.js';
import { connect, exchange, pause, residentMiB, statusesOf } from './raw-client.js';

const host = 'Host: 127.0.0.1\r\n';
const json = 'Content-Type: application/json\r\n';

let bridge: RunningBridge;
beforeAll(async () => {
  bridge = await runningBridge();
}, 60_000);
afterAll(() => bridge[Symbol.asyncDispose]());

/** Another client, which is served within 5 s. */
async function othersAreServed(): Promise<void> {
  const signal = AbortSignal.timeout(5000);
  const answer = await fetch(`${bridge.url}/v1/process`, {
    method: 'POST',
    body: '{"text":"hello"}',
    headers: { 'content-type': 'application/json' },
    signal,
  });
  expect(answer.status).toBe(200);
  await answer.text();
}

function whenClosed(socket: Socket): Promise<{ ms: number; text: string }> {
  const start = performance.now();
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  return new Promise((resolve) => socket.once('close', () => resolve({ ms: performance.now() - start, text })));
}

describe('slow clients', () => {
  test('200 that send headers byte by byte are answered with 408 and closed after 5 s, while others are served', async () => {
    const sockets = await Promise.all(Array.from({ length: 200 }, () => connect(bridge.url)));
    const closed = sockets.map(whenClosed);
    const text = `GET /livez HTTP/1.1\r\n${host}X-Slow: ${'a'.repeat(1000)}`;
    let at = 0;
    const timer = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write(text[at % text.length]!);
      at++;
    }, 100);
    await othersAreServed();
    const ends = await Promise.all(closed);
    clearInterval(timer);
    expect(Math.max(...ends.map(({ ms }) => ms))).toBeLessThan(10_000);
    expect(Math.min(...ends.map(({ ms }) => ms))).toBeGreaterThan(3000);
    expect(ends.every(({ text: came }) => statusesOf(came)[0] === 408)).toBe(true);
    await othersAreServed();
  });

  test('those that say nothing at all are closed too', { tags: ['slow'] }, async () => {
    const sockets = await Promise.all(Array.from({ length: 50 }, () => connect(bridge.url)));
    const ends = await Promise.all(sockets.map(whenClosed));
    expect(Math.max(...ends.map(({ ms }) => ms))).toBeLessThan(10_000);
  });

  test.each<[string, string]>([
    ['a JSON body', `POST /v1/process HTTP/1.1\r\n${host}${json}Content-Length: 100000\r\n\r\n{`],
    ['a chunked body', `POST /v1/process HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`],
    [
      'a frame',
      `POST /v1/process HTTP/1.1\r\n${host}Content-Type: application/octet-stream\r\nx-dtesn-dtype: f32\r\nx-dtesn-shape: 25000,1\r\nContent-Length: 100000\r\n\r\n`,
    ],
    [
      'a stream',
      `POST /v1/process/stream HTTP/1.1\r\n${host}Content-Type: application/octet-stream\r\nx-dtesn-dtype: utf8\r\nTransfer-Encoding: chunked\r\n\r\n`,
    ],
  ])('%s that stops is 408 after 30 s', { tags: ['slow'], timeout: 60_000 }, async (_, text) => {
    const { text: came, ended, ms } = await exchange(bridge.url, text, 45_000);
    expect([statusesOf(came), ended]).toEqual([[408], true]);
    expect(ms).toBeGreaterThan(25_000);
  });
});

test('a thousand that announce a megabyte and send nothing of it take no room from others', async () => {
  const sockets = await Promise.all(Array.from({ length: 1000 }, () => connect(bridge.url)));
  for (const socket of sockets) {
    socket.write(`POST /v1/process HTTP/1.1\r\n${host}${json}Content-Length: 1048576\r\n\r\n{`);
  }
  await pause(500);
  await othersAreServed();
  for (const socket of sockets) socket.destroy();
});

describe('large clients', () => {
  const frame = `Content-Type: application/octet-stream\r\nx-dtesn-dtype: f32\r\n`;
  test.each<[string, string]>([
    ['JSON', `POST /v1/process HTTP/1.1\r\n${host}${json}`],
    ['a frame', `POST /v1/process HTTP/1.1\r\n${host}${frame}x-dtesn-shape: 250000000,1\r\n`],
    ['rows of a session', `POST /v1/sessions/x/steps HTTP/1.1\r\n${host}${frame}x-dtesn-shape: 250000000,1\r\n`],
    ['a login', `POST /v1/login HTTP/1.1\r\n${host}${json}`],
  ])('a gigabyte of %s is 413 by its header', async (_, head) => {
    const { text, ended } = await exchange(
      bridge.url,
      `${head}Content-Length: 1000000000\r\n\r\n${'x'.repeat(100_000)}`,
    );
    expect([statusesOf(text), ended]).toEqual([[413], true]);
  });

  test('two megabytes in chunks are 413 and closed', async () => {
    const head = `POST /v1/process HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n`;
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    const { text, ended } = await exchange(bridge.url, `${head}${chunk.repeat(32)}0\r\n\r\n`);
    expect([statusesOf(text), ended]).toEqual([[413], true]);
  });

  test('a gigabyte in chunks is 413 and closed, and the memory stays', { timeout: 60_000 }, async () => {
    const before = residentMiB(bridge.process.pid!);
    const chunk = Buffer.from(`10000\r\n${' '.repeat(0x10000)}\r\n`);
    const clients = await Promise.all(Array.from({ length: 8 }, () => connect(bridge.url)));
    const ends = clients.map(async (socket) => {
      const closed = whenClosed(socket);
      socket.write(`POST /v1/process HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n`);
      for (let i = 0; i < 16_384 && !socket.destroyed; i++) {
        if (!socket.write(chunk)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
      }
      return closed;
    });
    for (const { text } of await Promise.all(ends)) if (text !== '') expect(statusesOf(text)).toEqual([413]);
    expect(residentMiB(bridge.process.pid!) - before).toBeLessThan(150);
    await othersAreServed();
  });

  test('frames of all clients are bounded together', { timeout: 60_000 }, async () => {
    const before = residentMiB(bridge.process.pid!);
    const bytes = 64 * 2 ** 20;
    const head = `POST /v1/process HTTP/1.1\r\n${host}${frame}x-dtesn-shape: ${bytes / 4},1\r\nContent-Length: ${bytes}\r\n\r\n`;
    const sockets = await Promise.all(Array.from({ length: 40 }, () => connect(bridge.url)));
    let came = '';
    for (const socket of sockets) {
      socket.on('data', (chunk) => {
        came += chunk;
      });
      socket.write(head);
    }
    // Of 512 MiB one client has half, which hold 4 of them.
    await expect.poll(() => statusesOf(came).filter((status) => status === 429).length).toBe(36);
    await othersAreServed();
    expect(residentMiB(bridge.process.pid!) - before).toBeLessThan(700);
    for (const socket of sockets) socket.destroy();
    await expect
      .poll(
        async () =>
          (
            await fetch(`${bridge.url}/v1/pick`, {
              method: 'POST',
              body: '{}',
              headers: { 'content-type': 'application/json' },
            })
          ).status,
      )
      .toBe(200);
  });

  test('100,000 headers, and one that is long, are 431', async () => {
    for (const many of ['a: b\r\n'.repeat(100_000), `a: ${'b'.repeat(1_000_000)}\r\n`, 'a: b\r\n'.repeat(101)]) {
      const { text, ended } = await exchange(bridge.url, `GET /livez HTTP/1.1\r\n${host}${many}\r\n`);
      expect([statusesOf(text), ended]).toEqual([[431], true]);
    }
  });
});

describe('clients that do not read', () => {
  test('pipelines that are never read end their connections, in bounded memory, while others are served', {
    timeout: 60_000,
  }, async () => {
    const before = residentMiB(bridge.process.pid!);
    const sockets = await Promise.all(Array.from({ length: 50 }, () => connect(bridge.url)));
    const ends = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets) {
      socket.pause();
      for (let i = 0; i < 20; i++) socket.write(`GET /metrics HTTP/1.1\r\n${host}\r\n`.repeat(200));
    }
    for (let i = 0; i < 4; i++) {
      await pause(500);
      expect(residentMiB(bridge.process.pid!) - before).toBeLessThan(250);
      expect((await fetch(`${bridge.url}/v1/status`)).status).toBe(200);
    }
    for (const socket of sockets) socket.resume();
    await Promise.all(ends);
  });

  test('a stream of chunks that is never read gives its place back', { tags: ['slow'], timeout: 150_000 }, async () => {
    const body = JSON.stringify({ text: 'x'.repeat(500_000), chunk: 20 });
    const socket = await connect(bridge.url);
    socket.pause();
    socket.write(`POST /v1/process/stream HTTP/1.1\r\n${host}${json}Content-Length: ${body.length}\r\n\r\n${body}`);
    const streams = async () =>
      Number(/dtesn_streams\{kind="process"\} (\d+)/.exec(await (await fetch(`${bridge.url}/metrics`)).text())?.[1]);
    await expect.poll(streams, { timeout: 10_000 }).toBe(1);
    await expect.poll(streams, { timeout: 120_000, interval: 1000 }).toBe(0);
    socket.destroy();
  });

  test('a thousand clients of the events that stall do not hold memory or others', { timeout: 90_000 }, async () => {
    const before = residentMiB(bridge.process.pid!);
    const sockets: Socket[] = [];
    for (let i = 0; i < 10; i++)
      sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => connect(bridge.url)))));
    for (const socket of sockets) {
      socket.pause();
      socket.write(`GET /v1/events HTTP/1.1\r\n${host}\r\n`);
    }
    await expect
      .poll(async () => (await fetch(`${bridge.url}/metrics`)).text(), { timeout: 20_000 })
      .toContain('dtesn_streams{kind="events"} 1000');
    await othersAreServed();
    expect(residentMiB(bridge.process.pid!) - before).toBeLessThan(150);
    for (const socket of sockets) socket.destroy();
    await expect
      .poll(async () => (await fetch(`${bridge.url}/metrics`)).text(), { timeout: 20_000 })
      .toContain('dtesn_streams{kind="events"} 0');
  });
});

test('after all of it the command runs and has logged no failure', () => {
  expect(bridge.process.exitCode).toBeNull();
  expect(bridge.log()).not.toMatch(/"level":"error"/);
});
