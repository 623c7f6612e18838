import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadAddon } from '../../src/native/index.js';

const require = createRequire(import.meta.url);
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn-loader-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test('without a binary the error names the platform, what was tried and the command that builds one', () => {
  writeFileSync(path.join(folder, 'package.json'), '{"name":"dtesn"}');
  vi.stubEnv('DTESN_PREBUILD', undefined); // under sanitizers it names their build
  const attempt = () => loadAddon(folder);
  expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_DTESN_BINARY' }));
  for (const part of [`${process.platform}-${process.arch}`, 'build/Release', 'prebuilds', 'npx dtesn build', folder]) {
    expect(attempt).toThrow(part);
  }
});

test.each(['esm', 'cjs'] as const)(
  'a bundle of it as %s says so when a network is made, not when it is read',
  async (format) => {
    const vite = createRequire(require.resolve('vitest/package.json')).resolve('vite');
    const { build } = (await import(pathToFileURL(vite).href)) as typeof import('vite');
    const entry = path.join(folder, 'entry.js');
    writeFileSync(
      entry,
      `import { Reservoir } from ${JSON.stringify(path.resolve(import.meta.dirname, '../../dist/index.js'))};
    try { new Reservoir({ units: 3, inputs: 1 }); } catch (error) { console.log(error.message); }`,
    );
    const outDir = path.join(folder, 'app/out');
    const rollupOptions = {
      input: entry,
      output: { format, entryFileNames: `bundle.${format === 'esm' ? 'mjs' : 'cjs'}` },
    };
    await build({
      configFile: false,
      root: folder,
      logLevel: 'silent',
      build: { ssr: true, outDir, rollupOptions },
      ssr: { noExternal: true },
    });
    const bundle = path.join(outDir, rollupOptions.output.entryFileNames);
    const { stdout, stderr } = spawnSync(process.execPath, [bundle], { cwd: folder, encoding: 'utf8' });
    expect(stdout, stderr).toMatch(/mark dtesn external/);
  },
);

test('a binary that will not load is named with the reason of the system, which is also the cause', () => {
  mkdirSync(path.join(folder, 'build/Release'), { recursive: true });
  const file = path.join(folder, 'build/Release/dtesn.node');
  writeFileSync(file, 'not a binary');
  const attempt = () => loadAddon(folder);
  expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_DTESN_BINARY_LOAD', cause: expect.any(Error) }));
  expect(attempt).toThrow(file);
  expect(attempt).toThrow(/invalid ELF header|not a valid|too short|no suitable image/i);
});
