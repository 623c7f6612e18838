/** Streams of the bridge over sockets: long replays of events, and streams of inputs that end with an error. */
import http, { type ServerResponse } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { EventLog } from '../../../src/bridge/engines/index.js';
import type { EventStream } from '../../../src/bridge/http/index.js';
import { eventEndpoints } from '../../../src/bridge/routes/index.js';
import { mounted } from './mounted.js';

async function servedEvents(log: EventLog): Promise<{ port: number; streams: Set<EventStream>; close(): void }> {
  const streams = new Set<EventStream>();
  const [endpoint] = eventEndpoints(log, streams, () => false);
  const server = http.createServer((incoming, outgoing: ServerResponse) => {
    void endpoint!.handle({ incoming, outgoing, query: {} } as never);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, streams, close: () => server.closeAllConnections() ?? server.close() };
}

test('a replay of more bytes than a client may leave unread comes whole to a client that reads', async () => {
  const log = new EventLog({ capacity: 3000 });
  for (let i = 0; i < 3000; i++) log.append('state', { engine: 'a', i, evidence: 'x'.repeat(200) });
  const served = await servedEvents(log);
  const answer = await fetch(`http://127.0.0.1:${served.port}/`, { headers: { 'last-event-id': `${log.boot}-0` } });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of answer.body!) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('"i":2999')) log.append('end', { i: 'live' });
    if (text.includes('"live"')) break;
  }
  const numbers = [...text.matchAll(/"i":(\d+)/g)].map(([, i]) => Number(i));
  expect(numbers).toEqual(Array.from({ length: 3000 }, (_, i) => i));
  served.close();
});

test('a client that reads nothing of its replay holds no more than the bound', async () => {
  const log = new EventLog({ capacity: 3000 });
  for (let i = 0; i < 3000; i++) log.append('state', { evidence: 'x'.repeat(2000) });
  const served = await servedEvents(log);
  const socket = net.connect(served.port, '127.0.0.1', () => {
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nLast-Event-ID: ${log.boot}-0\r\n\r\n`);
    socket.pause();
  });
  await expect.poll(() => served.streams.size).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(socket.bytesRead).toBeLessThan(3000 * 2000);
  expect(served.streams.size).toBe(1);
  socket.destroy();
  await expect.poll(() => served.streams.size).toBe(0);
  served.close();
});

test('a stream of inputs that ends with an error ends its connection too, so that a client that writes first is not held', async () => {
  await using bridge = await mounted();
  const begin = [
    'POST /v1/process/stream HTTP/1.1',
    'Host: 127.0.0.1',
    'Content-Type: application/octet-stream',
    'x-dtesn-dtype: utf8',
    'Transfer-Encoding: chunked',
    '\r\n',
  ].join('\r\n');
  const chunk = (bytes: Buffer) =>
    Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
  const socket = net.connect(bridge.port, '127.0.0.1');
  let came = '';
  socket.on('data', (data) => {
    came += data.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(Buffer.concat([Buffer.from(begin), chunk(Buffer.from('good text '))]));
  await expect.poll(() => came).toContain('event: chunk');
  socket.write(chunk(Buffer.from([0xff, 0xfe, 0x41])));
  await expect.poll(() => came).toContain('event: error');
  await closed;
  expect(came.toLowerCase()).toContain('connection: close');
});
