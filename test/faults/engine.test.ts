import net, { type AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { AphroditeEngine, type AphroditeEngineOptions, EngineError } from '../../src/engine/index.js';
import {
  type Answer,
  closedPort,
  cut,
  goodEngine,
  json,
  metricsBody,
  serveEngine,
  silent,
  text,
} from './engine-server.js';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function engineOf(answers: Record<string, Answer>, options: AphroditeEngineOptions = {}) {
  const server = await serveEngine(answers);
  return engineAt(server.url, server.close, options);
}

function engineAt(url: string, close: () => Promise<void>, options: AphroditeEngineOptions = {}) {
  const engine = new AphroditeEngine(url, options);
  open.push(close, () => engine.close());
  return engine;
}

/** A server below HTTP: what it does with each connection. */
async function rawServer(onConnection: (socket: net.Socket) => void) {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

describe('connections', () => {
  test('an address where nothing listens is REFUSED', async () => {
    const engine = engineAt(`http://127.0.0.1:${await closedPort()}`, async () => {});
    await expect(engine.health()).rejects.toMatchObject({
      code: 'ERR_DTESN_ENGINE_REFUSED',
      message: expect.stringMatching(/^GET \/health: nothing listens on http:\/\/127/),
      status: null,
    });
  });

  test('https to a server without TLS is UNREACHABLE', async () => {
    const server = await serveEngine(goodEngine);
    const engine = engineAt(server.url.replace('http:', 'https:'), server.close);
    await expect(engine.health()).rejects.toMatchObject({ code: 'ERR_DTESN_ENGINE_UNREACHABLE' });
  });

  test('silence before the headers or within the body is a TIMEOUT', async () => {
    const half: Answer = (response) => void response.writeHead(200, { 'content-length': 100 }).write('{');
    const engine = await engineOf({ '/version': silent, '/v1/models': half }, { timeoutMs: 50 });
    const timeout = { code: 'ERR_DTESN_ENGINE_TIMEOUT', message: expect.stringMatching(/in 50 ms/) };
    await expect(engine.version()).rejects.toMatchObject(timeout);
    await expect(engine.models()).rejects.toMatchObject(timeout);
  });

  test('a body cut before its length and a connection that closes at once are RESET', async () => {
    const engine = await engineOf({ '/metrics': cut(metricsBody) });
    await expect(engine.metrics()).rejects.toMatchObject({ code: 'ERR_DTESN_ENGINE_RESET' });
    const raw = await rawServer((socket) => socket.destroy());
    await expect(engineAt(raw.url, raw.close).version()).rejects.toMatchObject({ code: 'ERR_DTESN_ENGINE_RESET' });
  });

  test('a chunked body cut between chunks is RESET', async () => {
    const raw = await rawServer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\na 1\n\r\n')),
    );
    await expect(engineAt(raw.url, raw.close).metrics()).rejects.toMatchObject({ code: 'ERR_DTESN_ENGINE_RESET' });
  });

  test('an answer that is not HTTP is BODY', async () => {
    const raw = await rawServer((socket) => socket.end('220 mail.example ESMTP\r\n'));
    await expect(engineAt(raw.url, raw.close).version()).rejects.toMatchObject({ code: 'ERR_DTESN_ENGINE_BODY' });
  });

  test('a request on an idle socket that the engine had closed is sent again', async () => {
    let connections = 0;
    const raw = await rawServer((socket) => {
      connections += 1;
      const body = '{"version":"1"}';
      // The first request is answered and kept alive; the second one on the same connection meets a reset.
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
        socket.once('data', () => socket.resetAndDestroy());
      });
    });
    const engine = engineAt(raw.url, raw.close);
    expect(await engine.version()).toBe('1');
    expect(await engine.version()).toBe('1');
    expect(connections).toBe(2);
  });

  test('the caller’s abort rejects with its reason and closes the connection', async () => {
    const server = await serveEngine({ '/version': silent });
    const engine = engineAt(server.url, server.close);
    const abort = new AbortController();
    const asked = engine.version({ signal: abort.signal });
    await expect.poll(() => server.asked.length).toBe(1);
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    await expect.poll(() => server.connections()).toBe(0);
    await expect(engine.version({ signal: abort.signal })).rejects.toThrow('enough');
  });

  test('an answer that arrived while our own event loop was blocked is accepted after the time limit', async () => {
    const worker = new Worker(
      `const server = require('node:http').createServer((_, response) => setTimeout(() => response.end('{"version":"1"}'), 150));
      server.listen(0, '127.0.0.1', () => require('node:worker_threads').parentPort.postMessage(server.address().port));`,
      { eval: true },
    );
    const port = await new Promise((resolve) => worker.once('message', resolve));
    const engine = engineAt(`http://127.0.0.1:${port}`, async () => void (await worker.terminate()), {
      timeoutMs: 1000,
    });
    await engine.version(); // connected
    const asked = engine.version();
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve)); // sent
    const until = performance.now() + 1300;
    while (performance.now() < until);
    expect(await asked).toBe('1');
  });

  test('close() ends pending requests', async () => {
    const server = await serveEngine({ '/version': silent });
    const engine = engineAt(server.url, server.close);
    const asked = Promise.allSettled(Array.from({ length: 8 }, () => engine.version())); // more than there are sockets
    await expect.poll(() => server.asked.length).toBe(4);
    await engine.close();
    for (const outcome of await asked) expect(outcome).toMatchObject({ reason: { code: 'ERR_DTESN_CLOSED' } });
    await expect.poll(() => server.connections()).toBe(0);
  });
});

