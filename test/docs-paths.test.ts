/** Files and folders that README and docs name are there. test/docs/links.test.ts checks links. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { pages, root } from './docs/pages.js';

test.each(pages)('%s names no file of the repository that is not there', (page) => {
  const text = readFileSync(path.join(root, page), 'utf8');
  const named = [...text.matchAll(/`((?:src|native|test|bench|docs|scripts)\/[\w./-]+)`/g)].map(
    ([, file = '']) => file,
  );
  expect(named.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
});

test('the table of architecture.md has a row for each room of src/ and each folder of native/', () => {
  const text = readFileSync(path.join(root, 'docs/architecture.md'), 'utf8');
  const rows = [...text.matchAll(/^\| ([\w, -]+?) +\|/gm)].flatMap(([, names = '']) => names.split(', '));
  const rooms = ['src', 'native'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { withFileTypes: true }).filter((entry) => entry.isDirectory()),
  );
  expect(rooms.map(({ name }) => name).filter((name) => !rows.includes(name))).toEqual([]);
});
