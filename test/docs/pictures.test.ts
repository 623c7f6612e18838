/** Pictures of the docs are made by scripts: each that a page shows is one of their lists, and the other way round. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { pages, root, textOf } from './pages.js';

const shown = pages.flatMap((page) =>
  [...textOf(page).matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g)].map(([, alternative = '', file = '']) => ({
    alternative,
    file: path.posix.join(path.posix.dirname(page), file),
  })),
);
const scripts = ['screenshots.mjs', 'gateway-plot.mjs'].map((name) =>
  readFileSync(path.join(root, 'scripts', name), 'utf8'),
);
const made = scripts
  .flatMap((script) => [...script.matchAll(/^export const pictures = \{([^}]*)\}/gm)])
  .flatMap(([, list = '']) => [...list.matchAll(/'([^']+)':/g)].map(([, file = '']) => file));

test('every picture that a page shows is made by a script, and every one of the scripts is shown', () => {
  expect(made.length).toBeGreaterThan(0);
  expect(shown.map(({ file }) => file).toSorted()).toEqual(made.toSorted());
});

test('every picture is there, none beside them, and each has a text in its place', () => {
  const files = readdirSync(path.join(root, 'docs/images')).map((name) => `docs/images/${name}`);
  expect(files.toSorted()).toEqual(made.toSorted());
  expect(made.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  for (const { alternative, file } of shown) expect(alternative.length, file).toBeGreaterThan(20);
});
