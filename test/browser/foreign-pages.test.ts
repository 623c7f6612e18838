/**
 * What pages of other sites get of a running bridge: nothing, also where their name is rebound to 127.0.0.1.
 *
 * The browser takes evil.example for 127.0.0.1. What the bridge answered is read from its own counters, which see each request, also
 * those whose answer the browser keeps from the page.
 *
 * @module-tag slow
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningBridge, runningBridge } from '../bridge/running-bridge.js';
import { hasChromium, openBrowser, openPage } from './browser.js';

let browser: Browser;
let bridge: RunningBridge;
let site: Site;

/** A site of an attacker, on a port of its own. */
interface Site extends AsyncDisposable {
  port: number;
}

async function openSite(): Promise<Site> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html', connection: 'close' });
    response.end('<!doctype html><title>foreign</title><iframe name="inner"></iframe>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close };
}

/** What the page can read of a request, or 'nothing'. */
const reads = (page: Page, url: string, init: object = {}) =>
  page.evaluate<string>(
    `fetch(${JSON.stringify(url)}, ${JSON.stringify(init)})
       .then(async (answer) => answer.type === 'opaque' ? 'nothing' : answer.status + ' ' + (await answer.text()))
       .catch(() => 'nothing')`,
  );

/** How often the bridge answered so far, by `code method`. */
async function answered(): Promise<Map<string, number>> {
  const text = await (await fetch(`${bridge.url}/metrics`)).text();
  const lines = text.matchAll(/^dtesn_http_requests_total\{(.*)\} (\d+)/gm);
  return [...lines].reduce((sums, [, labels = '', value]) => {
    const label = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(labels)?.[1];
    const key = `${label('code')} ${label('method')}`;
    return sums.set(key, (sums.get(key) ?? 0) + Number(value));
  }, new Map<string, number>());
}

/** What the bridge answered during an action, apart from the reading of its counters. */
async function answeredDuring(action: () => Promise<void>): Promise<Record<string, number>> {
  const before = await answered();
  await action();
  const after = await answered();
  after.set('200 GET', (after.get('200 GET') ?? 0) - 1);
  const grown = [...after].map(([key, value]) => [key, value - (before.get(key) ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, value]) => value > 0));
}

async function inputsStarted(): Promise<number> {
  const status = (await (await fetch(`${bridge.url}/v1/status`)).json()) as { inputs: { started: number } };
  return status.inputs.started;
}

