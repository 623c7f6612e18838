/**
 * The C++ checks and the addon under vitest, with sanitizers.
 *
 *     node scripts/sanitize.mjs [address | thread] [vitest filters]
 *
 * address: AddressSanitizer and UndefinedBehaviorSanitizer; thread: ThreadSanitizer, on what has threads.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const modes = {
  address: {
    sanitize: 'address,undefined',
    libraries: ['libasan.so', 'libubsan.so'],
    // Tests ask for more memory than there is, on purpose.
    env: {
      ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
      UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
    },
    rooms: ['native', 'numeric', 'trees', 'network', 'streams', 'bseries', 'transform', 'readout', 'esn', 'property'],
  },
  thread: {
    sanitize: 'thread',
    libraries: ['libtsan.so'],
    env: { TSAN_OPTIONS: `halt_on_error=1:suppressions=${path.join(root, 'scripts/tsan.supp')}` },
    rooms: [
      'network/batch',
      'network/states',
      'network/construct-async',
      'readout/train-async',
      'readout/forecast',
      'streams',
      'network/live-state',
    ],
  },
};

const args = process.argv.slice(2);
const mode = args[0] in modes ? args.shift() : 'address';
const { sanitize, libraries, env, rooms } = modes[mode];
// node-gyp-build looks into build/Release below the folder that DTESN_PREBUILD names.
const home = path.join(root, 'build/sanitize', mode);
const build = path.join(home, 'build');

function run(title, command, options, more = {}) {
  console.log(`sanitize ${mode}: ${title}`);
  const { status } = spawnSync(command, options, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env, ...more },
  });
  if (status !== 0) process.exit(status ?? 1);
}

const cmake = [`-DDTESN_SANITIZE=${sanitize}`, '-DDTESN_NATIVE_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release'];
run('build', process.execPath, ['scripts/build-native.mjs', '--dir', build, ...cmake]);
run('C++ checks', 'ctest', [
  '--test-dir',
  build,
  '--output-on-failure',
  ...(mode === 'thread' ? ['-R', 'threads'] : []),
]);
const file = (name) => execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
const filters = args.length > 0 ? args : rooms.map((room) => `test/${room}`);
run(
  'the addon under vitest',
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--mode', 'all', ...filters],
  {
    DTESN_PREBUILD: home,
    DTESN_SANITIZED: mode,
    LD_PRELOAD: libraries.map(file).join(' '),
  },
);
