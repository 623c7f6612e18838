/**
 * Makes a fresh clone ready and a used one current: dependencies, the addon, the compiled TypeScript. Does only what is
 * missing or older than its sources; says what it does on stderr.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => path.join(root, ...parts);

function newest(...entries) {
  let time = 0;
  for (const entry of entries) {
    const stat = statSync(at(entry));
    if (stat.isDirectory())
      time = Math.max(time, newest(...readdirSync(at(entry)).map((name) => path.join(entry, name))));
    else time = Math.max(time, stat.mtimeMs);
  }
  return time;
}

const age = (file) => (existsSync(at(file)) ? statSync(at(file)).mtimeMs : 0);

function step(title, command, args) {
  process.stderr.write(`setup: ${title} ...`);
  const start = performance.now();
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' });
  if (result.status !== 0) {
    process.stderr.write(' failed\n');
    process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}\n`);
    process.exit(result.status ?? 1);
  }
  process.stderr.write(` ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
}

if (age('node_modules/.package-lock.json') < age('package-lock.json')) {
  step('installing dependencies', 'npm', ['ci', '--loglevel=error', '--no-audit', '--no-fund']);
}
if (age('build/Release/dtesn.node') < newest('native', 'CMakeLists.txt', 'binding.gyp')) {
  step('building the addon', process.execPath, [at('scripts/build-native.mjs')]);
}
if (
  age('dist/cli/main.js') < newest('src', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build', 'scripts/build.mjs')
) {
  step('compiling TypeScript', process.execPath, [at('scripts/build.mjs')]);
}
