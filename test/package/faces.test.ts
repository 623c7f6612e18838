/**
 * One core in a process, by require and by import: the same classes and objects, from folders whose names hold spaces, '#' and
 * '%', and on the threads that the package starts.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { entryPoints } from '../../scripts/build/entries.mjs';

const root = path.resolve(import.meta.dirname, '../..');
let folder = '';

beforeAll(() => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'dtesn-faces-')), 'a b#c%20d');
  const packageFolder = path.join(folder, 'node_modules/dtesn');
  mkdirSync(path.join(packageFolder, 'build'), { recursive: true });
  for (const name of ['dist', 'package.json']) {
    cpSync(path.join(root, name), path.join(packageFolder, name), { recursive: true });
  }
  symlinkSync(path.join(root, 'build/Release'), path.join(packageFolder, 'build/Release'), 'dir');
  symlinkSync(path.join(root, 'node_modules/node-gyp-build'), path.join(folder, 'node_modules/node-gyp-build'), 'dir');
});
afterAll(() => rmSync(path.dirname(folder), { recursive: true, force: true }));

/** What a script in the folder prints as JSON. */
function printed(extension: 'cjs' | 'mjs', code: string): unknown {
  const file = path.join(folder, `script-${Math.random().toString(36).slice(2)}.${extension}`);
  writeFileSync(file, code);
  const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', cwd: folder });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test.each(Object.keys(entryPoints))('require and import of %s give the same objects under the same names', (entry) => {
  const code = `
    const required = require('${entry}');
    import('${entry}').then((imported) => {
      const names = Object.keys(imported);
      const different = names.filter((name) => imported[name] !== required[name]);
      console.log(JSON.stringify({ names: names.length, same: names.length === Object.keys(required).length, different }));
    });`;
  expect(printed('cjs', code)).toEqual({ names: expect.any(Number), same: true, different: [] });
});

test('a network made through require works in a StreamPool that was imported, and errors are those of dtesn/engine', () => {
  const code = `
    import { createRequire } from 'node:module';
    import { DtesnError, StreamPool } from 'dtesn';
    import { EngineError, HttpEngine } from 'dtesn/engine';
    const require = createRequire(import.meta.url);
    const { Network, Reservoir } = require('dtesn');
    const model = new Reservoir({ units: 20, inputs: 1, seed: 1 });
    const pool = new StreamPool({ model, capacity: 1 });
    pool.push('a', [0.5]);
    pool.step();
    const engine = new (require('dtesn/engine').HttpEngine)('http://127.0.0.1:9');
    const error = await engine.models().catch((error) => error);
    await engine.close();
    console.log(JSON.stringify([
      model instanceof Network, pool.state('a').length, engine instanceof HttpEngine, error instanceof EngineError,
      error instanceof DtesnError,
    ]));`;
  expect(printed('mjs', code)).toEqual([true, 20, true, true, true]);
});

describe.each(['mjs', 'cjs'] as const)('the threads of the package, from %s', (extension) => {
  const load =
    extension === 'mjs' ? "import { Bridge } from 'dtesn/bridge';" : "const { Bridge } = require('dtesn/bridge');";

  test('the bridge writes its journal, its log and its probes', () => {
    const code = `${load}
      (async () => {
        const stateDir = require('node:fs').mkdtempSync(require('node:path').join(__dirname, 'state '));
        const network = { units: 16, depth: 2 };
        const bridge = await Bridge.start({ listen: ['127.0.0.1:0'], probeListen: '127.0.0.1:0', stateDir, network, logLevel: 'error' });
        const headers = { 'content-type': 'application/json' };
        const body = JSON.stringify({ id: 'a', outputs: [0] });
        const made = await fetch(bridge.urls[0] + '/v1/sessions', { method: 'POST', headers, body });
        const alive = await fetch(bridge.probeUrl + '/livez');
        const page = await fetch(bridge.urls[0] + '/');
        const statuses = [made.status, alive.status, page.status];
        await bridge.close();
        console.log(JSON.stringify({ statuses, files: require('node:fs').readdirSync(stateDir).length > 0 }));
      })();`;
    const globals = `import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      const __dirname = import.meta.dirname;`;
    const script = extension === 'mjs' ? `${globals}\n${code}` : code;
    expect(printed(extension, script)).toEqual({ statuses: [201, 200, 200], files: true });
  });
});

test('where a bundler took the code out of the package, the error says to mark it external', () => {
  const copy = path.join(path.dirname(folder), 'bundled');
  cpSync(path.join(root, 'dist/core'), copy, { recursive: true });
  const file = path.join(copy, 'script.js');
  writeFileSync(
    file,
    `const { EmbeddedEngine } = require('./simulator.js');
     const { Reservoir } = require('./index.js');
     try { new Reservoir({ units: 10, inputs: 1 }); } catch ({ code, message }) {
       console.log(JSON.stringify({ code, message, usable: typeof EmbeddedEngine }));
     }`,
  );
  const { stdout } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  expect(JSON.parse(stdout)).toEqual({
    code: 'ERR_DTESN_BUNDLED',
    message: expect.stringContaining('mark dtesn external in your bundler'),
    usable: 'function',
  });
});

test('dist has no source maps and names no folder of the machine that built it', () => {
  const files = readdirSync(path.join(root, 'dist'), { recursive: true, encoding: 'utf8' });
  expect(files.filter((name) => name.endsWith('.map'))).toEqual([]);
  const naming = files
    .filter((name) => /\.(js|ts)$/.test(name))
    .filter((name) => {
      return readFileSync(path.join(root, 'dist', name), 'utf8').includes(root);
    });
  expect(naming).toEqual([]);
});

test('an error that is not caught shows its message, not pages of the package', () => {
  const script = "const { Reservoir } = require('./dist/core/index.js'); new Reservoir({ units: 'x', inputs: 1 });";
  const { stderr } = spawnSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' });
  expect(stderr).toContain('TypeError [ERR_DTESN_ARGUMENT]: Expected a whole number from 1 to 16777216 for units');
  expect(Math.max(...stderr.split('\n').map((line) => line.length))).toBeLessThan(400);
});
