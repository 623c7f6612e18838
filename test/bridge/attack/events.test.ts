/** The events of the running command: ids, replay, another boot, comments, and the end. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, serveEngine, text } from '../../faults/engine-server.js';
import { type RunningBridge, runningBridge } from '../running-bridge.js';
import { connect } from './raw-client.js';

interface Heard {
  text: () => string;
  events: () => { id?: string; event?: string; data?: string }[];
  closed: Promise<unknown>;
  leave: () => void;
}

async function listen(url: string, more = '', query = ''): Promise<Heard> {
  const socket = await connect(url);
  let came = '';
  socket.on('data', (chunk) => {
    came += chunk;
  });
  socket.write(`GET /v1/events${query} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`);
  const body = () => came.replace(/^[0-9a-f]+\r\n/gm, '').replace(/\r\n/g, '');
  await expect.poll(() => came).toContain('retry: ');
  return {
    text: () => came,
    events: () =>
      body()
        .split('\n\n')
        .map((block) =>
          Object.fromEntries([...block.matchAll(/^(id|event|data): (.*)$/gm)].map(([, key, value]) => [key, value])),
        )
        .filter((one) => one['event'] !== undefined),
    closed: once(socket, 'close'),
    leave: () => socket.destroy(),
  };
}

describe('events', () => {
  let bridge: RunningBridge;
  let engine: Awaited<ReturnType<typeof serveEngine>>;
  let answers = true;
  beforeAll(async () => {
    engine = await serveEngine({
      '/health': (response, body, request) => (answers ? json({})(response, body, request) : void response.destroy()),
      '/metrics': (response, body, request) =>
        answers
          ? text('vllm:num_requests_running 0\nvllm:num_requests_waiting 0\n')(response, body, request)
          : void response.destroy(),
      '/v1/models': json({ object: 'list', data: [{ id: 'm', object: 'model' }] }),
    });
    bridge = await runningBridge({ args: ['--engine', engine.url] });
  }, 60_000);
  afterAll(async () => {
    await bridge[Symbol.asyncDispose]();
    await engine.close();
  });

  test('have ids of boot and sequence, and are replayed from an id, by header and by query', {
    timeout: 60_000,
  }, async () => {
    const first = await listen(bridge.url);
    answers = false;
    // An event before it, such as that of the first scrape, may come too.
    await expect.poll(() => first.events().map(({ event }) => event), { timeout: 30_000 }).toContain('drained');
    const before = first.events().length;
    answers = true;
    await expect.poll(() => first.events().length, { timeout: 30_000 }).toBeGreaterThan(before);
    const heard = first.events();
    const ids = heard.map(({ id }) => id!);
    const [boot, sequence] = ids[0]!.split('-');
    expect(ids).toEqual(ids.map((_, i) => `${boot}-${Number(sequence) + i}`));
    for (const { data } of heard) expect(JSON.parse(data!)).toHaveProperty('at');
    for (const again of [
      await listen(bridge.url, `Last-Event-ID: ${ids[0]}\r\n`),
      await listen(bridge.url, '', `?lastEventId=${ids[0]}`),
    ]) {
      await expect
        .poll(() =>
          again
            .events()
            .slice(0, ids.length - 1)
            .map(({ id }) => id),
        )
        .toEqual(ids.slice(1));
      expect(again.text()).not.toContain('event: missed');
      again.leave();
    }
    first.leave();
  });

  test.each(['0123456789ab-1', 'x', `${'f'.repeat(64)}-999999999999999`, '-1', '%00', 'a'.repeat(4000)])(
    'after the id %.20s of another boot begin with missed restart',
    async (id) => {
      const again = await listen(bridge.url, `Last-Event-ID: ${id}\r\n`);
      await expect.poll(() => again.events()[0]).toMatchObject({ event: 'missed', data: '{"reason":"restart"}' });
      again.leave();
    },
  );

  test('retry differs from client to client, from 1 to 10 s', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, () => listen(bridge.url)));
    const retries = all.map((one) => Number(/retry: (\d+)/.exec(one.text())?.[1]));
    for (const retry of retries) expect(retry >= 1000 && retry <= 10_000).toBe(true);
    expect(new Set(retries).size).toBeGreaterThan(6);
    for (const one of all) one.leave();
  });
});
