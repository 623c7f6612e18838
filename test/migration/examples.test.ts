/**
 * The examples of README.md and docs/ as they stood in 0.1 (examples-0.1.md) print what they printed, and say nothing but which
 * names are deprecated. An example that stands unchanged in today's pages is run by docs.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

interface Example {
  page: string;
  code: string;
  output: string;
}

const example = /^```js\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/gm;
const examplesOf = (text: string, page: string): Example[] =>
  [...text.matchAll(example)].map(([, code = '', output = '']) => ({ page, code, output }));

const older = read('test/migration/examples-0.1.md')
  .split(/^## /m)
  .slice(1)
  .flatMap((section) => examplesOf(section, section.slice(0, section.indexOf('\n'))));
const pages = [
  'README.md',
  ...readdirSync(path.join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const today = new Set(pages.flatMap((page) => examplesOf(read(page), page)).map(({ code, output }) => code + output));

/** Examples that do not run as they stood; docs/migration.md says so in the row that begins as given. */
const broken = [
  {
    holds: 'five steps do not fit a ring of four',
    row: '| `StreamPool.push` of more steps than the ring holds returned false |',
    now: /ERR_DTESN_SHAPE/,
  },
  {
    holds: 'all steps done',
    row: '| `onProgress(stepsDone)` of `runAsync` |',
    now: /^2000 true$/m,
  },
];
const isBroken = (code: string) => broken.some(({ holds }) => code.includes(holds));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn-migration-'));
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(root, path.join(folder, 'node_modules/dtesn'), 'dir');
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A busy host may need longer for its sources. */
const patient = { ...process.env, DTESN_SOURCE_DEADLINE_MS: '20000' };

function run(code: string) {
  writeFileSync(path.join(folder, 'example.js'), code);
  return spawnSync(process.execPath, ['example.js'], { cwd: folder, encoding: 'utf8', env: patient });
}

/** What is on stderr beside deprecations. */
const beside = (stderr: string) =>
  stderr
    .split('\n')
    .filter(
      (line) => line !== '' && !/\[DTESN_DEPRECATED\] DeprecationWarning|^\(Use `node --trace-deprecation/.test(line),
    );

describe('examples of 0.1', () => {
  const changed = older.filter(
    ({ page, code, output }) => (page === 'README.md' || !today.has(code + output)) && !isBroken(code),
  );

  test.each(changed)('$page: an example prints what it printed', ({ code, output }) => {
    const { stdout, stderr, status } = run(code);
    expect(beside(stderr)).toEqual([]);
    expect(stdout).toBe(output);
    expect(status).toBe(0);
  });

  test('README.md had three, and the pages more than twenty', () => {
    expect(older.filter(({ page }) => page === 'README.md').length).toBe(3);
    expect(older.length).toBeGreaterThan(20);
  });

  test.each(broken)('docs/migration.md has the row $row and the example does what it says', ({ holds, row, now }) => {
    expect(read('docs/migration.md').replaceAll(/ +/g, ' ')).toContain(row);
    const [found] = older.filter(({ code }) => code.includes(holds));
    const { stdout, stderr } = run(found!.code);
    expect(stdout + stderr).toMatch(now);
  });
});
