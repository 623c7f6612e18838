/** Messages that two parsers could read in two ways, methods that are not used, and clients that leave in the middle. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningBridge, runningBridge } from '../running-bridge.js';
import { answersOf, connect, exchange, pause, statusesOf } from './raw-client.js';

const host = 'Host: 127.0.0.1\r\n';
const json = 'Content-Type: application/json\r\n';
const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\n${host}${more}\r\n`;
const last = get('/livez', 'Connection: close\r\n');

let bridge: RunningBridge;
beforeAll(async () => {
  bridge = await runningBridge();
}, 60_000);
afterAll(() => bridge[Symbol.asyncDispose]());

const errorOf = (body: string) => (JSON.parse(body) as { error: { code: string; message: string } }).error;

describe('smuggling', () => {
  const hidden = get('/v1/sessions/hidden');
  test.each<[string, string]>([
    [
      'Content-Length beside Transfer-Encoding',
      `Content-Length: ${hidden.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['two Content-Lengths', `Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n\r\n`],
    ['a Content-Length with a sign', `Content-Length: +0\r\n\r\n`],
    ['Transfer-Encoding with a tab', `Transfer-Encoding:\tchunked\r\nContent-Length: 0\r\n\r\n`],
    ['a coding that only looks like chunked', 'Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n'],
    ['a chunk size beyond 64 bits', 'Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n'],
    ['a chunk size with a sign', 'Transfer-Encoding: chunked\r\n\r\n-1\r\n'],
    ['a chunk without its line end', 'Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n'],
    ['a chunk extension of 20 KiB', `Transfer-Encoding: chunked\r\n\r\n2;a=${'b'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`],
    ['a header name with a space', 'Content-Length : 0\r\n\r\n'],
    ['a carriage return alone in a header', 'X-A: b\rContent-Length: 5\r\n\r\n'],
    ['a NUL in a header', 'X-A: b\0c\r\nContent-Length: 0\r\n\r\n'],
    ['lines that end in LF alone', 'Content-Length: 0\n\n'],
  ])('%s: the request that follows in the same bytes is not answered', async (_, rest) => {
    const { text, ended } = await exchange(bridge.url, `POST /v1/pick HTTP/1.1\r\n${host}${json}${rest}${hidden}`);
    expect(ended).toBe(true);
    expect(statusesOf(text)).toEqual([400]);
  });

  test('a Host in the trailers of a body is not the host of a request', async () => {
    const body = `2\r\n{}\r\n0\r\nHost: evil.example\r\nAuthorization: Bearer x\r\n\r\n`;
    const { text } = await exchange(
      bridge.url,
      `POST /v1/pick HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n${body}${last}`,
    );
    expect(statusesOf(text)).toEqual([200, 200]);
  });

  test('the body of a GET is not read as a request', async () => {
    const { text, ended } = await exchange(bridge.url, get('/livez', `Content-Length: ${hidden.length}\r\n`) + hidden);
    expect([statusesOf(text), ended]).toEqual([[200], true]);
  });

  test('requests in a row are answered in their order', async () => {
    const paths = ['/livez', '/v1/none', '/v1/status', '/v1/sessions/none', '/openapi.json', '/metrics'];
    const { text } = await exchange(bridge.url, paths.map((path) => get(path)).join('') + last);
    expect(statusesOf(text)).toEqual([200, 404, 200, 404, 200, 200, 200]);
  });

  test('an answer that was earned is sent before the 400 for the bytes after it', async () => {
    const { text, ended } = await exchange(bridge.url, `${get('/v1/engines')}GARBAGE\r\n\r\n`);
    expect([statusesOf(text), ended]).toEqual([[200, 400], true]);
    expect(answersOf(text)[0]!.body).toContain('"items"');
  });

  test('the second request of a connection gets its 400 too', async () => {
    const socket = await connect(bridge.url);
    let came = '';
    socket.on('data', (chunk) => {
      came += chunk;
    });
    socket.write(get('/livez'));
    await expect.poll(() => came).toContain('"status"');
    socket.write('GET /livez HTTP/1.1\r\nbad header\r\n\r\n');
    await expect.poll(() => statusesOf(came)).toEqual([200, 400]);
    socket.destroy();
  });

  test('an error of the parser is JSON with an x-request-id', async () => {
    const { text } = await exchange(bridge.url, 'NONSENSE\r\n\r\n');
    const [answer] = answersOf(text);
    expect(answer!.head).toMatch(/^x-request-id: [0-9a-f-]{36}\r?$/m);
    expect(errorOf(answer!.body).code).toBe('malformed');
  });
});

describe('targets and hosts', () => {
  test.each([
    '127.0.0.1/x',
    '127.0.0.1:99999',
    '127.0.0.1:abc',
    '',
    'x@127.0.0.1',
    '127.0.0.1#',
    'localhost?:80',
    '[127.0.0.1',
    'local host',
    '127.0.0.1,localhost',
  ])('the Host "%s" is refused with an error of the bridge, and counted', async (name) => {
    const { text, ended } = await exchange(bridge.url, `GET /livez HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
    const [answer] = answersOf(text);
    expect([answer!.status, ended]).toEqual([400, true]);
    expect(answer!.head).toContain('x-request-id: ');
    expect(errorOf(answer!.body).code).toBe('malformed');
  });

  test.each<[string, number]>([
    ['/v1/engines/%00/history', 404],
    ['/v1/engines/a%2fb/history', 404],
    ['/v1/engines/%2e%2e%2fstatus/history', 404],
    ['/v1/engines/__proto__/history', 404],
    ['/v1/engines/constructor/history', 404],
    ['/v1/sessions/%zz', 404],
    ['/v1/sessions/%ff%fe', 404],
    ['/v1/sessions/%0d%0aX-Injected:%20yes', 404],
    ['/v1/sessions/../../../etc/passwd', 404],
    ['/assets/../../package.json', 404],
    ['/assets/%2e%2e/%2e%2e/package.json', 404],
    ['/assets/..%2f..%2fpackage.json', 404],
    ['//evil.example/v1/status', 404],
    ['/\\v1/status', 400],
    [`/v1/sessions/${'a'.repeat(15_000)}`, 404],
    [`/${'a/'.repeat(7000)}`, 404],
    [`/${'a'.repeat(17_000)}`, 431],
  ])('the target %s is answered with %i', async (target, wanted) => {
    const { text } = await exchange(bridge.url, get(target, 'Connection: close\r\n'));
    const [answer] = answersOf(text);
    expect(answer!.status).toBe(wanted);
    expect(errorOf(answer!.body).message.length).toBeLessThan(400);
    expect(answer!.head).not.toContain('x-injected');
  });
});

describe('methods and expectations', () => {
  test.each(['TRACE', 'OPTIONS', 'PUT', 'PATCH', 'PROPFIND', 'DELETE', 'SEARCH'])(
    '%s is 405 with Allow and echoes nothing',
    async (method) => {
      const request = `${method} /v1/status HTTP/1.1\r\n${host}Connection: close\r\nX-Secret: canary\r\n\r\n`;
      const { text, ended } = await exchange(bridge.url, request);
      expect([statusesOf(text), ended]).toEqual([[405], true]);
      expect(text.toLowerCase()).toContain('allow: get, head');
      expect(text).not.toContain('canary');
    },
  );

  test('CONNECT is refused with an answer and opens no tunnel', async () => {
    const { text, ended } = await exchange(bridge.url, `CONNECT 127.0.0.1:1 HTTP/1.1\r\n${host}\r\n`);
    expect([statusesOf(text), ended]).toEqual([[400], true]);
  });

  test.each(['websocket', 'h2c'])('an upgrade to %s is answered in HTTP/1.1', async (protocol) => {
    const { text } = await exchange(
      bridge.url,
      get('/livez', `Connection: Upgrade, close\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n`),
    );
    expect(statusesOf(text)).toEqual([200]);
  });

  test.each<[string, string, number]>([
    ['of another type', `POST /v1/pick HTTP/1.1\r\n${host}Content-Type: text/plain\r\nContent-Length: 2\r\n`, 415],
    ['that is too large', `POST /v1/pick HTTP/1.1\r\n${host}${json}Content-Length: 1000000000\r\n`, 413],
    ['for a path that is not', `POST /v1/none HTTP/1.1\r\n${host}${json}Content-Length: 2\r\n`, 404],
    ['for another host', `POST /v1/pick HTTP/1.1\r\nHost: evil.example\r\n${json}Content-Length: 2\r\n`, 421],
    [
      'of a frame that is too large',
      `POST /v1/process HTTP/1.1\r\n${host}Content-Type: application/octet-stream\r\nContent-Length: 99999999999\r\n`,
      413,
    ],
    [
      'of a frame without a shape',
      `POST /v1/process HTTP/1.1\r\n${host}Content-Type: application/octet-stream\r\nContent-Length: 80\r\n`,
      400,
    ],
  ])('a body %s is refused without 100 Continue', async (_, head, wanted) => {
    const { text } = await exchange(bridge.url, `${head}Expect: 100-continue\r\n\r\n`);
    expect(statusesOf(text)).toEqual([wanted]);
  });

  test('a body that is taken is asked for with 100 Continue', async () => {
    const socket = await connect(bridge.url);
    let came = '';
    socket.on('data', (chunk) => {
      came += chunk;
    });
    socket.write(`POST /v1/pick HTTP/1.1\r\n${host}${json}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n`);
    await expect.poll(() => came).toContain('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('{}');
    await expect.poll(() => statusesOf(came)).toEqual([100, 200]);
    socket.destroy();
  });

  test('HEAD of the events ends, and takes no place among the listeners', async () => {
    const { text, ended } = await exchange(bridge.url, `HEAD /v1/events HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
    expect(text.toLowerCase()).toContain('content-type: text/event-stream');
    expect(ended).toBe(true);
    expect(await (await fetch(`${bridge.url}/metrics`)).text()).toContain('dtesn_streams{kind="events"} 0');
  });
});

describe('clients that leave', () => {
  test('a client that only closes its half reads its answer', async () => {
    const socket = await connect(bridge.url);
    let came = '';
    socket.on('data', (chunk) => {
      came += chunk;
    });
    socket.end(get('/v1/status'));
    await expect.poll(() => came).toContain('"version"');
  });

  test('aborts in the middle of bodies, frames and answers leave nothing behind', async () => {
    const frame = 'Content-Type: application/octet-stream\r\nx-dtesn-dtype: f32\r\nx-dtesn-shape: 1000,1\r\n';
    const starts = [
      `POST /v1/process HTTP/1.1\r\n${host}${json}Content-Length: 1000\r\n\r\n{"text":`,
      `POST /v1/process HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n5\r\n{"tex`,
      `POST /v1/process HTTP/1.1\r\n${host}${frame}Content-Length: 4000\r\n\r\n0000`,
      `POST /v1/process/stream HTTP/1.1\r\n${host}${json}Content-Length: 30\r\n\r\n{"text":"${'a'.repeat(18)}"}`,
      get('/openapi.json'),
      get('/v1/events'),
      'GET /liv',
    ];
    const sockets = await Promise.all(Array.from({ length: 210 }, () => connect(bridge.url)));
    for (const [i, socket] of sockets.entries()) socket.write(starts[i % starts.length]!);
    await pause(200);
    for (const socket of sockets) socket.resetAndDestroy();
    await expect
      .poll(async () => (await fetch(`${bridge.url}/metrics`)).text(), { timeout: 10_000 })
      .toMatch(
        /dtesn_http_connections [0-5]\n[\s\S]*dtesn_streams\{kind="events"\} 0\ndtesn_streams\{kind="process"\} 0/,
      );
    const answer = await fetch(`${bridge.url}/v1/process`, {
      method: 'POST',
      body: '{"text":"a"}',
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(200);
  });

  test('a TCP client that has reset its connection is not taken for one on a Unix socket', async () => {
    const create = (id: string, name: string) =>
      `POST /v1/sessions HTTP/1.1\r\nHost: ${name}\r\n${json}Content-Length: ${9 + id.length}\r\n\r\n{"id":"${id}"}`;
    const pid = bridge.process.pid!;
    for (let i = 0; i < 5; i++) {
      // Connection, request and reset all wait in the kernel when the process goes on.
      execFileSync('kill', ['-STOP', String(pid)]);
      const sockets = await Promise.all(Array.from({ length: 20 }, () => connect(bridge.url)));
      for (const [j, socket] of sockets.entries()) socket.write(create(`reset-${i}-${j}`, 'evil.example'));
      await pause(50);
      for (const socket of sockets) socket.resetAndDestroy();
      execFileSync('kill', ['-CONT', String(pid)]);
    }
    await pause(500);
    const { items } = (await (await fetch(`${bridge.url}/v1/sessions?limit=1000`)).json()) as {
      items: { id: string }[];
    };
    expect(items.filter(({ id }) => id.startsWith('reset-'))).toEqual([]);
  });
});

test('the command still runs, and has logged no failure', () => {
  expect(bridge.process.exitCode).toBeNull();
  expect(bridge.log()).not.toMatch(/"level":"error"/);
});
