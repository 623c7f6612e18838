/**
 * Builds the addon into build/Release/dtesn.node: with CMake where it is installed, else with
 * node-gyp (make, python3), ours or the one that npm carries.
 *
 *     node scripts/build-native.mjs [-DOPTION=VALUE ...] [--dir build]
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
/** What scripts/source-build.mjs packs; the repository has node_modules and a binding.gyp of its own. */
const packed = existsSync(path.join(root, 'binding.gyp')) ? null : path.join(root, 'dist/source-build');
const has = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function resolved(request, ...folders) {
  try {
    return require.resolve(request, { paths: [root, ...folders] });
  } catch {
    return undefined; // the caller has another way, or says what is missing
  }
}

/** The folder of the headers of node-addon-api or node-api-headers. */
function headersOf(name, place = '.') {
  return packed === null ? require(name).include_dir : path.join(packed, name, place);
}

function buildWithCMake(options, directory) {
  const generator = has('ninja') ? ['-G', 'Ninja'] : [];
  const includes = `-DCMAKE_JS_INC=${headersOf('node-addon-api')};${headersOf('node-api-headers', 'include')}`;
  run('cmake', ['-S', '.', '-B', directory, ...generator, includes, ...options]);
  run('cmake', ['--build', directory, '--parallel', '2']);
}

function buildWithNodeGyp() {
  const prefix = path.dirname(path.dirname(process.execPath));
  const npm = [
    process.env.npm_execpath && path.dirname(process.env.npm_execpath),
    path.join(prefix, 'lib/node_modules/npm'),
  ];
  const gyp = resolved('node-gyp/bin/node-gyp.js', ...npm.filter(Boolean));
  if (gyp === undefined) {
    console.error('Expected CMake or node-gyp but found neither: npm install node-gyp');
    process.exit(1);
  }
  // Node's own headers beside its binary make a download unnecessary.
  const headers = existsSync(path.join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
  run(process.execPath, [gyp, 'rebuild', ...headers, ...(packed === null ? [] : ['-C', packed])]);
  if (packed === null) return;
  mkdirSync(path.join(root, 'build/Release'), { recursive: true });
  copyFileSync(path.join(packed, 'build/Release/dtesn.node'), path.join(root, 'build/Release/dtesn.node'));
}

const args = process.argv.slice(2);
const at = args.indexOf('--dir');
const directory = at >= 0 ? args.splice(at, 2)[1] : 'build';
if (has('cmake') && (packed !== null || resolved('node-api-headers'))) buildWithCMake(args, directory);
else buildWithNodeGyp();
