/** The table of errors in native/simd/README.md names the kernels that the self check compares. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { native } from '../../src/native/index.js';

const readme = readFileSync(path.join(import.meta.dirname, '../../native/simd/README.md'), 'utf8');
const header = /^\| kernel +\| types +\| ULP of .*$/m.exec(readme)?.[0] ?? '';
const cells = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
const rows = readme.slice(readme.indexOf(header)).split('\n\n')[0]?.split('\n').slice(2).map(cells);

test('native/simd/README.md has one row of errors for each kernel that native.checkKernels() returns', () => {
  const checked = new Set(native.checkKernels().map(({ kernel }) => `\`${kernel}\``));
  const named = rows?.map(([kernel]) => kernel) ?? [];
  expect(named.length).toBe(checked.size);
  expect(new Set(named)).toEqual(checked);
});

test('native/simd/README.md has a column for each instruction set of this machine, and every cell of it is a figure or a bound', () => {
  const columns = cells(header);
  for (const isa of [...native.availableIsas, 'avx512', 'neon']) {
    const at = columns.indexOf(isa);
    expect(at).toBeGreaterThan(0);
    for (const row of rows ?? []) expect(row[at]).toMatch(/^(≤ \d+|same bits|[\d.]+( \/ [\d.]+)?)$/);
  }
});
