/** The files of the dashboard: what they name is among them, and their headers. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { dashboardAssets, isUnchanged } from '../../../src/bridge/dashboard/index.js';

const root = path.resolve(import.meta.dirname, '../../..');
const assets = dashboardAssets();
const text = (name: string) => assets.get(name)!.body.toString();

test('every file that the page or a module names is served', () => {
  const named = [...text('/').matchAll(/(?:src|href)="(\/[^"]*)"/g)].map(([, target]) => target!);
  for (const name of assets.keys()) {
    if (!name.endsWith('.js')) continue;
    for (const [, target] of text(name).matchAll(/from '(\.[^']+)'/g)) named.push(path.posix.join('/assets', target!));
  }
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((target) => !assets.has(target))).toEqual([]);
});

test('no file names another host, and the page has neither inline scripts nor inline styles', () => {
  const page = text('/');
  expect(page).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=/);
  for (const [name, { body }] of assets) {
    if (!name.startsWith('/assets/uplot/')) {
      expect([name, String(body).match(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/g)]).toEqual([name, null]);
    }
  }
});

test('no module of the page writes markup', () => {
  for (const [name, { body }] of assets) {
    expect([name, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/.test(String(body))]).toEqual([
      name,
      false,
    ]);
  }
});

test('each file has its media type, a strong ETag of its content and the policy', () => {
  expect(assets.get('/')?.type).toBe('text/html; charset=utf-8');
  expect(assets.get('/assets/dashboard.js')?.type).toBe('text/javascript; charset=utf-8');
  expect(assets.get('/assets/icon.svg')?.type).toBe('image/svg+xml');
  expect(text('/assets/uplot/LICENSE')).toContain('MIT');
  const etags = [...assets.values()].map(({ headers }) => headers['etag']!);
  expect(new Set(etags).size).toBe(assets.size);
  for (const etag of etags) expect(etag).toMatch(/^"[\w-]{22}"$/);
  const directives = assets.get('/')!.headers['content-security-policy']!.split('; ');
  expect(directives).toEqual([
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ]);
});

test('a client that has the current file gets 304 by its ETag', () => {
  const page = assets.get('/')!;
  const etag = page.headers['etag']!;
  expect([etag, `W/${etag}`, `"x", ${etag}`, '*'].map((header) => isUnchanged(page, header))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect([undefined, '', '"x"'].map((header) => isUnchanged(page, header))).toEqual([false, false, false]);
});

test('the copy in the package has the same files, uPlot minified', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-dashboard-'));
  try {
    execFileSync(process.execPath, [path.join(root, 'scripts/copy-dashboard.mjs'), folder]);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const copied = files.map(({ parentPath, name }) => {
      const relative = path.relative(folder, path.join(parentPath, name));
      return [
        relative === 'index.html' ? '/' : `/assets/${relative}`,
        readFileSync(path.join(parentPath, name), 'utf8'),
      ];
    });
    const minified = '/assets/uplot/uPlot.esm.js';
    const same = { ...Object.fromEntries(copied), [minified]: expect.any(String) };
    expect(Object.fromEntries([...assets].map(([name, { body }]) => [name, String(body)]))).toEqual(same);
    const { default: chart } = await import(path.join(folder, 'uplot/uPlot.esm.js'));
    expect([typeof chart, typeof chart.fmtDate, typeof chart.sync].join()).toBe('function,function,function');
    expect(readFileSync(path.join(folder, 'uplot/uPlot.esm.js')).length).toBeLessThan(60_000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