describe.skipIf(!hasChromium)('pages of other sites (skipped: chromium is not installed)', () => {
  beforeAll(async () => {
    browser = await openBrowser(['--host-resolver-rules=MAP evil.example 127.0.0.1']);
    bridge = await runningBridge();
    site = await openSite();
  });
  afterAll(async () => {
    await browser?.close();
    await bridge?.[Symbol.asyncDispose]();
    await site?.[Symbol.asyncDispose]();
  });

  const foreign = () => `http://evil.example:${site.port}/`;
  const port = () => new URL(bridge.url).port;

  test('a page whose name is rebound to the bridge reads an error and no data', async () => {
    const own = await openSite();
    const origin = `http://evil.example:${own.port}`;
    await using open = await openPage(browser, origin);
    expect(await reads(open.page, '/')).toContain('200 <!doctype html>');
    await own[Symbol.asyncDispose]();
    // From here on the origin of the page is the bridge.
    await using rebound = await runningBridge({ listen: [`127.0.0.1:${own.port}`] });
    expect(rebound.url).toBe(`http://127.0.0.1:${own.port}`);
    for (const path of [
      '/',
      '/v1/engines',
      '/v1/status',
      '/metrics',
      '/openapi.json',
      '/livez',
      '/assets/dashboard.js',
    ]) {
      expect([path, await reads(open.page, path)]).toEqual([
        path,
        expect.stringMatching(/^421 \{"error":\{"code":"wrong_host","message":"[^"{}]*"\}\}$/),
      ]);
    }
    const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"text":"a"}' };
    expect(await reads(open.page, '/v1/process', post)).toMatch(/^421 /);
    const stream = await open.page.evaluate(
      `new Promise((resolve) => { const s = new EventSource('/v1/events'); s.onopen = () => resolve('open'); s.onmessage = () => resolve('event'); s.onerror = () => resolve(s.readyState); })`,
    );
    expect(stream).toBe(2);
  });

  test('a navigation to the bridge under a foreign name shows an error and no data', async () => {
    for (const path of ['/v1/engines', '/', '/v1/context']) {
      await using open = await openPage(browser, 'about:blank');
      const answer = await open.page.goto(`http://evil.example:${port()}${path}`);
      expect(answer?.status()).toBe(421);
      expect(await open.page.locator('body').textContent()).toMatch(/^\{"error":\{"code":"wrong_host"/);
      expect(Object.keys(await answer!.allHeaders()).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  test.each([
    ['under its own name', () => `http://evil.example:${port()}`, '421'],
    ['by its address', () => bridge.url, '403'],
    ['as localhost', () => `http://localhost:${port()}`, '403'],
  ])('requests of a foreign page to the bridge %s read nothing', async (_, target, code) => {
    await using open = await openPage(browser, foreign());
    const { page } = open;
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"text":"a"}' };
    const started = await inputsStarted();
    const answers = await answeredDuring(async () => {
      expect(await reads(page, `${target()}/v1/engines`)).toBe('nothing');
      expect(await reads(page, `${target()}/v1/engines`, { mode: 'no-cors' })).toBe('nothing');
      expect(await reads(page, `${target()}/v1/engines`, { credentials: 'include' })).toBe('nothing');
      expect(await reads(page, `${target()}/v1/process`, json)).toBe('nothing');
      expect(await reads(page, `${target()}/v1/process`, { ...json, headers: {}, mode: 'no-cors' })).toBe('nothing');
    });
    expect(await inputsStarted()).toBe(started);
    // JSON sends a preflight, which is refused, so that it is not sent itself. A browser asks again after a 421.
    const times = code === '421' ? 2 : 1;
    expect(answers).toEqual({ [`${code} GET`]: 3 * times, [`${code} OPTIONS`]: times, [`${code} POST`]: times });
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])(
    'a form of a foreign page, sent as %s, is refused before its body is read',
    async (type) => {
      const started = await inputsStarted();
      const answers = await answeredDuring(async () => {
        for (const policy of ['', 'no-referrer']) {
          await using open = await openPage(browser, foreign());
          const { page } = open;
          const shown = page.waitForResponse((response) => response.url().endsWith('/v1/process'));
          await page.evaluate(
            `(() => {
              const meta = document.createElement('meta');
              meta.name = 'referrer';
              meta.content = ${JSON.stringify(policy)};
              if (meta.content !== '') document.head.append(meta);
              const form = document.createElement('form');
              form.method = 'POST';
              form.enctype = ${JSON.stringify(type)};
              form.action = ${JSON.stringify(`${bridge.url}/v1/process`)};
              const field = document.createElement('input');
              field.name = '{"text":"a","x":"';
              field.value = '"}';
              form.append(field);
              document.body.append(form);
              form.submit();
            })()`,
          );
          const answer = await shown;
          expect(answer.status()).toBe(403);
          expect(Object.keys(await answer.allHeaders()).filter((name) => name.startsWith('access-control'))).toEqual(
            [],
          );
          await page.locator('body', { hasText: 'foreign_origin' }).waitFor();
        }
      });
      const posts = Object.entries(answers).filter(([key]) => key.endsWith('POST'));
      expect(posts).toEqual([['403 POST', 2]]);
      expect(await inputsStarted()).toBe(started);
    },
  );

  test('events, sockets, scripts, images and frames of a foreign page get nothing of the bridge', async () => {
    await using open = await openPage(browser, foreign());
    const outcome = (script: string) => open.page.evaluate(`new Promise((resolve) => { ${script} })`);
    const url = (path: string) => JSON.stringify(`${bridge.url}${path}`);
    const answers = await answeredDuring(async () => {
      expect(
        await outcome(
          `const s = new EventSource(${url('/v1/events')}); s.onopen = () => resolve('open'); s.onerror = () => resolve(s.readyState);`,
        ),
      ).toBe(2);
      for (const [tag, path] of [
        ['script', '/assets/dashboard.js'],
        ['script', '/v1/engines'],
        ['img', '/assets/icon.svg'],
      ] as const) {
        expect(
          await outcome(
            `const e = document.createElement('${tag}'); e.onload = () => resolve('loaded'); e.onerror = () => resolve('error'); e.src = ${url(path)}; document.body.append(e);`,
          ),
        ).toBe('error');
      }
      expect(
        await outcome(
          `const s = new WebSocket(${url('/v1/events').replace('http:', 'ws:')}); s.onopen = () => resolve('open'); s.onerror = () => resolve('error');`,
        ),
      ).toBe('error');
      await open.page.evaluate(`void (document.querySelector('iframe').src = ${url('/')})`);
      await expect
        .poll(() =>
          open.page
            .frames()
            .some((frame) => frame.url().startsWith(`${bridge.url}/`) || frame.url().startsWith('chrome-error')),
        )
        .toBe(true);
    });
    expect(Object.keys(answers)).toEqual(['403 GET']);
    for (const frame of open.page.frames().slice(1)) {
      expect(await frame.evaluate('document.querySelectorAll("#engines").length')).toBe(0);
    }
  });

  test('a page of another port of the same address reads nothing either', async () => {
    await using open = await openPage(browser, `http://127.0.0.1:${site.port}/`);
    expect(await reads(open.page, `${bridge.url}/v1/engines`)).toBe('nothing');
    expect(await reads(open.page, `${bridge.url}/v1/engines`, { mode: 'no-cors' })).toBe('nothing');
    const started = await inputsStarted();
    const body = { method: 'POST', mode: 'no-cors', body: '{"text":"a"}' };
    expect(await reads(open.page, `${bridge.url}/v1/process`, body)).toBe('nothing');
    expect(await inputsStarted()).toBe(started);
  });
});
