/**
 * The packed tarball, installed in an empty folder with spaces in its path, used as a stranger would.
 *
 * @module-tag slow
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runningBridge } from '../bridge/running-bridge.js';

const root = path.resolve(import.meta.dirname, '../..');
let folder = '';
const inFolder = (...parts: string[]) => path.join(folder, ...parts);
const npm = (cwd: string, ...args: string[]) =>
  execFileSync('npm', [...args, '--loglevel=error', '--no-audit', '--no-fund'], { cwd, encoding: 'utf8' });

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn package '));
  npm(root, 'pack', '--pack-destination', folder);
  writeFileSync(inFolder('package.json'), '{"type":"module","private":true}');
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
  npm(folder, 'install', '--ignore-scripts', `./${tarball}`);
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('it has a binary for this platform, no install script, and nothing of the tests', () => {
  const prebuilds = readdirSync(inFolder('node_modules/dtesn/prebuilds', `${process.platform}-${process.arch}`));
  expect(prebuilds.some((name) => name.endsWith('.node'))).toBe(true);
  const { scripts, gypfile } = JSON.parse(readFileSync(inFolder('node_modules/dtesn/package.json'), 'utf8'));
  expect(Object.keys(scripts).filter((name) => /install/.test(name))).toEqual([]);
  expect(gypfile).toBe(false);
  const files = readdirSync(inFolder('node_modules/dtesn'));
  // npm 12 and Yarn take a binding.gyp there for an install script.
  for (const name of ['test', 'src', 'binding.gyp']) expect(files).not.toContain(name);
  expect(files).toEqual(expect.arrayContaining(['LICENSE', 'THIRD_PARTY_NOTICES.md', 'CHANGELOG.md', 'native']));
});

test('it brings one package along', () => {
  const installed = readdirSync(inFolder('node_modules')).filter((name) => !name.startsWith('.'));
  expect(installed.sort()).toEqual(['dtesn', 'node-gyp-build']);
});

test('every relative link of its README and its docs leads to a file that is packed', () => {
  const docs = readdirSync(inFolder('node_modules/dtesn/docs'), { encoding: 'utf8', recursive: true });
  const pages = docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  expect(pages.length).toBeGreaterThan(10);
  for (const page of ['README.md', ...pages]) {
    const text = readFileSync(inFolder('node_modules/dtesn', page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      const file = inFolder('node_modules/dtesn', path.dirname(page), target);
      expect(existsSync(file), `${page} -> ${target}`).toBe(true);
    }
  }
});

test('the first example of README runs', () => {
  const [, code = '', output] = /```js\n([\s\S]*?)```\s*```text\n([\s\S]*?)```/.exec(
    readFileSync(path.join(root, 'README.md'), 'utf8'),
  )!;
  writeFileSync(inFolder('example.js'), code);
  expect(execFileSync(process.execPath, ['example.js'], { cwd: folder, encoding: 'utf8' })).toBe(output);
});

test('its bridge starts and serves the page with what it loads', async () => {
  const command = inFolder('node_modules/dtesn/dist/cli/main.js');
  await using bridge = await runningBridge({ command });
  for (const file of ['/', '/assets/dashboard.js', '/assets/uplot/uPlot.esm.js', '/assets/uplot/LICENSE']) {
    expect([file, (await fetch(`${bridge.url}${file}`)).status]).toEqual([file, 200]);
  }
});

test('its command works', () => {
  const { status, stdout } = spawnSync('npx', ['dtesn', 'doctor'], { cwd: folder, encoding: 'utf8' });
  expect(stdout).toContain('all kernels are right');
  expect(status).toBe(0);
});

test('its types serve a strict consumer', () => {
  const code = `
    import { DtesnProcessor, AphroditeEngine, EmbeddedEngine, Reservoir, DeepTreeModel, Arena, matrix, spectralRadius,
             rootedTrees, multiSourceDataSchema, dtesnResultSchema, DtesnError, native } from 'dtesn';
    const reservoir = new Reservoir({ units: 10, inputs: 1 });
    const states: number = reservoir.run([1, 2, 3]).rows;
    const names: string[] = native.availableIsas;
    export { DtesnProcessor, AphroditeEngine, EmbeddedEngine, DeepTreeModel, Arena, matrix, spectralRadius, rootedTrees,
             multiSourceDataSchema, dtesnResultSchema, DtesnError, states, names };
    // @ts-expect-error a string is no number
    new Reservoir({ units: '10', inputs: 1 });`;
  writeFileSync(inFolder('consumer.ts'), code);
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck', 'false'];
  const types = ['--types', 'node', '--typeRoots', path.join(root, 'node_modules/@types')];
  const { stdout } = spawnSync(process.execPath, [...args, ...types, 'consumer.ts'], { cwd: folder, encoding: 'utf8' });
  expect(stdout).toBe('');
});

describe('without its binary', () => {
  const command = () => [inFolder('node_modules/dtesn/dist/cli/main.js')];
  const run = (...args: string[]) => spawnSync('npx', ['dtesn', ...args], { cwd: folder, encoding: 'utf8' });
  const built = () => existsSync(inFolder('node_modules/dtesn/build/Release/dtesn.node'));
  beforeAll(() => rmSync(inFolder('node_modules/dtesn/prebuilds'), { recursive: true }));
  beforeEach(() => rmSync(inFolder('node_modules/dtesn/build'), { recursive: true, force: true }));

  test('the error says how to build one', () => {
    const { status, stderr } = run('doctor');
    expect(stderr).toContain('npx dtesn build');
    expect(status).toBe(1);
  });

  test('dtesn build says in one sentence what is missing', () => {
    mkdirSync(inFolder('no tools'));
    const env = { PATH: inFolder('no tools') };
    const { status, stderr } = spawnSync(process.execPath, [...command(), 'build'], {
      env,
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stderr).toMatch(
      /^dtesn: The addon cannot be built here[^\n]*a C\+\+ compiler[^\n]*cmake[^\n]*python3[^\n]*\n$/,
    );
    expect(status).toBe(1);
    const json = spawnSync(process.execPath, [...command(), 'build', '--json'], { env, cwd: folder, encoding: 'utf8' });
    expect(JSON.parse(json.stdout).error.message).toContain('a C++ compiler');
  });

  test('dtesn build builds one with CMake, or what else is here', () => {
    const { status, stderr } = run('build');
    expect(status, stderr).toBe(0);
    expect(run('doctor').stdout).toContain('all kernels are right');
  }, 600_000);

  // A folder of every tool but CMake and ninja stands for a host without them.
  test.skipIf(process.platform === 'win32')(
    'without CMake dtesn build builds one with node-gyp',
    () => {
      const tools = inFolder('tools');
      mkdirSync(tools);
      for (const place of ['/bin', '/usr/bin', '/usr/local/bin', path.dirname(process.execPath)]) {
        for (const name of existsSync(place) ? readdirSync(place) : []) {
          const link = path.join(tools, name);
          if (!/^(cmake|ninja)/.test(name) && !existsSync(link)) symlinkSync(path.join(place, name), link);
        }
      }
      const env = { ...process.env, PATH: tools };
      const { status, stderr } = spawnSync('npx', ['dtesn', 'build'], { env, cwd: folder, encoding: 'utf8' });
      expect(status, stderr).toBe(0);
      expect(stderr).toContain('CXX(target)'); // as the makefiles of node-gyp say it
      expect(built()).toBe(true);
      expect(readdirSync(inFolder('node_modules/dtesn/build'))).toEqual(['Release']);
      expect(run('doctor').stdout).toContain('all kernels are right');
    },
    600_000,
  );
});
