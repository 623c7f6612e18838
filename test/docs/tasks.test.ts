/** The block of docs/tasks.md that needs data which the repository does not hold. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root, textOf } from './pages.js';

test('the vowels of docs/tasks.md print what stands below them', { tags: ['slow'], timeout: 120_000 }, ({ skip }) => {
  const data = path.join(root, '../shared/data');
  const files = ['japanese-vowels.train', 'japanese-vowels.test'];
  if (!files.every((file) => existsSync(path.join(data, file))))
    return skip('skipped: no ../shared/data/japanese-vowels');
  const block = /^```javascript\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/m.exec(textOf('docs/tasks.md'));
  const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-vowels-'));
  try {
    mkdirSync(path.join(folder, 'node_modules'));
    symlinkSync(root, path.join(folder, 'node_modules/dtesn'), 'dir');
    for (const file of files) copyFileSync(path.join(data, file), path.join(folder, file));
    writeFileSync(path.join(folder, 'vowels.mjs'), block![1]!);
    const { stdout, stderr } = spawnSync(process.execPath, ['vowels.mjs'], { cwd: folder, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toBe(block![2]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
