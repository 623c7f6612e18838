/**
 * Builds prebuilds/<platform>-<arch>/: prebuildify through cmake-js.
 *
 *     node scripts/prebuild.mjs [--missing]         for this machine, by its own compiler; --missing keeps one that is there
 *     node scripts/prebuild.mjs --all [NAME ...]    for each platform, or those named, by zig (cross/platforms.mjs, cross/zig.mjs)
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { platforms, platformsNamed } from './cross/platforms.mjs';
import { zig } from './cross/zig.mjs';

const root = path.resolve(import.meta.dirname, '..');
const prebuildify = createRequire(import.meta.url).resolve('prebuildify/bin.js');

/** Runs prebuildify in a folder of its own, so that build/Release stays as the developer has it. */
function prebuild(name, options, env = {}) {
  const cwd = path.join(root, 'build/prebuild', name);
  rmSync(cwd, { recursive: true, force: true });
  mkdirSync(cwd, { recursive: true });
  const shim = ['--node-gyp', path.join(root, 'scripts/gyp-as-cmake.cjs')];
  const args = [
    '--napi',
    '--name',
    'dtesn',
    '-t',
    process.versions.node,
    '--cwd',
    cwd,
    '--out',
    root,
    ...shim,
    ...options,
  ];
  const { status } = spawnSync(process.execPath, [prebuildify, ...args], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...env },
  });
  if (status !== 0) process.exit(status ?? 1);
}

/** Zeroes the moment of the link in the header of a Windows library, which zig writes and no flag of its linker leaves out. */
function clearTimestamp(file) {
  const bytes = readFileSync(file);
  const header = bytes.readUInt32LE(0x3c);
  if (bytes.toString('latin1', header, header + 4) !== 'PE\0\0') throw new Error(`${file} has no PE header`);
  bytes.writeUInt32LE(0, header + 8);
  writeFileSync(file, bytes);
}

/** Whether a binary of this machine is there: the one that a release has tried must not be built again. */
function isThere() {
  const libc = process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  const isHere = (one) => one.platform === process.platform && one.arch === process.arch;
  const here = platforms.find((one) => isHere(one) && (one.libc === undefined || one.libc === libc));
  return here !== undefined && existsSync(path.join(root, here.file));
}

const { values, positionals } = parseArgs({
  options: { all: { type: 'boolean', default: false }, missing: { type: 'boolean', default: false } },
  allowPositionals: true,
});
if (values.all) {
  const compiler = zig();
  const toolchain = path.join(root, 'scripts/cross/zig-toolchain.cmake');
  for (const { name, platform, arch, libc, target, file } of platformsNamed(positionals)) {
    const start = performance.now();
    const tags = libc === undefined ? [] : ['--tag-libc', libc];
    const env = { ZIG: compiler, DTESN_TOOLCHAIN: toolchain, DTESN_ZIG_TARGET: target };
    prebuild(name, ['--platform', platform, '--arch', arch, ...tags], env);
    if (platform === 'win32') clearTimestamp(path.join(root, file));
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(`${name}: ${(statSync(path.join(root, file)).size / 1e6).toFixed(2)} MB in ${seconds} s`);
  }
} else if (!values.missing || !isThere()) {
  prebuild('host', ['--strip', '--tag-libc']);
}
