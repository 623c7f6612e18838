/**
 * Builds the addon into build/Release/dtesn.node, in a clone and in a user's node_modules: with CMake where it is, else with node-gyp
 * (make, python3), ours or the one that npm carries.
 *
 *     node scripts/build-native.mjs [-DOPTION=VALUE ...] [--dir build]
 *
 * CMake needs the headers of Node: those of node-api-headers, those beside Node's binary, or those that node-gyp once downloaded.
 * Errors: one sentence that names what is missing; exit code 1, or that of the program that failed.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const prefix = path.dirname(path.dirname(process.execPath));
const require = createRequire(import.meta.url);
/** Where a package has what only a source build reads: binding.gyp, and the headers of node-addon-api and node-api-headers. */
const packed = path.join(root, 'dist/source-build');
const isWindows = process.platform === 'win32';

/** A reason that a user can act on; it is printed without a stack. */
class BuildError extends Error {
  code = 'ERR_DTESN_BUILD';
}

/** Returns when the addon is built. */
export function buildNative(args = []) {
  const options = [...args];
  const at = options.indexOf('--dir');
  const directory = at >= 0 ? options.splice(at, 2)[1] : 'build';
  requireWritable();
  const headers = nodeHeaders();
  const tools = toolsOfThisHost();
  const gyp = nodeGyp();
  if (tools.compiler && tools.cmake && (tools.ninja || tools.make) && headers) {
    buildWithCMake(options, directory, headers, tools.ninja);
  } else if (isWindows ? gyp : tools.compiler && tools.make && tools.python3 && gyp) {
    buildWithNodeGyp(gyp);
  } else {
    throw new BuildError(missingSentence(tools, headers, gyp));
  }
}

function toolsOfThisHost() {
  const compilers = process.env.CXX ? [process.env.CXX.split(' ')[0]] : ['c++', 'g++', 'clang++'];
  return {
    compiler: compilers.some(answers),
    // CMakeLists.txt reads JSON, which CMake does from 3.19 on. On Windows CMake alone has no library of Node to link with.
    cmake: !isWindows && versionOf('cmake') >= 3019,
    ninja: answers('ninja'),
    make: answers('make'),
    python3: answers(process.env.PYTHON ?? 'python3'),
  };
}

