/** Where the command listens and who may reach it: IPv6, exposure, rebinding, TLS with new certificates, proxies. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../../faults/self-signed.js';
import { runningBridge } from '../running-bridge.js';
import { connect, exchange, statusesOf } from './raw-client.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-listeners-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const warning = 'can be reached from other machines without TLS';
const get = (host: string, more = '') =>
  `GET /v1/engines HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`;

describe('addresses', () => {
  test('[::1] is served and is not exposed', async () => {
    await using bridge = await runningBridge({ listen: ['[::1]:0', '127.0.0.1:0'], listeners: 2 });
    expect(bridge.urls[0]).toMatch(/^http:\/\/\[::1\]:\d+$/);
    for (const name of ['[::1]', '[::1]:80', 'localhost']) {
      expect(statusesOf((await exchange(bridge.urls[0]!, get(name))).text)).toEqual([200]);
    }
    for (const name of ['[::]', '[::2]', '[fe80::1]', '[::ffff:808:808]']) {
      expect(statusesOf((await exchange(bridge.urls[0]!, get(name))).text)).toEqual([421]);
    }
    for (const name of ['[0:0:0:0:0:0:0:1]', '127.1', '2130706433', '0x7f.1']) {
      const { text } = await exchange(bridge.urls[1]!, get(name));
      expect([name, ...statusesOf(text)]).toEqual([name, 421]);
    }
    expect(bridge.log()).not.toContain(warning);
  });

  test.each(['[::]:0', '0.0.0.0:0'])(
    '%s is not loopback: the start warns, and its name is not a host',
    async (listen) => {
      await using bridge = await runningBridge({ listen: [listen] });
      await expect.poll(() => bridge.log()).toContain(warning);
      const at = bridge.url.replace('0.0.0.0', '127.0.0.1').replace('[::]', '[::1]');
      expect(statusesOf((await exchange(at, get('[::]'))).text)).toEqual([421]);
      expect(statusesOf((await exchange(at, get('0.0.0.0'))).text)).toEqual([421]);
      expect(statusesOf((await exchange(at, get('localhost'))).text)).toEqual([200]);
    },
  );

  test('a rebound name, a foreign page and a simple form get nothing, and no answer has a CORS header', async () => {
    await using bridge = await runningBridge({ args: ['--allowed-host', 'bridge.example'] });
    const wanted: [string, string, number][] = [
      ['evil.example', '', 421],
      [`127.0.0.1.evil.example:${new URL(bridge.url).port}`, '', 421],
      ['bridge.example', '', 200],
      ['BRIDGE.example:80', '', 200],
      ['bridge.example.', '', 421],
      ['127.0.0.1', 'Origin: http://evil.example\r\n', 403],
      ['127.0.0.1', 'Origin: null\r\n', 403],
      ['127.0.0.1', 'Sec-Fetch-Site: cross-site\r\n', 403],
      ['127.0.0.1', 'Sec-Fetch-Site: Cross-Site\r\n', 403],
    ];
    for (const [name, more, status] of wanted) {
      const { text } = await exchange(bridge.url, get(name, more));
      expect([name, more, ...statusesOf(text)]).toEqual([name, more, status]);
      expect(text.toLowerCase()).not.toContain('access-control');
    }
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
      const head = `POST /v1/pick HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\nContent-Length: 2\r\n\r\n{}`;
      expect(statusesOf((await exchange(bridge.url, head)).text)).toEqual([415]);
    }
  });
});

describe('TLS', () => {
  const files = { cert: path.join(folder, 'cert.pem'), key: path.join(folder, 'key.pem') };
  const write = () => {
    const made = selfSigned();
    writeFileSync(files.key, made.key);
    writeFileSync(files.cert, made.cert);
  };
  const fingerprint = (url: string) =>
    new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(url);
      const socket = tls.connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.on('error', reject);
    });
  const ask = (url: string) =>
    new Promise<number>((resolve, reject) => {
      https
        .get(`${url}/v1/engines`, { rejectUnauthorized: false, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode!);
        })
        .on('error', reject);
    });

  test('new certificates are taken while it runs, a broken pair is not, and plain text is not answered', {
    tags: ['slow'],
    timeout: 60_000,
  }, async () => {
    write();
    await using bridge = await runningBridge({
      listen: ['0.0.0.0:0'],
      args: ['--tls-cert', files.cert, '--tls-key', files.key],
    });
    const url = bridge.url.replace('0.0.0.0', '127.0.0.1');
    expect(url).toMatch(/^https:/);
    expect(bridge.log()).not.toContain(warning);
    expect(await ask(url)).toBe(200);
    const plain = await exchange(url.replace('https', 'http'), get('127.0.0.1'), 8000);
    expect([plain.text.includes('200 OK'), plain.ended]).toEqual([false, true]);
    const before = await fingerprint(url);
    write();
    await expect.poll(() => fingerprint(url), { timeout: 15_000, interval: 500 }).not.toBe(before);
    const after = await fingerprint(url);
    writeFileSync(files.key, selfSigned().key);
    await expect.poll(() => bridge.log(), { timeout: 15_000 }).toContain('a changed certificate cannot be taken');
    expect(await fingerprint(url)).toBe(after);
  });

  test('a connection without a handshake is closed after 5 s', { tags: ['slow'], timeout: 30_000 }, async () => {
    write();
    await using bridge = await runningBridge({ args: ['--tls-cert', files.cert, '--tls-key', files.key] });
    const start = performance.now();
    const sockets = await Promise.all(Array.from({ length: 20 }, () => connect(bridge.url)));
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.resume().once('close', resolve))));
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(await ask(bridge.url)).toBe(200);
  });
});

describe('proxies', () => {
  test('X-Forwarded-For and its like give nothing, trusted or not', async () => {
    const token = path.join(folder, 'token');
    writeFileSync(token, 't'.repeat(32), { mode: 0o600 });
    const { Bridge } = await import('../../../src/bridge/index.js');
    await using bridge = await Bridge.start({
      listen: ['127.0.0.1:0'],
      probeListen: null,
      readTokenFile: token,
      trustedProxies: ['127.0.0.1'],
    });
    for (const headers of [
      { 'x-forwarded-for': '127.0.0.1' },
      { 'x-forwarded-for': 'unix' },
      { forwarded: 'for=127.0.0.1;host=localhost' },
      { 'x-real-ip': '127.0.0.1', 'x-forwarded-user': 'admin' },
    ]) {
      expect((await fetch(`${bridge.urls[0]}/v1/engines`, { headers })).status).toBe(401);
    }
  });

  test('X-Forwarded-Host is no host', async () => {
    await using bridge = await runningBridge();
    const { text } = await exchange(bridge.url, get('evil.example', 'X-Forwarded-Host: localhost\r\n'));
    expect(statusesOf(text)).toEqual([421]);
    const request = http.get(bridge.url, { headers: { 'x-forwarded-proto': 'https' } });
    const status = await new Promise((resolve, reject) => {
      request.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
    });
    expect(status).toBe(200);
  });
});
