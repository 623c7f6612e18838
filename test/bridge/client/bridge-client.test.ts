import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BridgeCallError, BridgeClient, isBridgeCallError } from '../../../src/bridge/client/index.js';
import { BridgeProcess } from './bridge-process.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-client-'));
const socket = path.join(folder, 'b.sock');
let bridge: BridgeProcess;
beforeAll(async () => {
  bridge = await BridgeProcess.start('--listen', '127.0.0.1:0', '--listen', `unix:${socket}`, '--state-dir', folder);
});
afterAll(async () => {
  await bridge.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** A server of one test. */
async function serve(listener: http.RequestListener): Promise<{ url: string; [Symbol.asyncDispose](): Promise<void> }> {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const close = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.asyncDispose]: close };
}

const refuse = (response: http.ServerResponse, status: number, code: string, headers = {}) => {
  response.writeHead(status, { 'x-request-id': 'r-1', ...headers });
  response.end(JSON.stringify({ error: { code, message: 'said so', next: 7 } }));
};

/** Of the default network, which takes 16 numbers. */
const row = new Array<number>(16).fill(0.5);

const nothing = 'http://127.0.0.1:9';

describe('questions', () => {
  test.each(['tcp', 'unix'])(
    'over %s it reads engines and context, and processes texts, series and frames',
    async (kind) => {
      await using client = new BridgeClient(kind === 'tcp' ? bridge.address : `unix:${socket}`);
      const { items } = await client.engines();
      expect(items).toHaveLength(1);
      expect(typeof items[0]!.state.since).toBe('string');
      expect(typeof (await client.context()).engine_available).toBe('boolean');
      expect(
        (await client.process({ tokens: [1, 2, 3, 4, 5] }, { priority: 'high', budgetMs: 5000 })).input.steps,
      ).toBe(5);
      expect((await client.process({ text: 'hello' })).input.kind).toBe('tokens');
      expect((await client.process({ series: [row, row, row] })).input.steps).toBe(3);
      expect((await client.process({ values: new Float32Array(8 * 16), features: 16 })).input.steps).toBe(8);
      expect((await client.process({ values: new Float64Array(2 * 16), features: 16 })).input.steps).toBe(2);
    },
  );

  test('a batch keeps its order, and one failure is one entry', async () => {
    await using client = new BridgeClient(bridge.address);
    const items = await client.processBatch([{ tokens: [1, 2] }, { text: '' }, { tokens: [1, 2, 3] }]);
    expect(items.map((item) => (item.ok ? item.result.input.steps : item.error.code))).toEqual([2, 'impossible', 3]);
  });

  test('what the bridge refuses is a BridgeCallError with status, code and request id', async () => {
    await using client = new BridgeClient(bridge.address);
    const error = await client.process({ text: '' }).catch((thrown: unknown) => thrown);
    expect(isBridgeCallError(error)).toBe(true);
    const { status, code, requestId } = error as BridgeCallError;
    expect([status, code]).toEqual([422, 'impossible']);
    expect(requestId).toMatch(/./);
  });

  test('an answer that is no JSON of the bridge is bad_answer', async () => {
    await using server = await serve((_, response) => response.writeHead(502).end('<html>'));
    await using client = new BridgeClient(server.url);
    await expect(client.engines()).rejects.toMatchObject({ code: 'bad_answer', status: 502 });
    await using other = await serve((_, response) => response.end('{"items": 1}'));
    await using second = new BridgeClient(other.url);
    await expect(second.engines()).rejects.toMatchObject({ code: 'bad_answer', status: 200 });
  });

  test('what passes is repeated after Retry-After, what does not is not', async () => {
    let asked = 0;
    await using server = await serve((request, response) => {
      asked += 1;
      if (request.url === '/v1/context') return refuse(response, 409, 'offset_gap');
      if (asked < 3) return refuse(response, 429, 'queue_full', { 'retry-after': '0' });
      response.end('{"items": []}');
    });
    await using client = new BridgeClient(server.url);
    expect(await client.engines()).toEqual({ items: [] });
    expect(asked).toBe(3);
    await expect(client.context()).rejects.toMatchObject({ code: 'offset_gap', details: { next: 7 } });
    expect(asked).toBe(4);
    await using once = new BridgeClient(server.url, { retries: 0 });
    asked = 0;
    await expect(once.engines()).rejects.toMatchObject({ code: 'queue_full', status: 429, retryAfterSeconds: 0 });
  });

  test('a kept connection that the bridge closed meanwhile is replaced', async () => {
    const sockets = new Set<unknown>();
    await using server = await serve((request, response) => {
      sockets.add(request.socket);
      response.end('{"items": []}');
      // Reset as soon as the client writes again, which it has not heard of by then.
      response.on('finish', () => request.socket.once('data', () => request.socket.resetAndDestroy()));
    });
    await using client = new BridgeClient(server.url, { retries: 0 });
    for (let i = 0; i < 3; i++) expect(await client.engines()).toEqual({ items: [] });
    expect(sockets.size).toBeGreaterThan(1);
  });

  test('a bridge that never answers is a timeout, and the signal of the caller ends a call with its reason', async () => {
    await using server = await serve(() => {});
    await using client = new BridgeClient(server.url, { timeoutMs: 50 });
    await expect(client.engines()).rejects.toMatchObject({ code: 'timeout', status: 0 });
    await using patient = new BridgeClient(server.url);
    const stop = new AbortController();
    const asked = patient.engines({ signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });

  test('close() ends what is under way, and what is asked afterwards', async () => {
    await using server = await serve(() => {});
    const client = new BridgeClient(server.url);
    const asked = expect(client.engines()).rejects.toMatchObject({ code: 'closed' });
    await new Promise((turn) => setImmediate(turn));
    await client.close();
    await asked;
    await expect(client.engines()).rejects.toMatchObject({ code: 'closed' });
  });

  test('a token file is read again when the bridge refuses its token', async () => {
    const file = path.join(folder, 'token');
    await using server = await serve((request, response) => {
      if (request.headers.authorization !== 'Bearer second') return refuse(response, 401, 'unauthorised');
      response.end('{"items": []}');
    });
    writeFileSync(file, 'first\n');
    await using client = new BridgeClient(server.url, { tokenFile: file });
    await expect(client.engines()).rejects.toMatchObject({ code: 'unauthorised', status: 401 });
    writeFileSync(file, 'second\n');
    expect(await client.engines()).toEqual({ items: [] });
  });

  test('wrong options are named', () => {
    expect(() => new BridgeClient('127.0.0.1:2250')).toThrow(
      "Expected the address of a bridge ('http://127.0.0.1:2250'",
    );
    expect(() => new BridgeClient('http://user:pass@host')).toThrow('for address');
    expect(() => new BridgeClient(nothing, { timeOutMs: 1 } as object)).toThrow('did you mean timeoutMs?');
    expect(() => new BridgeClient(nothing, { retries: -1 })).toThrow('a whole number from 0 to 100 for retries');
  });
});

describe('the path of an engine request', () => {
  test('pick names an engine, and its ticket is known, another is not', async () => {
    await using client = new BridgeClient(bridge.address, { budgetMs: 5000 });
    const picked = await client.pick({ promptTokens: 3, session: 's' });
    expect(picked).toMatchObject({ engine: expect.any(String), reason: expect.any(String) });
    expect(await client.admit({ promptTokens: 3, ttftSloMs: 60_000, session: 's', priority: 1 })).toMatchObject({
      admitted: true,
      engine: expect.any(String),
      ttft: { ms: expect.any(Number), basis: 'metrics' },
    });
    const ticket = await client.dispatch({ engine: picked!.engine, promptTokens: 3 });
    expect(await client.firstToken(ticket)).toBe(true);
    expect(await client.finish(ticket, { outcome: 'ok', generatedTokens: 5 })).toBe(true);
    expect(await client.finish('no-ticket', { outcome: 'ok' })).toBe(false);
  });

  const servers: [string, http.RequestListener | null][] = [
    ['is down', null],
    ['never answers', () => {}],
    ['breaks the connection', (request) => request.socket.destroy()],
    ['says 503', (_, response) => refuse(response, 503, 'draining')],
    ['answers nonsense', (_, response) => response.end('[]')],
    ['refuses the token', (_, response) => refuse(response, 401, 'unauthorised')],
  ];
  test.each(servers)('nothing throws where the bridge %s', async (_name, listener) => {
    await using server = listener ? await serve(listener) : { url: nothing, async [Symbol.asyncDispose]() {} };
    const failures: string[] = [];
    await using client = new BridgeClient(server.url, { onFailure: (_, call) => failures.push(call), budgetMs: 30 });
    expect(await client.pick()).toBeNull();
    expect(await client.admit({ promptTokens: 1, ttftSloMs: 1000 })).toBeNull();
    expect(await client.dispatch({ engine: 'a', ticket: 't-1' })).toBe('t-1');
    expect(await client.firstToken('t-1')).toBe(false);
    expect(failures.slice(0, 3)).toEqual(['pick', 'admit', 'dispatch']);
    expect(await client.finish('t-1', { outcome: 'ok' })).toBe(false);
  });

  test('after 3 failures in a row nothing is asked for breakMs, then one question tries', async () => {
    let asked = 0;
    let now = 0;
    await using server = await serve((_, response) => {
      asked += 1;
      if (asked <= 4) return refuse(response, 500, 'internal');
      response.end('{"engine":"a","url":"u","reason":"r"}');
    });
    const clock = {
      now: () => now,
      after: (ms: number, call: () => void) => {
        const timer = setTimeout(call, ms);
        return () => clearTimeout(timer);
      },
    };
    await using client = new BridgeClient(server.url, { budgetMs: 5000, breakMs: 1000, clock });
    for (let i = 0; i < 6; i++) expect(await client.pick()).toBeNull();
    expect(asked).toBe(3);
    now = 1001;
    expect(await Promise.all([client.pick(), client.pick()])).toEqual([null, null]);
    expect(asked).toBe(4);
    now = 2002;
    expect(await client.pick()).toMatchObject({ engine: 'a' });
    expect(await client.pick()).toMatchObject({ engine: 'a' });
    expect(asked).toBe(6);
  });

  test('aborts of the caller are no failures of the bridge: the next question is asked', async () => {
    let answers = false;
    let asked = 0;
    await using server = await serve((_, response) => {
      asked += 1;
      if (answers) response.end('{"engine":"a","url":"u","reason":"r"}');
    });
    await using client = new BridgeClient(server.url, { budgetMs: 5000 });
    for (let i = 0; i < 6; i++) {
      const stop = new AbortController();
      const picked = client.pick({}, { signal: stop.signal });
      await expect.poll(() => asked).toBe(i + 1);
      stop.abort();
      expect(await picked).toBeNull();
    }
    answers = true;
    expect(await client.pick()).toMatchObject({ engine: 'a' });
  });

  test('the repeat after a refused token has what is left of the budget', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-client-'));
    const tokenFile = path.join(folder, 'token');
    writeFileSync(tokenFile, 'a'.repeat(40));
    let now = 0;
    const limits: number[] = [];
    const clock = {
      now: () => now,
      after: (ms: number, call: () => void) => {
        limits.push(ms);
        const timer = setTimeout(call, ms);
        return () => clearTimeout(timer);
      },
    };
    await using server = await serve((_, response) => {
      now += 300;
      writeFileSync(tokenFile, 'b'.repeat(40));
      refuse(response, 401, 'unauthorised');
    });
    await using client = new BridgeClient(server.url, { budgetMs: 1000, tokenFile, clock });
    expect(await client.pick()).toBeNull();
    expect(limits.filter((ms) => ms === 1000 || ms === 700)).toEqual([1000, 700]);
    rmSync(folder, { recursive: true });
  });

  test('no engine is an answer: the next questions are asked', async () => {
    let asked = 0;
    await using server = await serve((_, response) => {
      asked += 1;
      refuse(response, 503, 'no_engine');
    });
    await using client = new BridgeClient(server.url, { budgetMs: 5000 });
    for (let i = 0; i < 6; i++) expect(await client.pick()).toBeNull();
    expect(asked).toBe(6);
  });
});

describe('streams', () => {
  test('a long text comes back in chunks with a summary at the end', async () => {
    await using client = new BridgeClient(bridge.address);
    const seen: string[] = [];
    for await (const { event } of client.processStream({ text: 'x'.repeat(100) }, { chunk: 40 })) seen.push(event);
    expect(seen).toEqual(['chunk', 'chunk', 'chunk', 'summary']);
  });

  test('a body may be made while it is sent', async () => {
    await using client = new BridgeClient(bridge.address);
    async function* body() {
      for (let i = 0; i < 4; i++) yield 'some text. ';
    }
    const seen: string[] = [];
    for await (const { event } of client.processStream({ body: body(), dtype: 'utf8' })) seen.push(event);
    expect(seen.at(-1)).toBe('summary');
  });

  test('a reader that stops holds the sender back', async () => {
    let written = 0;
    await using server = await serve(async (_, response) => {
      const text = `event: chunk\ndata: {"a":"${'x'.repeat(65_536)}"}\n\n`;
      for (let i = 0; i < 4000 && !response.destroyed; i++) {
        written += text.length;
        if (response.write(text)) continue;
        await new Promise((more) => {
          response.once('drain', more);
          response.once('close', more);
        });
      }
    });
    await using client = new BridgeClient(server.url);
    for await (const { event } of client.processStream({ text: 'x' })) {
      expect(event).toBe('chunk');
      let before = -1;
      while (before !== written) {
        before = written;
        await new Promise((later) => setTimeout(later, 100));
      }
      break;
    }
    // What the kernel and both sides hold; all of it would be 250 MiB.
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  test('leaving the loop ends the work at the bridge', async () => {
    let left = () => {};
    const gone = new Promise<void>((resolve) => {
      left = resolve;
    });
    await using server = await serve((_, response) => {
      response.write('event: chunk\ndata: {}\n\n');
      response.on('close', left);
    });
    await using client = new BridgeClient(server.url);
    for await (const _ of client.processStream({ text: 'x' })) break;
    await gone;
  });

  test('an error in the stream, and a stream without a summary, are errors', async () => {
    await using server = await serve((request, response) => {
      if (request.headers['x-dtesn-dtype'] === 'utf8') return response.end('event: chunk\ndata: {}\n\n');
      response.end('event: error\ndata: {"code":"budget","message":"late"}\n\n');
    });
    await using client = new BridgeClient(server.url);
    const read = async (input: Parameters<BridgeClient['processStream']>[0]) => {
      for await (const _ of client.processStream(input));
    };
    await expect(read({ text: 'x' })).rejects.toMatchObject({ code: 'budget' });
    const body = (async function* () {})();
    await expect(read({ body, dtype: 'utf8' })).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('events', () => {
  test('a connection that ends is made again with the id of the last event', async () => {
    const lastIds: (string | undefined)[] = [];
    await using server = await serve((request, response) => {
      const last = request.headers['last-event-id'] as string | undefined;
      lastIds.push(last);
      if (lastIds.length === 3) return refuse(response, 503, 'draining');
      response.write('retry: 1\n\n: comment\n\n');
      if (last === undefined)
        response.end('id: b-1\r\nevent: state\r\ndata: {"n":\r\ndata: 1}\r\n\r\nid: b-2\ndata: cut');
      else if (lastIds.length === 2) request.socket.destroy();
      else
        response.write(
          'event: missed\ndata: {"reason":"restart"}\n\nid: c-1\nevent: end\ndata: {"reason":"drain"}\n\n',
        );
    });
    await using client = new BridgeClient(server.url);
    const seen: unknown[] = [];
    for await (const { id, event, data } of client.events()) {
      seen.push([id, event, data]);
      if (event === 'end') break;
    }
    expect(seen).toEqual([
      ['b-1', 'state', { n: 1 }],
      [undefined, 'missed', { reason: 'restart' }],
      ['c-1', 'end', { reason: 'drain' }],
    ]);
    expect(lastIds).toEqual([undefined, 'b-1', 'b-1', 'b-1']);
  });

  test('the running bridge says what is missed, and the loop goes on over its restart', {
    tags: ['slow'],
    timeout: 60_000,
  }, async () => {
    const own = await BridgeProcess.start('--listen', '127.0.0.1:0');
    await using client = new BridgeClient(own.address);
    const boots = new Set<string>();
    let missed = 0;
    for await (const { id, event, data } of client.events({ lastEventId: 'another-1' })) {
      if (event === 'missed') {
        expect(data).toEqual({ reason: 'restart' });
        missed += 1;
        continue;
      }
      expect(typeof data['at']).toBe('string');
      const [boot = ''] = id!.split('-');
      if (boots.size === 0) {
        await own.kill();
        await own.startAgain();
      }
      boots.add(boot);
      if (boots.size === 2) break;
    }
    expect(missed).toBe(2);
    await own.kill();
  });

  test('what does not pass ends the events', async () => {
    await using server = await serve((_, response) => refuse(response, 403, 'forbidden'));
    await using client = new BridgeClient(server.url);
    await expect(client.events().next()).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('the signal ends them with its reason', async () => {
    await using client = new BridgeClient(bridge.address);
    const stop = new AbortController();
    const next = client.events({ signal: stop.signal }).next();
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(next).rejects.toThrow('enough');
  });
});

test('nothing of it loads the addon', async () => {
  const root = path.resolve(import.meta.dirname, '../../..');
  const script = `process.dlopen = () => { throw new Error('an addon was loaded'); };
    const dtesn = await import(${JSON.stringify(path.join(root, 'dist/bridge-client.js'))}); console.log('loaded', typeof dtesn.BridgeClient);`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(out).toBe('loaded function\n');
});