describe('statuses', () => {
  test.each([401, 403])('%i is a CREDENTIAL problem that names the option', async (status) => {
    const engine = await engineOf({ '/v1/models': json({ error: 'Unauthorized' }, status) });
    await expect(engine.models()).rejects.toMatchObject({
      code: 'ERR_DTESN_ENGINE_CREDENTIAL',
      message: expect.stringMatching(/credential .*Unauthorized.*apiKey/),
      status,
    });
  });

  test.each<[string, Answer, number, RegExp]>([
    [
      'an object',
      json({ error: { message: 'no such model', type: 'NotFoundError', code: 404 } }, 404),
      404,
      /: no such model$/,
    ],
    ['a text', json({ error: 'The model is currently scaling.' }, 503), 503, /: The model is currently scaling\.$/],
    ['a detail', json({ detail: 'Method Not Allowed' }, 405), 405, /: Method Not Allowed$/],
    ['nothing', text('', 503), 503, /answered 503$/],
    ['a stream', text('data: {"error":{"message":"dead"}}\n\ndata: [DONE]\n\n', 500), 500, /: dead$/],
    ['HTML', text('<html>Bad Gateway</html>', 502, 'text/html'), 502, /answered 502$/],
    ['a redirect', text('', 302), 302, /answered 302$/],
  ])('an error body that is %s gives HTTP with the engine’s words', async (_, answer, status, message) => {
    const failed = await (await engineOf({ '/version': answer })).version().catch((error) => error);
    expect(failed).toBeInstanceOf(EngineError);
    expect(failed).toMatchObject({ code: 'ERR_DTESN_ENGINE_HTTP', status, message: expect.stringMatching(message) });
  });

  test.each([
    ['7', 7000],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 10_000],
    ['Sun, 06 Nov 1994 08:00:00 GMT', 0],
    ['soon', null],
    ['-1', null],
  ])('Retry-After: %s is %s ms', async (said, retryAfterMs) => {
    const headers = { 'retry-after': said, date: 'Sun, 06 Nov 1994 08:49:27 GMT' };
    const engine = await engineOf({ '/version': (response) => response.writeHead(503, headers).end() });
    await expect(engine.version()).rejects.toMatchObject({ status: 503, retryAfterMs });
  });

  test('the message of the engine is cut and contains no line breaks', async () => {
    const engine = await engineOf({ '/version': json({ error: `a\n\u001b[31m${'x'.repeat(10_000)}` }, 400) });
    const { message } = await engine.version().catch((error) => error);
    expect(message.length).toBeLessThan(300);
    expect(message).not.toMatch(/\p{Cc}/u);
  });
});

