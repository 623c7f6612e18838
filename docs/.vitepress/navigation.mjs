/** The sidebars: groups of pages from the headings and links of docs/README.md, and the API reference from the folders that TypeDoc made. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { entryPoints } from '../../scripts/build/entries.mjs';

const docs = path.resolve(import.meta.dirname, '..');

/** A group for each heading of docs/README.md, with the first link of each row below it. */
export function pageGroups() {
  const sections = readFileSync(path.join(docs, 'README.md'), 'utf8').split(/^## /m).slice(1);
  return sections.map((section) => {
    const links = section.matchAll(/^\| \[([^\]]+)\]\(([^)#]+)\.md\) /gm);
    const items = [...links].map(([, text, page]) => ({ text, link: path.posix.join('/docs', page) }));
    return { text: section.slice(0, section.indexOf('\n')), items, collapsed: false };
  });
}

const kinds = ['classes', 'functions', 'interfaces', 'type-aliases', 'variables'];

/** A group for each entry point, with the pages of its classes, functions and types. */
export function apiSidebar() {
  const api = path.join(docs, '.site/docs/api');
  if (!existsSync(api)) return [];
  return Object.keys(entryPoints)
    .filter((entry) => existsSync(path.join(api, entry)))
    .map((entry) => ({
      text: entry,
      link: `/docs/api/${entry}/`,
      collapsed: true,
      items: kinds.flatMap((kind) => kindOf(api, entry, kind)),
    }));
}

function kindOf(api, entry, kind) {
  const folder = path.join(api, entry, kind);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).map((file) => path.basename(file, '.md'));
  return [
    {
      text: kind.replace('type-aliases', 'types'),
      collapsed: true,
      items: names.toSorted().map((name) => ({ text: name, link: `/docs/api/${entry}/${kind}/${name}` })),
    },
  ];
}
