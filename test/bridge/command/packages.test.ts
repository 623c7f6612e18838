/** Hono serves the bridge alone: no other entry point or command of the package loads it. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const command = path.join(root, 'dist/cli/main.js');

/** Runs node with a loader that writes each URL it resolves to stderr; the packages among them. */
function loadedPackages(args: readonly string[]): { status: number | null; packages: string[] } {
  const hooks = `
    import { writeSync } from 'node:fs';
    export async function resolve(specifier, context, next) {
      const found = await next(specifier, context);
      writeSync(2, '\\nresolved ' + found.url + '\\n');
      return found;
    }`;
  const register = `
    import { register } from 'node:module';
    import { isMainThread } from 'node:worker_threads';
    if (isMainThread) register(${JSON.stringify(dataUrl(hooks))});`;
  const all = ['--import', dataUrl(register), ...args];
  const { status, stderr } = spawnSync(process.execPath, all, { cwd: root, encoding: 'utf8', env: smallModel() });
  const urls = stderr.matchAll(/^resolved .*\/node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm);
  return { status, packages: [...new Set([...urls].map(([, name]) => name!))].sort() };
}

const dataUrl = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
const smallModel = () => ({ ...process.env, DTESN_UNITS: '64' });
const importing = (entry: string) => ['--input-type=module', '-e', `await import('${entry}'); process.exit(0);`];
const hono = ['@hono/node-server', 'hono'];

describe('hono and its server', () => {
  test('are loaded by dtesn/bridge', () => {
    const { status, packages } = loadedPackages(importing('dtesn/bridge'));
    expect([status, packages]).toEqual([0, expect.arrayContaining(hono)]);
  });

  test.each(['dtesn', 'dtesn/engine', 'dtesn/simulator', 'dtesn/bridge-client'])('are not loaded by %s', (entry) => {
    const { status, packages } = loadedPackages(importing(entry));
    expect(status).toBe(0);
    expect(packages.filter((name) => hono.includes(name))).toEqual([]);
  });

  test.each([
    ['process', ['process', '--text', 'a', '--json']],
    ['doctor', ['doctor']],
    ['sources', ['sources', '--json']],
    ['bridge --help', ['bridge', '--help']],
  ])('are not loaded by the command %s', (_, args) => {
    const { status, packages } = loadedPackages([command, ...args]);
    expect(status).toBe(0);
    expect(packages.filter((name) => hono.includes(name))).toEqual([]);
  });
});
