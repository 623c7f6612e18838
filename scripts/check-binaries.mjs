/**
 * Fails when a binary asks more of its system than we promise, is too large, or exports more than Node's entry points.
 *
 *     node scripts/check-binaries.mjs               each prebuilt one that is there
 *     node scripts/check-binaries.mjs --all         all eight: what `npm publish` asks first
 *     node scripts/check-binaries.mjs FILE          one of this machine, such as build/Release/dtesn.node
 *
 * Needs llvm-readobj, llvm-objdump and llvm-nm (Debian: llvm).
 */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { compare, factsOf } from './cross/binary-facts.mjs';
import { platforms } from './cross/platforms.mjs';

const root = path.resolve(import.meta.dirname, '..');
const MOST_BYTES = 3e6;
/** Node 20's own: glibc of RHEL 8 and libstdc++ of GCC 8. */
const newest = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11', GCC: '7' };
const MACOS = '11.7';
const entryPoints = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
/** What zig's linker also exports: the unwinder on Windows; each symbol on macOS, where a library's names are its own. */
const offered = { linux: /^$/, win32: /^(_Unwind_|_GCC_|unw_)/, darwin: /./ };
const libraries = {
  glibc: /^(libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|libgcc_s\.so\.1|libstdc\+\+\.so\.6|ld-linux-.*)$/,
  musl: /^libc\.so$/,
  win32: /^(KERNEL32|ADVAPI32|WS2_32|ntdll|msvcrt|ucrtbase|api-ms-win-crt-[\w-]+)\.dll$/i,
  darwin: /^\/usr\/lib\/libSystem\.B\.dylib$/,
};

/** { bytes, floor, wrong } of a binary: its size, what it asks for in a word, and what is wrong with it. */
export function checkBinary(file, { platform, arch, libc }) {
  const facts = factsOf(file);
  const bytes = statSync(file).size;
  const wrong = [];
  if (bytes > MOST_BYTES) wrong.push(`it has ${bytes} bytes, more than ${MOST_BYTES}`);
  const foreign = facts.libraries.filter((name) => !libraries[libc ?? platform].test(name));
  if (foreign.length > 0) wrong.push(`it needs ${foreign.join(', ')}`);
  for (const [name, version] of facts.versions) {
    if (!(name in newest) || compare(version, newest[name]) > 0) wrong.push(`it needs ${name}_${version}`);
  }
  const other = facts.exports.filter((name) => !entryPoints.includes(name) && !offered[platform].test(name));
  if (other.length > 0) wrong.push(`it exports ${other.slice(0, 5).join(', ')}${other.length > 5 ? ' ...' : ''}`);
  if (!facts.exports.includes(entryPoints[0])) wrong.push(`it does not export ${entryPoints[0]}`);
  if (platform === 'darwin') {
    if (facts.minimumSystem === null || compare(facts.minimumSystem, MACOS) > 0)
      wrong.push(`it needs macOS ${facts.minimumSystem}`);
    if (facts.ownName !== '@rpath/dtesn.node') wrong.push(`it is named ${facts.ownName}`);
    if (arch === 'arm64' && !facts.isSigned) wrong.push('it has no signature, which arm64 asks for');
  }
  return { bytes, floor: floorOf(facts, libc, platform), wrong };
}

function floorOf({ versions, minimumSystem, libraries: named }, libc, platform) {
  if (platform === 'darwin') return `macOS ${minimumSystem}`;
  if (platform === 'win32')
    return [...new Set(named.map((name) => name.replace(/^api-ms-win-crt-.*/, 'UCRT')))].join(', ');
  return libc === 'musl' ? 'musl' : versions.map(([name, version]) => `${name} ${version}`).join(', ');
}

function main([argument]) {
  const host = { name: argument, platform: 'linux', arch: process.arch, libc: 'glibc', file: argument };
  const wanted = argument !== undefined && argument !== '--all' ? [host] : platforms;
  let failed = false;
  for (const one of wanted) {
    const file = path.resolve(root, one.file);
    if (!existsSync(file)) {
      if (argument === undefined) continue;
      failed = true;
      console.error(`${one.name}: ${one.file} is missing; npm run prebuild:all makes it`);
      continue;
    }
    const { bytes, floor, wrong } = checkBinary(file, one);
    for (const reason of wrong) console.error(`${one.name}: ${reason}`);
    failed ||= wrong.length > 0;
    console.log(`${one.name}: ${(bytes / 1e6).toFixed(2)} MB, needs ${floor}`);
  }
  if (failed) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) main(process.argv.slice(2));
