/** An event stream over a real socket whose client stalls. */
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { EventStream } from '../../../src/bridge/http/index.js';

test('a client with more than 256 KiB unread is closed, and one that reads is not', async () => {
  const streams: EventStream[] = [];
  const server = http.createServer((_, outgoing) => streams.push(new EventStream(outgoing)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = [0, 1].map(() => net.connect(port, '127.0.0.1'));
  for (const client of clients) {
    client.on('error', () => {});
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  }
  clients[0]!.pause();
  clients[1]!.resume();
  await expect.poll(() => streams.length).toBe(2);
  const event = `data: ${'€'.repeat(20_000)}\n\n`;
  // What the kernel holds is not counted, so it takes more than 256 KiB.
  for (let i = 0; i < 500 && !streams.some(({ closed }) => closed); i++) {
    for (const stream of streams) stream.write(event);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(streams.filter(({ closed }) => closed)).toHaveLength(1);
  expect(streams.some((stream) => stream.write(event))).toBe(true);
  for (const client of clients) client.destroy();
  server.closeAllConnections();
  server.close();
});

test('an event of more than 256 KiB reaches a client that reads', async () => {
  const text = `data: ${'x'.repeat(600_000)}\n\n`;
  const server = http.createServer((_, outgoing) => {
    const stream = new EventStream(outgoing);
    expect(stream.write(text)).toBe(true);
    void stream.drained().then(() => stream.end(text));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const came = await (await fetch(`http://127.0.0.1:${port}/`)).text();
  expect(came.split('\n').filter((line) => line.length > 600_000)).toHaveLength(2);
  server.close();
});
