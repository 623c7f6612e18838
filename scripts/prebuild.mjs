/** Builds prebuilds/<platform>-<arch>/dtesn.<libc>.node for this machine: prebuildify through cmake-js. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const prebuildify = createRequire(import.meta.url).resolve('prebuildify/bin.js');
const args = ['--napi', '--strip', '--tag-libc', '--name', 'dtesn', '-t', process.versions.node];
const shim = ['--node-gyp', path.join(root, 'scripts/gyp-as-cmake.cjs')];
const { status } = spawnSync(process.execPath, [prebuildify, ...args, ...shim], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
