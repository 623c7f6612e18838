/** The core of the package holds what it needs, and the bridge, with Hono in it, is loaded where it serves alone. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const command = path.join(root, 'dist/cli/main.js');

/** Runs node; the CommonJS files that it has loaded when it ends. */
function loadedFiles(args: readonly string[]): { status: number | null; files: string[] } {
  const atExit = `
    import { writeSync } from 'node:fs';
    import { createRequire } from 'node:module';
    process.once('exit', () => {
      for (const file of Object.keys(createRequire('file:///').cache)) writeSync(2, '\\nloaded ' + file + '\\n');
    });`;
  const all = ['--import', `data:text/javascript,${encodeURIComponent(atExit)}`];
  const env = { ...process.env, DTESN_UNITS: '64' };
  const { status, stderr } = spawnSync(process.execPath, [...all, ...args], { cwd: root, encoding: 'utf8', env });
  const files = [...stderr.matchAll(/^loaded (.*)$/gm)].map(([, file]) => path.relative(root, file!));
  return { status, files };
}

const importing = (entry: string) => ['--input-type=module', '-e', `await import('${entry}'); process.exit(0);`];
const bridge = path.normalize('dist/core/bridge.js');

test('the file of the bridge is the one that holds Hono', () => {
  const { files } = loadedFiles(importing('dtesn/bridge'));
  const withHono = files.filter((file) => readFileSync(path.join(root, file), 'utf8').includes('x-hono-already-sent'));
  expect(withHono).toEqual([bridge]);
});

describe('the bridge is not loaded', () => {
  test.each(['dtesn', 'dtesn/engine', 'dtesn/simulator', 'dtesn/bridge-client'])('by %s', (entry) => {
    const { status, files } = loadedFiles(importing(entry));
    expect(status).toBe(0);
    expect(files.length).toBeGreaterThan(1);
    expect(files).not.toContain(bridge);
    expect(files.filter((file) => file.startsWith('node_modules'))).toEqual([]);
  });

  test.each([
    ['process', ['process', '--text', 'a', '--json']],
    ['doctor', ['doctor']],
    ['sources', ['sources', '--json']],
    ['bridge --help', ['bridge', '--help']],
  ])('by the command %s', (_, args) => {
    const { status, files } = loadedFiles([command, ...args]);
    expect(status).toBe(0);
    expect(files).toContain(path.normalize('dist/core/main.js'));
    expect(files).not.toContain(bridge);
  });
});
