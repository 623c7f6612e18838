import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Heartbeat, Probes } from '../../../src/bridge/probes/index.js';

interface Refusal {
  error: { code: string };
}

describe('Probes', () => {
  let heartbeat: Heartbeat;
  let probes: Probes;

  beforeEach(async () => {
    heartbeat = new Heartbeat();
    probes = await Probes.start({ listen: '127.0.0.1:0', heartbeat });
  });

  afterEach(async () => {
    await probes.close();
    heartbeat.close();
  });

  const status = async (path: string) => (await fetch(probes.address + path)).status;

  test('is live while it is built and ready when everything is there', async () => {
    expect([await status('/livez'), await status('/readyz')]).toEqual([200, 503]);
    heartbeat.ready({ listeners: true, network: true, state: true });
    heartbeat.phase('serving');
    expect([
      await status('/livez'),
      await status('/readyz'),
      await status('/healthz'),
      await status('/health'),
    ]).toEqual([200, 200, 200, 200]);
    heartbeat.phase('draining');
    expect([await status('/livez'), await status('/readyz')]).toEqual([200, 503]);
  });

  test('refuses other paths and methods with an error in JSON', async () => {
    const missing = await fetch(`${probes.address}/metrics`);
    expect([missing.status, ((await missing.json()) as Refusal).error.code]).toEqual([404, 'not_found']);
    const posted = await fetch(`${probes.address}/livez`, { method: 'POST', body: '{}' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(((await posted.json()) as Refusal).error.code).toBe('method_not_allowed');
    expect(posted.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each([
    ['nonsense\r\n\r\n', /^HTTP\/1.1 400 /, 'malformed'],
    [`GET /livez HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1.1 431 /, 'headers_too_large'],
  ])('answers what is no request with an error in JSON and closes (%#)', async (bytes, head, code) => {
    const socket = connect(Number(new URL(probes.address).port), '127.0.0.1');
    socket.write(bytes);
    let answer = '';
    for await (const part of socket) answer += part;
    expect(answer).toMatch(head);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!).error.code).toBe(code);
  });
});

test('listens on IPv6', async () => {
  const heartbeat = new Heartbeat();
  await using probes = await Probes.start({ listen: '[::1]:0', heartbeat });
  expect(probes.address).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect((await fetch(`${probes.address}/livez`)).status).toBe(200);
  heartbeat.close();
});

test('an address that is taken or malformed is an error that names it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const listen = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const heartbeat = new Heartbeat();
  await expect(Probes.start({ listen, heartbeat })).rejects.toMatchObject({
    code: 'EADDRINUSE',
    message: expect.stringContaining(listen),
  });
  server.close();
  for (const wrong of ['2251', '127.0.0.1', '::1:80', '127.0.0.1:65536', 'unix:/tmp/x']) {
    await expect(Probes.start({ listen: wrong, heartbeat })).rejects.toThrow(/Expected HOST:PORT for listen/);
  }
  heartbeat.close();
});

describe('a main thread that is blocked', () => {
  const index = new URL('../../../src/bridge/probes/index.ts', import.meta.url).href;
  const typescript = new URL('../../threads/typescript.mjs', import.meta.url).href;
  const code = `
    import { Heartbeat, Probes } from '${index}';
    const heartbeat = new Heartbeat({ livenessMs: Number(process.argv[1]) });
    const probes = await Probes.start({ listen: '127.0.0.1:0', heartbeat });
    heartbeat.ready({ listeners: true, network: true, state: true });
    heartbeat.phase('serving');
    process.stdin.once('data', () => {
      const until = performance.now() + 4000;
      while (performance.now() < until);
    });
    process.stdout.write(probes.address + '\\n');
  `;
  let child: ChildProcess;

  /** Blocks the child's main thread for four seconds. */
  async function blocked(livenessMs: number): Promise<(path: string) => Promise<number>> {
    const args = ['--import', typescript, '--input-type=module', '-e', code, String(livenessMs)];
    child = spawn(process.execPath, args, { stdio: 'pipe' });
    const address = await new Promise<string>((resolve) =>
      child.stdout!.once('data', (line) => resolve(String(line).trim())),
    );
    const status = async (path: string) => (await fetch(address + path)).status;
    expect([await status('/livez'), await status('/readyz')]).toEqual([200, 200]);
    child.stdin!.write('block\n');
    await wait(2700);
    return status;
  }

  afterEach(() => {
    child.kill('SIGKILL');
  });

  test('is no longer ready within three seconds, stays live, and is ready again afterwards', async () => {
    const status = await blocked(30_000);
    expect([await status('/readyz'), await status('/livez')]).toEqual([503, 200]);
    await expect.poll(() => status('/readyz'), { timeout: 10_000 }).toBe(200);
  });

  test('is no longer live when it was blocked for longer than livenessMs', async () => {
    const status = await blocked(1000);
    expect(await status('/livez')).toBe(503);
  });
});
