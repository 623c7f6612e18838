/** Links of the pages: each leads to a file and a heading that are there, and each page is two clicks from README. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { anchorsOf, linksOf, pages, root } from './pages.js';

test.each(pages)('every link of %s leads to a file or folder', (page) => {
  const broken = linksOf(page).filter(({ target }) => !existsSync(path.join(root, target)));
  expect(broken).toEqual([]);
});

test.each(pages)('every anchor that %s links to is a heading', (page) => {
  const broken = linksOf(page).filter(
    ({ target, anchor }) => anchor !== null && (!target.endsWith('.md') || !anchorsOf(target).has(anchor)),
  );
  expect(broken).toEqual([]);
});

test('anchors are those of GitHub', () => {
  expect(anchorsOf('docs/multi-source.md')).toContain('2-advanced-caching');
  expect(anchorsOf('docs/troubleshooting.md')).toContain('does-it-run-on-alpine');
});

test('every page is at most two clicks from README', () => {
  const leadsTo = (page: string) => linksOf(page).map(({ target }) => target);
  const first = leadsTo('README.md');
  const second = first.filter((target) => pages.includes(target)).flatMap(leadsTo);
  expect(pages.filter((page) => page !== 'README.md' && ![...first, ...second].includes(page))).toEqual([]);
});

test('docs/README.md, from which the sidebar of the site is made, names every page of docs', () => {
  const named = linksOf('docs/README.md').map(({ target }) => target);
  const others = pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
  expect(others.filter((page) => !named.includes(page))).toEqual([]);
});
