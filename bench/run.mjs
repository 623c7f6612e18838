/**
 * Runs the benchmark suites and prints machine, versions and, for each task, best and median.
 *
 *     npm run bench [-- SUITE ...] [--quick] [--json]
 *
 * --quick shortens every task; --json also writes bench/results/<time>.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { native } from '../dist/index.js';

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
  allowPositionals: true,
});

const suites = ['step', 'sources', 'process'];
const unknown = positionals.filter((name) => !suites.includes(name));
if (unknown.length > 0) {
  console.error(`Unknown suite ${unknown.join(', ')}: choose from ${suites.join(', ')}`);
  process.exit(2);
}

const machine = {
  cpu: cpus()[0].model.trim(),
  cores: cpus().length,
  isa: native.isa,
  node: process.version,
  v8: process.versions.v8,
  date: new Date().toISOString(),
};
console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.isa}, Node ${machine.node}`);

const results = [];
for (const name of positionals.length > 0 ? positionals : suites) {
  const { run } = await import(`./${name}.mjs`);
  console.log(`\n${name}`);
  const rows = await run({ quick: values.quick });
  console.table(Object.fromEntries(rows.map(({ task, ...figures }) => [task, figures])));
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
