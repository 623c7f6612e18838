/**
 * A port whose connections never come to be: it listens, its queue is full and nobody accepts, so the kernel drops every
 * further SYN, as a firewall does. The listener is a thread that blocks itself.
 */
import net from 'node:net';
import { Worker } from 'node:worker_threads';

const listener = `
const net = require('node:net');
const { parentPort } = require('node:worker_threads');
const server = net.createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 20);
});`;

export async function hungListener(): Promise<{ url: string; close(): Promise<void> }> {
  const worker = new Worker(listener, { eval: true });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  await new Promise((resolve) => setTimeout(resolve, 200)); // until the thread blocks
  const fillers = Array.from({ length: 8 }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
  await new Promise((resolve) => setTimeout(resolve, 100));
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      for (const socket of fillers) socket.destroy();
      await worker.terminate();
    },
  };
}
