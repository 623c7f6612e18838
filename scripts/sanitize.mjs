/**
 * The C++ checks and the addon under vitest, both with AddressSanitizer and UndefinedBehaviorSanitizer.
 *
 *     node scripts/sanitize.mjs [vitest filters]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
// node-gyp-build looks into build/Release below the folder that DTESN_PREBUILD names.
const home = path.join(root, 'build/sanitize');
const build = path.join(home, 'build');
const options = ['-DDTESN_SANITIZE=address,undefined', '-DDTESN_NATIVE_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release'];

function run(title, command, args, env = {}) {
  console.log(`sanitize: ${title}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  if (status !== 0) process.exit(status ?? 1);
}

const strict = {
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
};
run('build', process.execPath, ['scripts/build-native.mjs', '--dir', build, ...options]);
run('C++ checks', 'ctest', ['--test-dir', build, '--output-on-failure'], { UBSAN_OPTIONS: strict.UBSAN_OPTIONS });
const library = (name) => execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
const filters = process.argv.slice(2);
const rooms = ['native', 'reservoir', 'model', 'bseries', 'pipeline', 'membrane', 'property'].map(
  (room) => `test/${room}`,
);
run(
  'the addon under vitest',
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', ...(filters.length > 0 ? filters : rooms)],
  {
    ...strict,
    DTESN_PREBUILD: home,
    LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
  },
);
