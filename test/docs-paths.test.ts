/** Files, folders and pages that README and docs name are there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`)];

test.each(pages)('%s names no file of the repository that is not there', (page) => {
  const text = readFileSync(path.join(root, page), 'utf8');
  const named = [...text.matchAll(/`((?:src|native|test|bench|docs|scripts)\/[\w./-]+)`/g)].map(
    ([, file = '']) => file,
  );
  expect(named.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
});

test.each(pages)('%s links to no page that is not there', (page) => {
  const text = readFileSync(path.join(root, page), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)/g)].map(([, target = '']) => target);
  expect(links.filter((target) => !existsSync(path.resolve(root, path.dirname(page), target)))).toEqual([]);
});

test('the table of architecture.md has a row for each room of src/ and each folder of native/', () => {
  const text = readFileSync(path.join(root, 'docs/architecture.md'), 'utf8');
  const rows = [...text.matchAll(/^\| ([\w, -]+?) +\|/gm)].flatMap(([, names = '']) => names.split(', '));
  const rooms = ['src', 'native'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { withFileTypes: true }).filter((entry) => entry.isDirectory()),
  );
  expect(rooms.map(({ name }) => name).filter((name) => !rows.includes(name))).toEqual([]);
});