describe('bodies', () => {
  test.each<[string, Answer, RegExp]>([
    ['a page of HTML', text('<!DOCTYPE html>', 200, 'text/html'), /text\/html that is not JSON/],
    ['an empty body', text(''), /not JSON/],
    ['NaN', text('{"data":[{"id":"m","max_model_len":NaN}]}'), /not JSON/],
    ['another shape', json({}), /an unexpected shape \(data/],
    ['a list', json([]), /an unexpected shape/],
    ['null', json(null), /an unexpected shape/],
    ['a wrong length', json({ data: [{ id: 'm', max_model_len: 'many' }] }), /data\.0\.max_model_len/],
  ])('%s with status 200 is BODY', async (_, answer, message) => {
    const engine = await engineOf({ '/v1/models': answer });
    await expect(engine.models()).rejects.toMatchObject({
      code: 'ERR_DTESN_ENGINE_BODY',
      message: expect.stringMatching(message),
    });
  });

  test('a body above the limit is BODY, for JSON and for metrics', async () => {
    const large = (bytes: number): Answer => text(' '.repeat(bytes));
    const engine = await engineOf({ '/version': large(1024 * 1024 + 1), '/metrics': large(8 * 1024 * 1024 + 1) });
    const refused = { code: 'ERR_DTESN_ENGINE_BODY', message: expect.stringMatching(/more than \d+ bytes/) };
    await expect(engine.version()).rejects.toMatchObject(refused);
    await expect(engine.metrics()).rejects.toMatchObject(refused);
  });

  const encoded =
    (encoding: string, body: Uint8Array): Answer =>
    (response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(body);

  test.each<[string, (text: string) => Uint8Array]>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('a body in %s, which was not asked for, is read', async (encoding, encode) => {
    const engine = await engineOf({ '/version': encoded(encoding, encode('{"version":"1"}')) });
    expect(await engine.version()).toBe('1');
    expect(await engine.version()).toBe('1');
  });

  test.each(['zstd', 'constructor', '__proto__'])('a body with the unknown encoding %s is BODY', async (encoding) => {
    const engine = await engineOf({ '/version': encoded(encoding, Buffer.from('{"version":"1"}')) });
    await expect(engine.version()).rejects.toMatchObject({
      code: 'ERR_DTESN_ENGINE_BODY',
      message: expect.stringContaining(`encoding ${encoding} although`),
    });
  });

  test('a compressed body that decodes to 64 MiB is BODY, and only a small part is decoded', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(100_000);
    const engine = await engineOf({ '/metrics': encoded('gzip', bomb) });
    const before = process.memoryUsage().arrayBuffers;
    await expect(engine.metrics()).rejects.toMatchObject({
      code: 'ERR_DTESN_ENGINE_BODY',
      message: expect.stringMatching(/more than 8388608 bytes/),
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
  });

  test.each<[string, Answer, RegExp]>([
    ['no gzip', encoded('gzip', Buffer.from('{"version":"1"}')), /gzip body that cannot be decoded/],
    [
      'gzip that is cut',
      encoded('gzip', gzipSync('{"version":"1"}').subarray(0, 20)),
      /gzip body that cannot be decoded/,
    ],
    ['an unknown encoding', encoded('zstd', Buffer.from('x')), /encoding zstd although identity/],
  ])('%s is BODY', async (_, answer, message) => {
    const engine = await engineOf({ '/version': answer });
    await expect(engine.version()).rejects.toMatchObject({
      code: 'ERR_DTESN_ENGINE_BODY',
      message: expect.stringMatching(message),
    });
  });

  test('a declared length above the limit is refused before the body is read', async () => {
    const engine = await engineOf({
      '/version': (response) => response.writeHead(200, { 'content-length': 5e7 }).flushHeaders(),
    });
    await expect(engine.version()).rejects.toMatchObject({ code: 'ERR_DTESN_ENGINE_BODY' });
  });

  test('headers beyond 16 KiB are BODY', async () => {
    const engine = await engineOf({
      '/version': (response) => response.writeHead(200, { 'x-long': 'x'.repeat(20_000) }).end('{"version":"1"}'),
    });
    await expect(engine.version()).rejects.toMatchObject({
      code: 'ERR_DTESN_ENGINE_BODY',
      message: expect.stringMatching(/HPE_HEADER_OVERFLOW/),
    });
  });

  test('after any of these the client still works', async () => {
    let turn = 0;
    const engine = await engineOf({
      ...goodEngine,
      '/version': (response, body, request) => {
        const answers = [cut('{"version":"1"}'), json({ error: 'x' }, 500), text('<html>'), json({ version: '2' })];
        answers[turn++]!(response, body, request);
      },
    });
    for (let i = 0; i < 3; i++) await expect(engine.version()).rejects.toBeInstanceOf(EngineError);
    expect(await engine.version()).toBe('2');
  });
});
