/** Fifty engines, ten of which never answer: the others are read as ever, and the bridge stays cheap. */
import { readFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { vllmServer } from '../engines/engine-under-test.js';
import { SeenBridge } from './seen-bridge.js';

/** Of a core; the figure is printed beside it. The measure on a quiet machine is lower: others take the caches of this one. */
const mostShare = 0.5;
const seconds = 20;

test('black holes among fifty engines leave the others younger than two intervals', {
  timeout: 120_000,
  tags: ['slow'],
}, async () => {
  const well = await Promise.all(Array.from({ length: 40 }, () => vllmServer({ running: 1 })));
  const sockets = new Set<net.Socket>();
  const holes = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const hole = net.createServer((socket) => void sockets.add(socket.on('error', () => {})));
      await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve));
      return hole;
    }),
  );
  const holeUrls = holes.map((hole) => `http://127.0.0.1:${(hole.address() as AddressInfo).port}`);
  const urls = well.flatMap(({ url }, i) => (i % 4 === 0 ? [holeUrls[i / 4]!, url] : [url]));
  const bridge = await SeenBridge.start(urls.map((url) => ({ url })));
  try {
    for (const url of holeUrls) await bridge.reaches(url, ['hung']);
    const start = ticks(bridge.pid);
    let oldest = 0;
    for (let second = 0; second < seconds; second++) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      for (const { url, stalenessSeconds } of await bridge.engines()) {
        if (!holeUrls.includes(url)) oldest = Math.max(oldest, stalenessSeconds ?? Number.POSITIVE_INFINITY);
      }
    }
    const share = (ticks(bridge.pid) - start) / 100 / seconds;
    console.info(`fifty engines: ${share.toFixed(3)} of a core, oldest scrape ${oldest.toFixed(2)} s`);
    expect(oldest).toBeLessThan(2);
    expect(share).toBeLessThan(mostShare);
    const { data } = await bridge.context(well[7]!.url);
    expect(data.sources.performance.running).toBe(1);
    await bridge.checkProbes();
    await bridge.checkMetrics();
  } finally {
    await bridge[Symbol.asyncDispose]();
    for (const socket of sockets) socket.destroy();
    for (const hole of holes) hole.close();
    for (const server of well) await server.close();
  }
});

/** User and system time of a process, in hundredths of a second. */
function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
