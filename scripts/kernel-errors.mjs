/**
 * Prints the table of native/simd/README.md: the largest error in ULP of each kernel on each instruction set.
 *
 *     node scripts/kernel-errors.mjs
 *
 * Compiles native/test/kernel_errors_test.cc with the flags of the addon and runs it on this machine; on arm64 (neon) under
 * qemu-aarch64, where that and aarch64-linux-gnu-g++ are installed. A set that could not run has no figure: its column gives
 * the bound that the self check enforces, where the set is in use.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const folder = path.join(root, 'build/kernel-errors');
const sources = ['simd/cpu_features.cc', 'simd/kernels.cc', 'simd/scalar.cc', 'test/kernel_errors_test.cc'].map(
  (file) => `native/${file}`,
);
const { dtesn_cflags: flags } = JSON.parse(readFileSync(path.join(root, 'native/sources.gypi'), 'utf8')).variables;
const sets = ['scalar', 'sse2', 'avx2', 'avx512', 'neon'];
// Kernels that the self check compares with the plain loop bit by bit; all others may differ by 16 ULP of their magnitude.
const exact = [
  'mapRelu',
  'exactPanels',
  'exactBlocks 8',
  'exactBlocks 16',
  'addMoments',
  'squares',
  'dot',
  'addScaled',
];

const has = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

/** Rows of [set, dtype, kernel, magnitude, error, bound]. */
function measure(name, compiler, options, runner) {
  const program = path.join(folder, name);
  execFileSync(compiler, [...flags, ...options, '-Inative', ...sources, '-o', program], { cwd: root });
  const [command, ...args] = [...runner, program];
  return execFileSync(command, args, { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split('\t'));
}

function measureArm64() {
  const qemu = ['qemu-aarch64-static', 'qemu-aarch64'].find(has);
  if (process.arch === 'arm64') return [];
  if (qemu !== undefined && has('aarch64-linux-gnu-g++'))
    return measure('arm64', 'aarch64-linux-gnu-g++', ['-static'], [qemu]);
  console.error('neon: not measured, needs qemu-aarch64 and aarch64-linux-gnu-g++');
  return [];
}

mkdirSync(folder, { recursive: true });
const native = measure('native', process.env.CXX ?? 'g++', [], []);
const rows = [...native, ...measureArm64().filter(([set]) => set === 'neon')];
const kernels = [...new Set(rows.map(([, , kernel]) => kernel))];

function cell(set, kernel) {
  const measured = ['f32', 'f64'].flatMap((dtype) =>
    rows.filter(([s, d, k]) => s === set && d === dtype && k === kernel).map(([, , , , error]) => error),
  );
  if (measured.length > 0) return measured.map((error) => (Number(error) === 0 ? '0' : error)).join(' / ');
  return exact.includes(kernel) ? 'same bits' : '≤ 16';
}

/** The element types of a kernel, its magnitude and the bound of the test. */
function facts(kernel) {
  const own = rows.filter(([, , k]) => k === kernel);
  return { dtypes: [...new Set(own.map(([, dtype]) => dtype))].join(' / '), magnitude: own[0][3], bound: own[0][5] };
}

const table = [
  ['kernel', 'types', 'ULP of', ...sets, 'bound'],
  ...kernels.map((kernel) => {
    const { dtypes, magnitude, bound } = facts(kernel);
    return [`\`${kernel}\``, dtypes, magnitude, ...sets.map((set) => cell(set, kernel)), bound];
  }),
];
const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
const print = (row) => console.log(`| ${row.map((text, column) => text.padEnd(widths[column])).join(' | ')} |`);
print(table[0]);
print(widths.map((width) => '-'.repeat(width)));
for (const row of table.slice(1)) print(row);
