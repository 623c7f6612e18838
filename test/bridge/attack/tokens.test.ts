/** Who may do what, asked of the running command: every path without a token, scopes, rotation, files, Unix sockets. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningBridge, runningBridge, startBridge } from '../running-bridge.js';
import { exchange, statusesOf } from './raw-client.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-attack-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const tokens = { read: 'r'.repeat(32), use: 'u'.repeat(40), admin: 'a'.repeat(64) };
function file(name: string, text: string, mode = 0o600): string {
  const at = path.join(folder, name);
  writeFileSync(at, text);
  chmodSync(at, mode);
  return at;
}

/** Starts a command that must not stay, and resolves with its code and what it said. */
async function refusedStart(args: readonly string[], listen?: readonly string[]) {
  const child = startBridge({ args, ...(listen && { listen }) });
  let text = '';
  let out = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  return { code, lines, out };
}

interface Operation {
  'x-dtesn-scope': string;
}

describe('with tokens', () => {
  let bridge: RunningBridge;
  let operations: [string, string, Operation][];
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  beforeAll(async () => {
    const args = Object.entries(tokens).flatMap(([scope, token]) => [`--${scope}-token-file`, file(scope, token)]);
    bridge = await runningBridge({ args });
    const answer = await fetch(`${bridge.url}/openapi.json`, { headers: bearer(tokens.read) });
    const { paths } = (await answer.json()) as { paths: Record<string, Record<string, Operation>> };
    operations = Object.entries(paths).flatMap(([at, methods]) =>
      Object.entries(methods).map(([method, one]): [string, string, Operation] => [at, method.toUpperCase(), one]),
    );
  }, 60_000);
  afterAll(() => bridge[Symbol.asyncDispose]());

  const ask = async (at: string, method: string, headers: Record<string, string> = {}) => {
    const body = method === 'POST' ? { body: '{}' } : {};
    const all = { ...(method === 'POST' && { 'content-type': 'application/json' }), ...headers };
    const signal = AbortSignal.timeout(5000);
    const answer = await fetch(`${bridge.url}${at.replace(/\{\w+\}/g, 'x')}`, {
      method,
      ...body,
      headers: all,
      signal,
    });
    await answer.body?.cancel();
    return answer.status;
  };

  test('every path but the probes, the page and the login is 401 without a token, whatever the method', async () => {
    const answered: string[] = [];
    const unknown = [
      '/v1',
      '/v1/none',
      '/admin',
      '/.env',
      '/v1/config',
      '/debug/pprof',
      '/metrics/',
      '/livez/x',
      '/assets/none.js',
    ];
    const all = [...operations.map(([at]) => at), ...unknown];
    for (const at of new Set(all)) {
      for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'OPTIONS']) {
        if ((await ask(at, method)) !== 401) answered.push(`${method} ${at}`);
      }
    }
    const open = operations
      .filter(([, , one]) => one['x-dtesn-scope'] === 'open')
      .map(([at, method]) => `${method} ${at}`);
    const heads = open.filter((one) => one.startsWith('GET ')).map((one) => one.replace('GET', 'HEAD'));
    expect(answered.sort()).toEqual([...open, ...heads].sort());
    const names = open.map((one) => one.split(' ')[1]!).filter((at) => at !== '/' && !at.startsWith('/assets/'));
    expect(names.sort()).toEqual(['/health', '/healthz', '/livez', '/readyz', '/v1/login']);
  });

  test('the error of a missing token names nothing but that', async () => {
    const answer = await fetch(`${bridge.url}/v1/engines`);
    expect(Object.keys(((await answer.json()) as { error: object }).error).sort()).toEqual(['code', 'message']);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  test('each scope may do what it includes and no more', async () => {
    const order = ['open', 'read', 'use', 'admin'];
    const wrong: string[] = [];
    for (const [scope, token] of Object.entries(tokens)) {
      for (const [at, method, { 'x-dtesn-scope': needed }] of operations) {
        const status = await ask(at, method, bearer(token));
        const may = order.indexOf(scope) >= order.indexOf(needed);
        if ((status === 403) === may || (status === 401 && at !== '/v1/login'))
          wrong.push(`${scope}: ${method} ${at} ${status}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test.each([
    ['in another scheme', { authorization: `Basic ${tokens.use}` }],
    ['twice', { authorization: `Bearer ${tokens.use} ${tokens.use}` }],
    ['in the cookie', { cookie: `dtesn_session=${tokens.use}` }],
    ['in X-Forwarded-For', { 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1' }],
    ['cut by one', { authorization: `Bearer ${tokens.use.slice(1)}` }],
    ['empty', { authorization: 'Bearer ' }],
    ['of 8 KB', { authorization: `Bearer ${'u'.repeat(8000)}` }],
  ])('a token %s is none', async (_, headers) => {
    expect([401, 429]).toContain(await ask('/v1/engines', 'GET', headers as Record<string, string>));
  });

  test('a token in the URL is none', async () => {
    expect(await ask(`/v1/engines?token=${tokens.use}&access_token=${tokens.use}`, 'GET')).toBe(401);
  });

  test('the cookie of a login is good for GET alone, and of no other value', async () => {
    const login = await fetch(`${bridge.url}/v1/login`, {
      method: 'POST',
      body: JSON.stringify({ token: tokens.admin }),
      headers: { 'content-type': 'application/json' },
    });
    const set = login.headers.get('set-cookie')!;
    expect(set).toMatch(/HttpOnly; SameSite=Strict/);
    expect(set).not.toContain(tokens.admin);
    const cookie = set.split(';', 1)[0]!;
    expect(await ask('/v1/engines', 'GET', { cookie })).toBe(200);
    expect(await ask('/v1/pick', 'POST', { cookie })).toBe(401);
    expect(await ask('/v1/sessions/x', 'DELETE', { cookie })).toBe(401);
    expect(await ask('/v1/engines', 'GET', { cookie: `${cookie.slice(0, -1)}~` })).toBe(401);
  });

  test('many wrong tokens from one address are 429 with Retry-After, and a good one still passes', async () => {
    const statuses = [];
    for (let i = 0; i < 15; i++) statuses.push(await ask('/v1/engines', 'GET', bearer('w'.repeat(32) + i)));
    expect(statuses.at(-1)).toBe(429);
    expect(await ask('/v1/engines', 'GET', bearer(tokens.read))).toBe(200);
    expect(await ask('/v1/engines', 'GET', { ...bearer('w'.repeat(33)), 'x-forwarded-for': '10.0.0.9' })).toBe(429);
  });

  test('a rotated token works within seconds, and the one before works on', async () => {
    const next = 'n'.repeat(48);
    file('use', next);
    await expect.poll(() => ask('/v1/pick', 'POST', bearer(next)), { timeout: 5000 }).toBe(200);
    expect(await ask('/v1/pick', 'POST', bearer(tokens.use))).toBe(200);
    for (const bad of ['', 'short']) {
      file('use', bad);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(await ask('/v1/pick', 'POST', bearer(next))).toBe(200);
    }
    expect(bridge.log()).toContain('a changed token file cannot be taken');
  });
});

describe('a start is refused with one line where', { tags: ['slow'] }, () => {
  test.each<[string, () => string[]]>([
    ['a token file is empty', () => ['--read-token-file', file('empty', '')]],
    ['a token is short', () => ['--use-token-file', file('short', 'x'.repeat(31))]],
    ['a token file is missing', () => ['--admin-token-file', path.join(folder, 'none')]],
    ['a token file may be written by its group', () => ['--read-token-file', file('group', 'g'.repeat(32), 0o660)]],
    ['a token file may be written by others', () => ['--read-token-file', file('others', 'g'.repeat(32), 0o602)]],
    ['a token file is a folder', () => ['--read-token-file', folder]],
    ['the URL of an engine has a user', () => ['--engine', 'http://user:canary-password@127.0.0.1:1']],
    ['the URL of a name has a user', () => ['--engine', 'dns+http://user:canary-password@localhost:1']],
    ['a certificate has no key', () => ['--tls-cert', file('cert', 'x')]],
    ['a key has no certificate', () => ['--tls-key', file('key', 'x')]],
  ])('%s', async (_, args) => {
    const { code, lines, out } = await refusedStart(args());
    expect([code === 0, code === null, lines.length, out]).toEqual([false, false, 1, '']);
    expect(lines[0]).not.toMatch(/canary|g{32}|x{31}/);
  });
});

describe('a Unix socket', () => {
  const at = path.join(folder, 'bridge.sock');
  const ask = (method: string, target: string, headers: Record<string, string> = {}, body = '') =>
    new Promise<number>((resolve, reject) => {
      const request = http.request({ socketPath: at, method, path: target, headers }, (response) => {
        response.resume();
        resolve(response.statusCode!);
      });
      request.on('error', reject).end(body);
    });

  test('has mode 0660, admits its callers with any host, and goes away at the end', async () => {
    await using bridge = await runningBridge({ listen: [`unix:${at}`] });
    expect(statSync(at).mode & 0o777).toBe(0o660);
    expect(await ask('GET', '/v1/engines', { host: 'anything.example' })).toBe(200);
    expect(await ask('GET', '/v1/engines', { origin: 'https://evil.example' })).toBe(403);
    const pipelined = await exchange(`unix:${at}`, 'GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(statusesOf(pipelined.text)).toEqual([200]);
    expect(await bridge.end()).toBe(0);
    expect(existsSync(at)).toBe(false);
  });

  test('that a killed process left behind is replaced', async () => {
    const first = await runningBridge({ listen: [`unix:${at}`] });
    await first.end('SIGKILL');
    expect(statSync(at).isSocket()).toBe(true);
    await using _bridge = await runningBridge({ listen: [`unix:${at}`] });
    expect(await ask('GET', '/livez')).toBe(200);
  });

  test('on which another process listens is left to it, also while that one accepts nothing', async () => {
    rmSync(at, { force: true });
    // A listener with a full queue answers connect() with EAGAIN: it lives.
    const script = `
      const net = require('node:net');
      const server = net.createServer();
      server.listen({ path: ${JSON.stringify(at)}, backlog: 1 }, () => {
        process.stdout.write('ready');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30000);
      });`;
    const other = spawn(process.execPath, ['-e', script]);
    await once(other.stdout, 'data');
    const waiting = Array.from({ length: 4 }, () => net.connect(at).on('error', () => {}));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { ino } = statSync(at);
    const { code, lines } = await refusedStart([], [`unix:${at}`]);
    expect(code === 0 || code === null).toBe(false);
    expect(lines).toHaveLength(1);
    expect(statSync(at).ino).toBe(ino);
    for (const socket of waiting) socket.destroy();
    other.kill('SIGKILL');
    await once(other, 'exit');
    rmSync(at, { force: true });
  });

  test('that every user may open needs a token', async () => {
    const { Bridge } = await import('../../../src/bridge/index.js');
    const options = { socketMode: 0o666 as const, listen: [`unix:${at}`], probeListen: null };
    await expect(Bridge.start(options)).rejects.toMatchObject({ code: 'ERR_DTESN_ARGUMENT' });
    await expect(Bridge.start({ ...options, adminTokenFile: file('admin2', tokens.admin) })).rejects.toMatchObject({
      code: 'ERR_DTESN_ARGUMENT',
    });
  });

  test('whose path is a file is not taken, and the file stays', async () => {
    writeFileSync(path.join(folder, 'precious'), 'text');
    const { code } = await refusedStart([], [`unix:${path.join(folder, 'precious')}`]);
    expect(code).not.toBe(0);
    expect(statSync(path.join(folder, 'precious')).isFile()).toBe(true);
  });
});