function answers(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** 3028 for 3.28; 0 where there is none. */
function versionOf(command) {
  const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  const [, major, minor] = /(\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
  return major === undefined ? 0 : 1000 * Number(major) + Number(minor);
}

function missingSentence({ compiler, cmake, ninja, make, python3 }, headers, gyp) {
  const lacks = (things) => Object.keys(things).filter((name) => !things[name]);
  const byCMake = lacks({
    'cmake 3.19 or later': cmake || isWindows,
    'make or ninja': make || ninja || isWindows,
    'the headers of Node': headers,
  });
  const byGyp = lacks({ make: make || isWindows, python3: python3 || isWindows, 'node-gyp': gyp });
  const cannot = byCMake.length > 0 && byGyp.length > 0;
  const missing = [
    ...(compiler || isWindows ? [] : ['a C++ compiler (g++ or clang++)']),
    ...(cannot ? [`${listed(byCMake)} (or, for node-gyp, ${listed(byGyp)})`] : []),
  ];
  const needsHeaders = cannot && compiler && byCMake.join() === 'the headers of Node';
  const command = needsHeaders ? 'npm install --no-save node-api-headers' : installCommand(compiler);
  return `The addon cannot be built here; missing: ${missing.join('; ')}${command ? `; try: ${command}` : ''}`;
}

function installCommand(compiler) {
  if (isWindows) return 'npm install --global node-gyp';
  if (process.platform === 'darwin') return compiler ? 'brew install cmake' : 'xcode-select --install';
  return existsSync('/etc/debian_version') ? 'apt-get install g++ cmake make' : null;
}

function listed(names) {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function requireWritable() {
  try {
    mkdirSync(path.join(root, 'build'), { recursive: true });
  } catch (cause) {
    throw new BuildError(`The folder ${root} cannot be written (${cause.code}): the addon is built into it`, { cause });
  }
}

/** The folder that holds node_api.h, or undefined. */
function nodeHeaders() {
  const installed = resolved('node-api-headers');
  const downloads = {
    linux: path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'node-gyp'),
    darwin: path.join(os.homedir(), 'Library/Caches/node-gyp'),
  }[process.platform];
  const folders = [
    path.join(packed, 'node-api-headers/include'),
    installed && path.join(path.dirname(installed), 'include'),
    path.join(prefix, 'include/node'),
    downloads && path.join(downloads, process.versions.node, 'include/node'),
  ];
  return folders.find((folder) => folder && existsSync(path.join(folder, 'node_api.h')));
}

/** The folder that holds napi.h: what was packed of node-addon-api, for another package may have installed another version, or the package. */
function addonApi() {
  const installed = resolved('node-addon-api');
  const folders = [path.join(packed, 'node-addon-api'), installed && path.dirname(installed)];
  const found = folders.find((folder) => folder && existsSync(path.join(folder, 'napi.h')));
  if (found) return found;
  throw new BuildError('Expected napi.h but there is no package node-addon-api: npm install --no-save node-addon-api');
}

function nodeGyp() {
  const npm = [
    process.env.npm_execpath && path.dirname(process.env.npm_execpath),
    path.join(prefix, 'lib/node_modules/npm'),
    path.join(path.dirname(process.execPath), 'node_modules/npm'),
  ];
  return resolved('node-gyp/bin/node-gyp.js', ...npm.filter(Boolean));
}

function resolved(request, ...folders) {
  try {
    return require.resolve(request, { paths: [root, ...folders] });
  } catch {
    return undefined; // the caller has another way, or says what is missing
  }
}

function buildWithCMake(options, directory, headers, hasNinja) {
  const generator = hasNinja ? ['-G', 'Ninja'] : [];
  const includes = `-DCMAKE_JS_INC=${addonApi()};${headers}`;
  run('cmake', ['-S', root, '-B', path.resolve(root, directory), ...generator, includes, ...options], root);
  run('cmake', ['--build', path.resolve(root, directory), '--parallel', String(os.availableParallelism())], root);
}

/**
 * node-gyp builds a copy in a temporary folder: its makefiles break at a space in a path, and a binding.gyp at the root of an
 * installed package would make npm build it at every install.
 */
function buildWithNodeGyp(gyp) {
  const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'dtesn-build-'));
  try {
    const place = copyRecipe(folder);
    // Node's own headers beside its binary make a download unnecessary.
    const headers = existsSync(path.join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
    run(process.execPath, [gyp, 'rebuild', `--jobs=${os.availableParallelism()}`, ...headers], place);
    const target = path.join(root, 'build/Release/dtesn.node');
    mkdirSync(path.dirname(target), { recursive: true });
    // By rename, so that a process which has the old file loaded keeps it.
    cpSync(path.join(place, 'build/Release/dtesn.node'), `${target}.new`);
    renameSync(`${target}.new`, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Copies sources and binding.gyp, which is at the root, below native/ or packed; returns the folder to build in. */
function copyRecipe(folder) {
  cpSync(path.join(root, 'native'), path.join(folder, 'native'), { recursive: true });
  const recipe = ['binding.gyp', 'native/binding.gyp'].map((name) => path.join(root, name)).find(existsSync);
  if (recipe) {
    cpSync(recipe, path.join(folder, 'binding.gyp'));
    cpSync(addonApi(), path.join(folder, 'node_modules/node-addon-api'), { recursive: true });
    return folder;
  }
  if (!existsSync(path.join(packed, 'binding.gyp')))
    throw new BuildError(`Expected a binding.gyp in ${root} but found none`);
  // Its paths are seen from where it was packed.
  const place = path.join(folder, 'dist/source-build');
  cpSync(packed, place, { recursive: true });
  return place;
}

function run(command, args, cwd) {
  const { status, signal, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
  if (error) throw error;
  if (signal) throw new BuildError(`The build was ended by ${signal}`);
  const name = command === process.execPath ? 'node-gyp' : command;
  if (status !== 0) throw new BuildError(`${name} failed (${status}); its output is above`);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    buildNative(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`dtesn: ${error.message}`);
    process.exitCode = 1;
  }
}
