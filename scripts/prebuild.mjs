/** Builds prebuilds/<platform>-<arch>/dtesn.<libc>.node for this machine: prebuildify through cmake-js. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const prebuildify = createRequire(import.meta.url).resolve('prebuildify/bin.js');
const args = ['--napi', '--strip', '--tag-libc', '--name', 'dtesn', '-t', process.versions.node];
const shim = ['--node-gyp', path.join(root, 'scripts/gyp-as-cmake.cjs')];
const { status } = spawnSync(process.execPath, [prebuildify, ...args, ...shim], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
// prebuildify moves what it finds in build/Release: put the developer's binary back.
const built = path.join(root, `build/prebuild-${process.arch}/Release/dtesn.node`);
const place = path.join(root, 'build/Release/dtesn.node');
copyFileSync(built, `${place}.new`);
renameSync(`${place}.new`, place);
