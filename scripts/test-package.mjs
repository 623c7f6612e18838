/**
 * Packs the package and uses it as others would: installed by every package manager, loaded by import and require, on each version
 * of Node, with and without a compiler, in threads, test runners, bundlers and compilers. Each row that runs code computes the
 * example of README and compares its output.
 *
 *     npm run test:package [-- FILTER]          rows whose name has FILTER
 *
 * Exit code 1 where a row fails; a row whose tool npm does not have for this platform is skipped. Tools stay in node_modules/.cache/test-package; the first run downloads them.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readmeExample } from './readme-example.mjs';
import { consumerRows } from './test-package/consumers.mjs';
import { installRows } from './test-package/installs.mjs';
import { installTools, MissingTool } from './test-package/tools.mjs';

const root = path.dirname(import.meta.dirname);
const filter = process.argv[2] ?? '';
const atOnce = 2;

function step(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

/** The tarball; a binary of this platform that is there is packed as it is. */
function pack(folder) {
  step('scripts/setup.mjs');
  step('scripts/prebuild.mjs', '--missing');
  step('scripts/source-build.mjs');
  const args = ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
  const { status, stderr } = spawnSync('npm', args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return path.join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.tgz')),
  );
}

async function checked({ name, check }) {
  const start = performance.now();
  let result = 'pass';
  let note = '';
  try {
    const said = await check();
    if (typeof said === 'string' && !said.includes('\n')) note = said;
  } catch (error) {
    result = error instanceof MissingTool ? 'skip' : 'FAIL';
    note = error.message;
  }
  const row = { name, result, seconds: (performance.now() - start) / 1000, note };
  const line = `${row.result}  ${row.seconds.toFixed(1).padStart(5)} s  ${name}`;
  console.log(note === '' ? line : `${line}\n      ${note.trim().slice(0, 1500).replaceAll('\n', '\n      ')}`);
  return row;
}

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-test-package-'));
try {
  installTools();
  const given = { tarball: pack(folder), folder, example: readmeExample() };
  const rows = [...installRows(given), ...(await consumerRows(given))].filter(({ name }) => name.includes(filter));
  const results = [];
  const queue = [...rows];
  const worker = async () => {
    for (let row = queue.shift(); row !== undefined; row = queue.shift()) results.push(await checked(row));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const count = (wanted) => results.filter(({ result }) => result === wanted).length;
  console.log(`${count('pass')} passed, ${count('FAIL')} failed, ${count('skip')} skipped`);
  process.exitCode = count('FAIL') > 0 || results.length === 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
