/** Secrets and prompts, planted and searched for in everything that the command gives out or keeps; its log and metrics under attack. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Answer, type EngineServer, json, serveEngine } from '../../faults/engine-server.js';
import { runningBridge, startBridge } from '../running-bridge.js';
import { connect, exchange, pause, statusesOf } from './raw-client.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-secrets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string) => {
  const at = path.join(folder, name);
  writeFileSync(at, text, { mode: 0o600 });
  return at;
};

function filesIn(at: string): string[] {
  return readdirSync(at).flatMap((name) => {
    const one = path.join(at, name);
    return statSync(one).isDirectory() ? filesIn(one) : [one];
  });
}

const hasPromtool = (() => {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

test('tokens, keys and prompts appear in no answer, event, log line, metric or file of the state', {
  timeout: 60_000,
}, async () => {
  const secrets = {
    token: `canary-token-${'t'.repeat(32)}`,
    wrong: `canary-wrong-${'w'.repeat(32)}`,
    admin: `canary-admin-${'a'.repeat(32)}`,
    prompt: 'canary-prompt-of-a-user',
    query: 'canary-query',
    header: 'canary-header',
    cookie: 'canary-cookie',
  };
  const key = 'canary-key-of-the-engine';
  let engine: EngineServer | undefined;
  try {
    // An engine that quotes what it was sent, as some do in their errors.
    engine = await serveEngine({
      '/health': json({}),
      '/v1/models': (response, _, { headers }) => response.writeHead(401).end(`bad key ${headers.authorization}`),
      '/tokenize': (response, body) =>
        response.writeHead(400).end(JSON.stringify({ message: `cannot tokenize ${body}` })),
    });
    const state = path.join(folder, 'state');
    await using bridge = await runningBridge({
      args: [
        ...['--engine', engine.url, '--state-dir', state, '--log-level', 'debug'],
        ...['--use-token-file', file('token', secrets.token), '--admin-token-file', file('admin', secrets.admin)],
      ],
      env: { DTESN_API_KEY: key },
    });
    let given = '';
    let heard = '';
    const good = { authorization: `Bearer ${secrets.token}` };
    const events = new AbortController();
    const listening = (async () => {
      // After an id of another boot all events so far are sent.
      const headers = { ...good, 'last-event-id': 'other-1' };
      const stream = (await fetch(`${bridge.url}/v1/events`, { headers, signal: events.signal })).body!;
      for await (const chunk of stream) heard += Buffer.from(chunk).toString();
    })().catch(() => {});
    const ask = async (at: string, init: RequestInit = {}, isEcho = false) => {
      const answer = await fetch(`${bridge.url}${at}`, { ...init, headers: { ...good, ...init.headers } });
      const text = await answer.text();
      if (!isEcho) given += `${text}${JSON.stringify([...answer.headers])}`;
      return answer.status;
    };
    const post = (at: string, body: unknown) =>
      ask(at, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      });
    const { prompt, query, header, cookie, wrong } = secrets;
    expect(await post('/v1/process', { text: prompt })).toBe(200);
    expect(await post('/v1/process/batch', { inputs: [{ text: prompt }] })).toBe(200);
    expect(await post('/v1/process/stream', { text: prompt, chunk: 5 })).toBe(200);
    await post('/v1/process', { text: prompt, series: [prompt] });
    await post('/v1/process', { series: [prompt] });
    await post('/v1/process', `{"text": "${prompt}`);
    await post('/v1/sessions', { id: 's', network: 'none' });
    await post('/v1/sessions', { id: 's' });
    await post('/v1/sessions/s/steps', { from: 0, rows: [[prompt]] });
    await post('/v1/finish', { ticket: 't', outcome: prompt });
    await post('/v1/login', { token: wrong });
    const hidden = { headers: { 'x-canary': header, cookie: `dtesn_session=${cookie}` } };
    // The refusal names the parameter to the one who sent it.
    expect(await ask(`/v1/engines?${query}=${query}`, hidden, true)).toBe(400);
    expect(await ask('/v1/engines', hidden)).toBe(200);
    await ask(`/v1/none/${query}?${query}`);
    await ask('/v1/engines', { headers: { authorization: `Bearer ${wrong}` } });
    for (const at of [
      '/v1/context',
      '/v1/engines',
      '/v1/status',
      '/metrics',
      '/openapi.json',
      '/v1/sessions',
      '/readyz?verbose',
      '/livez',
      '/',
      '/deep_tree_echo/status',
    ]) {
      expect(await ask(at)).toBe(200);
    }
    await exchange(bridge.url, `GET /${query} HTTP/1.1\r\nHost: a\r\nX-Canary: ${header}\r\nbad\r\n\r\n`);
    await pause(500);
    events.abort();
    await listening;
    expect(heard).toMatch(/^event: (?!missed)\w/m);
    const metrics = await (await fetch(`${bridge.url}/metrics`, { headers: good })).text();
    expect(await bridge.end()).toBe(0);
    const kept = filesIn(state).map((one) => readFileSync(one, 'latin1'));
    const places = { answers: given, events: heard, log: bridge.log(), metrics, state: kept.join('\n') };
    const found = Object.entries(places).flatMap(([place, text]) =>
      [...Object.values(secrets), key]
        .filter((secret) => text.includes(secret))
        .map((secret) => `${secret} in ${place}`),
    );
    expect(found).toEqual([]);
    for (const line of bridge.log().trim().split('\n')) expect(Object.keys(JSON.parse(line))).toContain('ts');
  } finally {
    await engine?.close();
  }
});

test('the key of an engine that a definition names by its file reaches that engine alone', {
  timeout: 60_000,
}, async () => {
  const key = `canary-key-${'k'.repeat(32)}`;
  let withKey = 0;
  const guarded =
    (answer: Answer): Answer =>
    (response, body, request) => {
      const { authorization = '' } = request.headers;
      if (authorization !== `Bearer ${key}`) return void response.writeHead(401).end(`bad key ${authorization}`);
      withKey++;
      answer(response, body, request);
    };
  const engine = await serveEngine({
    '/health': guarded(json({})),
    '/v1/models': guarded(json({ object: 'list', data: [{ id: 'm', object: 'model' }] })),
    '/metrics': guarded((response) =>
      response.writeHead(200).end('# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running 0\n'),
    ),
    '/tokenize': (response, body, { headers }) =>
      response.writeHead(400).end(JSON.stringify({ message: `${body} ${headers.authorization}` })),
  });
  try {
    const state = path.join(folder, 'state-of-keys');
    const engines = [{ url: engine.url, name: 'guarded', apiKeyFile: file('key', `${key}\n`) }];
    const config = file('keys.json', JSON.stringify({ engines }));
    const admin = 'a'.repeat(40);
    await using bridge = await runningBridge({
      args: [
        '--config',
        config,
        '--state-dir',
        state,
        '--log-level',
        'debug',
        '--admin-token-file',
        file('keys-admin', admin),
      ],
    });
    const headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/json' };
    const events = new AbortController();
    let given = '';
    let heard = '';
    const listening = (async () => {
      const stream = (await fetch(`${bridge.url}/v1/events`, { headers, signal: events.signal })).body!;
      for await (const chunk of stream) heard += Buffer.from(chunk).toString();
    })().catch(() => {});
    const ask = async (at: string, body?: object) => {
      const init = body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) };
      const answer = await fetch(`${bridge.url}${at}`, init);
      given += `${await answer.text()}${JSON.stringify([...answer.headers])}`;
      return answer.status;
    };
    await expect.poll(() => withKey, { timeout: 20_000 }).toBeGreaterThan(1);
    expect(await ask('/v1/process', { text: 'hello' })).toBe(200);
    expect(await ask('/v1/sessions', { id: 's' })).toBe(201);
    expect(await ask('/v1/config', { changes: { 'processing.batchWaitMs': 2 } })).toBe(200);
    expect(await ask('/v1/config/validate', { changes: { engines: [] } })).toBe(200);
    const { items } = (await (await fetch(`${bridge.url}/v1/config/snapshots`, { headers })).json()) as {
      items: { id: string }[];
    };
    const snapshots = items.map(({ id }) => `/v1/config/snapshots/${id}`);
    const pages = [
      '/v1/config',
      '/v1/config/schema',
      '/v1/config/snapshots',
      '/v1/context?engine=guarded',
      '/v1/engines',
    ];
    const others = ['/v1/engines/guarded/history', '/v1/status', '/metrics', '/readyz?verbose', '/v1/sessions'];
    for (const at of [...snapshots, ...pages, ...others]) expect(await ask(at)).toBe(200);
    expect(given).toContain('apiKeyFile');
    bridge.process.kill('SIGHUP');
    await pause(300);
    events.abort();
    await listening;
    expect(heard).toMatch(/^event: (?!missed)\w/m);
    expect(await bridge.end()).toBe(0);
    const kept = filesIn(state).map((one) => readFileSync(one, 'latin1'));
    const places = { answers: given, events: heard, log: bridge.log(), state: kept.join('\n') };
    expect(Object.keys(places).filter((place) => places[place as keyof typeof places].includes(key))).toEqual([]);
  } finally {
    await engine.close();
  }
});

test('under attack the metrics stay well-formed and few, stdout holds the listening lines alone, and each log line is JSON', {
  timeout: 60_000,
}, async () => {
  await using bridge = await runningBridge({ args: ['--log-level', 'debug'] });
  let out = '';
  bridge.process.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const series = async () => (await (await fetch(`${bridge.url}/metrics`)).text()).split('\n').length;
  const attack = async (round: number) => {
    for (let i = 0; i < 30; i++) {
      const odd = `"\\\n\u2028{}${round}-${i}`;
      await fetch(`${bridge.url}/${encodeURIComponent(odd)}?x=${i}`, { headers: { 'x-request-id': `r${round}.${i}` } });
      await exchange(bridge.url, `PROPFIND /v1/x${i} HTTP/1.1\r\nHost: h${i}\r\nConnection: close\r\n\r\n`);
      await exchange(bridge.url, `M${i} / HTTP/1.1\r\nHost: a\r\n\r\n`);
      const body = JSON.stringify({ engine: `<script>${i}`, outcome: odd, ticket: `t${round}-${i}` });
      for (const at of ['/v1/dispatch', '/v1/finish', '/v1/pick']) {
        await fetch(`${bridge.url}${at}`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
      }
    }
  };
  await attack(0);
  const before = await series();
  await attack(1);
  await attack(2);
  expect(await series()).toBeLessThan(before + 20);
  const text = await (await fetch(`${bridge.url}/metrics`)).text();
  expect(text).not.toMatch(/script|PROPFIND|x-request/);
  if (hasPromtool)
    expect(execFileSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8', stdio: 'pipe' })).toBe('');
  for (const line of bridge.log().trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
  expect(out).toBe('');
});

test('a reader of stderr that is stuck does not stop the service, and lost lines are counted', {
  tags: ['slow'],
  timeout: 60_000,
}, async () => {
  const child = startBridge({ args: ['--log-level', 'debug', '--admin-token-file', file('stuck', 's'.repeat(40))] });
  child.stderr.pause();
  try {
    const url = await new Promise<string>((resolve) => {
      let out = '';
      child.stdout.on('data', (chunk) => {
        out += chunk;
        const found = /listening on (\S+)/.exec(out);
        if (found) resolve(found[1]!);
      });
    });
    // Each is a line of its own: too many wrong tokens, with an id of 128 characters.
    const dropped = async () =>
      Number(/dtesn_log_dropped_total (\d+)/.exec(await (await fetch(`${url}/metrics`)).text())?.[1] ?? 0);
    const sockets = await Promise.all(Array.from({ length: 8 }, () => connect(url)));
    const round = async (socket: Socket, name: string) => {
      const ids = Array.from({ length: 15 }, (_, k) => `${name}-${k}-`.padEnd(128, 'x'));
      const head = 'GET /livex HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\n';
      let answers = 0;
      const all = new Promise<void>((resolve) => {
        const count = (chunk: Buffer) => {
          answers += chunk.toString('latin1').split('"error"').length - 1;
          if (answers < ids.length) return;
          socket.off('data', count);
          resolve();
        };
        socket.on('data', count);
      });
      socket.write(ids.map((id) => `${head}X-Request-Id: ${id}\r\n\r\n`).join(''));
      await all;
    };
    for (let i = 0; i < 200 && (await dropped()) === 0; i++) {
      await Promise.all(sockets.map((socket, j) => round(socket, `${i}-${j}`)));
    }
    expect(await dropped()).toBeGreaterThan(0);
    expect((await fetch(`${url}/v1/status`)).status).toBe(200);
    expect(
      statusesOf((await exchange(url, 'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')).text),
    ).toEqual([200]);
    for (const socket of sockets) socket.destroy();
    const start = performance.now();
    child.kill('SIGTERM');
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(0);
    expect(performance.now() - start).toBeLessThan(10_000);
  } finally {
    child.kill('SIGKILL');
  }
});
