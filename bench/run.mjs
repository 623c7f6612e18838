/**
 * Runs the benchmark suites and prints machine, versions, limits and, for each task, best and median, the limit measured in
 * the same run and the share of it that was reached, and the peers.
 *
 *     npm run bench [-- SUITE ...] [--quick] [--json] [--trace FILE ...] [--seed N]
 *
 * --quick takes fewer sizes and shorter tasks; --json also writes bench/results/<time>.json; --trace names recorded traffic for the
 * suites that replay it, --seed a whole number for what they draw.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { native } from '../dist/index.js';
import { round } from './measure.mjs';
import { peers } from './peers/index.mjs';

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    trace: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string', default: '1' },
  },
  allowPositionals: true,
});

const suites = [
  'step',
  'structured',
  'precision',
  'batch',
  'streams',
  'journal',
  'train',
  'features',
  'tree',
  'construct',
  'prometheus',
  'sources',
  'process',
  'bridge',
  'engines',
  'outlook',
  'outlook-forecast',
  'outlook-health',
  'outlook-scaling',
];
const unknown = positionals.filter((name) => !suites.includes(name));
if (unknown.length > 0) {
  console.error(`Unknown suite ${unknown.join(', ')}: choose from ${suites.join(', ')}`);
  process.exit(2);
}

const limits = native.limits();
const machine = {
  cpu: cpus()[0].model.trim(),
  cores: cpus().length,
  memoryBytes: totalmem(),
  isa: native.isa,
  node: process.version,
  v8: process.versions.v8,
  system: `${process.platform} ${release()}`,
  date: new Date().toISOString(),
  gflops: limits.gflops,
  reads: limits.reads,
  peers: Object.fromEntries(peers.map(({ name, missing }) => [name, missing ?? 'measured'])),
};

console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.isa}, Node ${machine.node}, ${machine.system}`);
console.log(`one core: ${round(limits.gflops.f32)} GFLOP/s f32, ${round(limits.gflops.f64)} f64; reads ${readsText()}`);
for (const { name, missing } of peers) if (missing !== undefined) console.log(`${name} skipped: ${missing}`);

const results = [];
for (const name of positionals.length > 0 ? positionals : suites) {
  const { run } = await import(`./${name}.mjs`);
  console.log(`\n${name}`);
  const rows = await run({ quick: values.quick, traces: values.trace, seed: Number(values.seed) });
  for (const alike of byColumns(rows)) {
    console.table(Object.fromEntries(alike.map(({ task, ...figures }) => [task, flat(figures)])));
  }
  results.push({ suite: name, rows });
}

if (values.json) {
  const folder = path.join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${machine.date.replaceAll(':', '-')}.json`);
  writeFileSync(file, JSON.stringify({ machine, results }, null, 2));
  console.log(`\nwritten to ${path.relative(process.cwd(), file)}`);
}
process.exitCode = results.some(({ rows }) => rows.some(({ error }) => error)) ? 1 : 0;

/** Rows of different columns in tables of their own. */
function byColumns(rows) {
  const tables = new Map();
  for (const row of rows) {
    const columns = Object.keys(row).join();
    tables.set(columns, [...(tables.get(columns) ?? []), row]);
  }
  return [...tables.values()];
}

function readsText() {
  const sizes = limits.reads.map(({ bytes, gigabytesPerSecond }) => {
    const size = bytes < 2 ** 20 ? `${bytes / 2 ** 10} KiB` : `${bytes / 2 ** 20} MiB`;
    return `${round(gigabytesPerSecond)} GB/s at ${size}`;
  });
  return sizes.join(', ');
}

/** A peer's time and how many times ours it is, in one cell of the table. */
function flat({ peers: times = {}, ...figures }) {
  const cells = Object.entries(times).map(([name, peer]) => [name, `${peer['µs/step']} µs, ${peer.times}x`]);
  return { ...figures, ...Object.fromEntries(cells) };
}
