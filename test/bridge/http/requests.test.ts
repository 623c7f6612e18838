/** The checks that every request passes, driven over sockets with bytes as a client, a proxy or an attacker sends them. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { endpoint } from '../../../src/bridge/http/index.js';
import { BridgeError } from '../../../src/bridge/messages/index.js';
import { type ServedApp, servedApp } from './served-app.js';

const common = { idempotent: true, retry: 'yes', failure: 'open', answers: { 200: z.object({}) } } as const;
const endpoints = [
  endpoint({ ...common, method: 'GET', path: '/open', scope: 'open', summary: 'Open.', handle: () => ({ json: {} }) }),
  endpoint({
    ...common,
    method: 'GET',
    path: '/v1/look',
    scope: 'read',
    summary: 'Looks.',
    handle: () => ({ json: { ok: 1 } }),
  }),
  endpoint({
    ...common,
    method: 'POST',
    path: '/v1/echo',
    scope: 'use',
    summary: 'Echoes.',
    body: z.strictObject({ value: z.number() }),
    handle: ({ body, requestId, traceparent, budgetMs }) => ({ json: { ...body, requestId, traceparent, budgetMs } }),
  }),
  endpoint({
    ...common,
    method: 'POST',
    path: '/v1/frames',
    scope: 'use',
    summary: 'Takes frames.',
    frames: true,
    body: z.strictObject({}),
    handle: ({ framed }) => ({ json: { framed } }),
  }),
  endpoint({
    ...common,
    method: 'POST',
    path: '/v1/change',
    scope: 'admin',
    summary: 'Changes.',
    body: z.strictObject({}),
    handle: () => ({ json: {} }),
  }),
  endpoint({
    ...common,
    method: 'GET',
    path: '/v1/empty/:status',
    scope: 'read',
    summary: 'Answers without content.',
    handle: ({ params }) => ({ empty: params['status'] === '204' ? 204 : 304, headers: { etag: '"one"' } }),
  }),
  endpoint({
    ...common,
    method: 'GET',
    path: '/v1/fail/:how',
    scope: 'read',
    summary: 'Fails.',
    handle: ({ params }) => {
      if (params['how'] === 'shed') throw new BridgeError('queue_full', 'full', { retryAfterSeconds: 2.5 });
      throw new Error('a secret of the inside');
    },
  }),
];

const status = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
const headers = (answer: string) => answer.split('\r\n\r\n')[0]!.toLowerCase();
const host = 'Host: 127.0.0.1\r\n';
const json = 'Content-Type: application/json\r\n';

describe('without tokens', () => {
  let app: ServedApp;
  beforeAll(async () => {
    app = await servedApp({ endpoints, allowedHosts: ['bridge.example'], bodyBytes: 3 * 2 ** 20 });
  });
  afterAll(() => app[Symbol.asyncDispose]());

  test.each<[string, string, number]>([
    [
      'Content-Length before Transfer-Encoding',
      `Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      'Transfer-Encoding before Content-Length',
      `Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['two Content-Lengths', `Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`, 400],
    ['a folded header', `X-A: b\r\n c\r\n\r\n`, 400],
    ['a second Host', `Host: evil.example\r\n\r\n`, 400],
    ['a transfer coding that is not chunked', `Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 400],
    ['a coding that looks like chunked', `Transfer-Encoding: xchunked\r\n\r\n`, 400],
    ['a space before the colon', `Content-Length : 3\r\n\r\nabc`, 400],
  ])('%s is refused and ends the connection', async (_, rest, wanted) => {
    const answer = await app.raw(`POST /v1/echo HTTP/1.1\r\n${host}${json}${rest}`);
    expect(status(answer)).toBe(wanted);
    expect(headers(answer)).toContain('connection: close');
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test('a request hidden in the body of a refused one is not answered', async () => {
    const hidden = 'GET /v1/look HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
    const answer = await app.raw(
      `POST /v1/echo HTTP/1.1\r\n${host}${json}Content-Length: ${hidden.length}\r\nHost: x\r\n\r\n${hidden}`,
    );
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test.each<[string, string, number, string]>([
    ['HTTP/1.0', `GET /v1/look HTTP/1.0\r\n${host}\r\n`, 505, 'http_version'],
    ['a target in absolute form', `GET http://127.0.0.1/v1/look HTTP/1.1\r\n${host}\r\n`, 400, 'malformed'],
    ['no Host', 'GET /v1/look HTTP/1.1\r\n\r\n', 400, ''],
    [
      'a hundred and one headers',
      `GET /v1/look HTTP/1.1\r\n${host}${'a: b\r\n'.repeat(100)}\r\n`,
      431,
      'headers_too_large',
    ],
    [
      'a header of 17 KiB',
      `GET /v1/look HTTP/1.1\r\n${host}a: ${'b'.repeat(17_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    ['100,000 headers', `GET /v1/look HTTP/1.1\r\n${host}${'a: b\r\n'.repeat(100_000)}\r\n`, 431, 'headers_too_large'],
    ['what is not HTTP', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'malformed'],
  ])('%s is refused', async (_, text, wanted, code) => {
    const answer = await app.raw(text);
    expect(status(answer)).toBe(wanted);
    if (code !== '') expect(JSON.parse(answer.split('\r\n\r\n')[1]!).error.code).toBe(code);
  });

  test.each<[string, number]>([
    ['127.0.0.1', 200],
    ['127.8.9.1:2250', 200],
    ['localhost:2250', 200],
    ['LOCALHOST', 200],
    ['[::1]:2250', 200],
    ['bridge.example:80', 200],
    ['evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['[::]', 421],
    ['0.0.0.0', 421],
    ['2130706433', 421],
    ['localhost.evil.example:2250', 421],
  ])('the Host %s is answered with %i', async (name, wanted) => {
    expect(status(await app.raw(`GET /v1/look HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`))).toBe(wanted);
  });

  test.each<[string, number]>([
    ['Origin: https://evil.example', 403],
    ['Origin: null', 403],
    ['Origin: http://127.0.0.1:99', 403],
    ['Sec-Fetch-Site: cross-site', 403],
    ['Sec-Fetch-Site: same-origin', 200],
    ['Origin: http://127.0.0.1', 200],
  ])('%s is answered with %i and no CORS header', async (line, wanted) => {
    const answer = await app.raw(`GET /v1/look HTTP/1.1\r\n${host}Connection: close\r\n${line}\r\n\r\n`);
    expect(status(answer)).toBe(wanted);
    expect(headers(answer)).not.toContain('access-control');
  });

  test('an unknown path is 404 and an unknown method 405 with Allow', async () => {
    expect((await fetch(`${app.url}/v1/none`)).status).toBe(404);
    const answer = await fetch(`${app.url}/v1/look`, { method: 'DELETE' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await fetch(`${app.url}/v1/echo`)).headers.get('allow')).toBe('POST');
    expect((await fetch(`${app.url}/v1/look`, { method: 'OPTIONS' })).status).toBe(405);
  });

  // RFC 9110, 8.6: no Content-Length in a 204, and in a 304 none but that of the 200.
  test.each([204, 304])(
    'an answer %i has no content, no length and no type, and the connection goes on',
    async (code) => {
      const answers = await app.raw(
        `GET /v1/empty/${code} HTTP/1.1\r\n${host}\r\nGET /v1/look HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
      );
      const [first, second, body] = answers.split('\r\n\r\n');
      expect(status(first!)).toBe(code);
      expect(first).toMatch(/^etag: "one"$/im);
      expect(first).not.toMatch(/^(content-length|content-type|transfer-encoding):/im);
      expect([status(second!), body]).toEqual([200, '{"ok":1}']);
    },
  );

  test('HEAD is answered as GET without a body', async () => {
    const answer = await fetch(`${app.url}/v1/look`, { method: 'HEAD' });
    expect([answer.status, answer.headers.get('content-length'), await answer.text()]).toEqual([200, '8', '']);
  });

  const post = (body: string, extra: Record<string, string> = {}) =>
    fetch(`${app.url}/v1/echo`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...extra } });

  test.each<[string, () => Promise<Response>, number, string]>([
    ['text as the media type', () => post('{}', { 'content-type': 'text/plain' }), 415, 'unsupported_media_type'],
    [
      'a form',
      () => post('a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'unsupported_media_type',
    ],
    [
      'a frame where only JSON is taken',
      () => post('', { 'content-type': 'application/octet-stream' }),
      415,
      'unsupported_media_type',
    ],
    ['a compressed body', () => post('{}', { 'content-encoding': 'gzip' }), 415, 'unsupported_media_type'],
    ['JSON that is cut', () => post('{"value": 1'), 400, 'malformed'],
    ['a wrong type', () => post('{"value": "1"}'), 400, 'malformed'],
    ['an unknown field', () => post('{"value": 1, "valeu": 2}'), 400, 'unknown_field'],
    ['JSON of more than a mebibyte', () => post(`{"value": ${' '.repeat(2 ** 20)}1}`), 413, 'body_too_large'],
    ['a budget that is not a number', () => post('{"value":1}', { 'x-dtesn-budget-ms': '1e3' }), 400, 'malformed'],
    ['an unexpected error', () => fetch(`${app.url}/v1/fail/x`), 500, 'internal'],
  ])('%s is refused with its status and code', async (_, send, wanted, code) => {
    const answer = await send();
    const body = (await answer.json()) as { error: { code: string } };
    expect([answer.status, body.error.code]).toEqual([wanted, code]);
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  test('a body of a gigabyte is refused by its header, before a byte of it is read', async () => {
    const answer = await app.raw(`POST /v1/echo HTTP/1.1\r\n${host}${json}Content-Length: 1000000000\r\n\r\n`);
    expect(status(answer)).toBe(413);
    expect(headers(answer)).toContain('connection: close');
  });

  test('a chunked body that grows beyond the bound is refused while it is sent', async () => {
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    const answer = await app.raw(
      `POST /v1/echo HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}`,
    );
    expect(status(answer)).toBe(413);
  });

  test('bodies in flight are bounded together, by what has arrived of them', async () => {
    const begin = `POST /v1/echo HTTP/1.1\r\n${host}${json}Content-Length: 1048576\r\n\r\n`;
    const announced = Array.from({ length: 10 }, () => app.raw(begin, 1500));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await post('{"value": 1}')).status).toBe(200);
    const arrived = [1, 2, 3].map(() => app.raw(begin + ' '.repeat(1_048_000), 1500));
    const open = [...announced, ...arrived];
    await new Promise((resolve) => setTimeout(resolve, 300));
    const answer = await post(`{"value": 1${' '.repeat(5000)}}`);
    expect([answer.status, answer.headers.get('x-dtesn-reason')]).toEqual([429, 'memory']);
    await Promise.all(open);
    expect((await post('{"value": 1}')).status).toBe(200);
  });

  test('a shed request says why and when to come back', async () => {
    const answer = await fetch(`${app.url}/v1/fail/shed`);
    expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('x-dtesn-reason')]).toEqual([
      429,
      '3',
      'queue_full',
    ]);
  });

  test('valid request ids and traces are handed on, others are not', async () => {
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const good = await post('{"value":1}', {
      'x-request-id': 'a.b:c-1',
      traceparent: trace,
      'x-dtesn-budget-ms': '20',
    });
    expect(await good.json()).toEqual({ value: 1, requestId: 'a.b:c-1', traceparent: trace, budgetMs: 20 });
    expect(good.headers.get('x-request-id')).toBe('a.b:c-1');
    expect(good.headers.get('traceparent')).toBe(trace);
    const bad = await post('{"value":1}', { 'x-request-id': 'a b<script>', traceparent: trace.replace('0a', '0A') });
    const body = (await bad.json()) as { requestId: string; traceparent?: string };
    expect(body.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(body.traceparent).toBeUndefined();
  });

  test('frames pass where they are declared', async () => {
    const answer = await fetch(`${app.url}/v1/frames`, {
      method: 'POST',
      body: new Uint8Array(8),
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(await answer.json()).toEqual({ framed: true });
  });

  test('administration over TCP is forbidden without a token, on loopback too', async () => {
    const answer = await fetch(`${app.url}/v1/change`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(403);
  });

  test('while draining each answer closes its connection', async () => {
    app.draining = true;
    expect(headers(await app.raw(`GET /v1/look HTTP/1.1\r\n${host}\r\n`))).toContain('connection: close');
    app.draining = false;
  });

  test('each request is counted under the template of its path', async () => {
    app.served.length = 0;
    await (await fetch(`${app.url}/v1/fail/shed`)).text();
    await (await fetch(`${app.url}/v1/absent/${'x'.repeat(50)}?x=1`)).text();
    await expect
      .poll(() => app.served.map(({ route, status }) => [route, status]))
      .toEqual([
        ['/v1/fail/:how', 429],
        ['none', 404],
      ]);
  });
});

describe('with tokens', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-tokens-'));
  const file = (name: string, token: string) => {
    const at = path.join(folder, name);
    writeFileSync(at, token, { mode: 0o600 });
    return at;
  };
  const [read, use, admin] = ['r', 'u', 'a'].map((letter) => letter.repeat(40)) as [string, string, string];
  let app: ServedApp;
  beforeAll(async () => {
    app = await servedApp({
      endpoints,
      tokenFiles: { read: file('read', read), use: file('use', `${use}\n`), admin: file('admin', admin) },
    });
  });
  afterAll(async () => {
    await app[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  const ask = (where: string, token?: string, method = 'GET') =>
    fetch(`${app.url}${where}`, {
      method,
      ...(method === 'POST' && { body: '{"value":1}' }),
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    }).then((answer) => answer.status);

  test('without a token, or with a wrong one, every path but the open ones is 401', async () => {
    for (const where of ['/v1/look', '/v1/echo', '/v1/none', '/']) {
      expect(await ask(where)).toBe(401);
      expect(await ask(where, undefined, 'POST')).toBe(401);
    }
    expect(await ask('/v1/look', 'x'.repeat(40))).toBe(401);
    expect(await ask('/open')).toBe(200);
  });

  test('each scope includes those before it', async () => {
    expect(await ask('/v1/look', read)).toBe(200);
    expect(await ask('/v1/echo', read, 'POST')).toBe(403);
    expect(await ask('/v1/echo', use, 'POST')).toBe(200);
    expect(await ask('/v1/change', use, 'POST')).toBe(403);
    expect(await ask('/v1/look', admin)).toBe(200);
  });

  test('the token is checked before the body is read', async () => {
    const answer = await app.raw(`POST /v1/echo HTTP/1.1\r\n${host}${json}Content-Length: 500000\r\n\r\n{`);
    expect(status(answer)).toBe(401);
  });

  test('after a rotation the token before is good for a while', async () => {
    const next = 'n'.repeat(40);
    writeFileSync(path.join(folder, 'read'), next);
    await expect.poll(() => ask('/v1/look', next), { timeout: 5000 }).toBe(200);
    expect(await ask('/v1/look', read)).toBe(200);
  });

  test('many wrong tokens from one address are shed', async () => {
    const codes: number[] = [];
    for (let i = 0; i < 15; i++) codes.push(await ask('/v1/look', `${i}`.repeat(40)));
    expect(codes.at(-1)).toBe(429);
    expect(await ask('/v1/echo', use, 'POST')).toBe(200);
  });

  test.each<[string, () => string]>([
    ['is missing', () => path.join(folder, 'absent')],
    ['is empty', () => file('empty', '')],
    ['has a short token', () => file('short', 'abc')],
    [
      'can be written by its group',
      () => {
        const at = file('open', 'x'.repeat(40));
        chmodSync(at, 0o660);
        return at;
      },
    ],
  ])('a token file that %s refuses the start', async (_, make) => {
    await expect(servedApp({ endpoints, tokenFiles: { use: make() } })).rejects.toThrow(/Expected a token file/);
  });
});
