/** The pages of the repository: README, CONTRIBUTING and docs/*.md, with their headings and links as GitHub makes them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '../..');

/** Paths of the pages in the repository. */
export const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(path.join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export const textOf = (page: string): string => readFileSync(path.join(root, page), 'utf8');

/** The text without fenced blocks, whose brackets are no links and whose # are no headings. */
const prose = (page: string) => textOf(page).replace(/^```[\s\S]*?^```$/gm, '');

export interface Link {
  page: string;
  /** Path in the repository that the link leads to; the page itself for `#anchor`. */
  target: string;
  anchor: string | null;
}

/** Links that stay within the repository. */
export function linksOf(page: string): Link[] {
  // What the package does not hold is linked by its address.
  const text = prose(page).replaceAll(
    'https://github.com/dtesn/dtesn/blob/main/',
    `${path.posix.relative(path.posix.dirname(page), '.') || '.'}/`,
  );
  return [...text.matchAll(/\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(([, file = '', anchor]) => ({
    page,
    target: file === '' ? page : path.posix.join(path.posix.dirname(page), file),
    anchor: anchor ?? null,
  }));
}

/** Anchors of a page: those of its headings, with -1, -2 ... for repeated ones, and of `<a id="...">`. */
export function anchorsOf(page: string): Set<string> {
  const text = prose(page);
  const anchors = new Set([...text.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id = '']) => id));
  for (const [, heading = ''] of text.matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');
    let anchor = slug;
    for (let i = 1; anchors.has(anchor); i++) anchor = `${slug}-${i}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** First cells of the rows of a page's tables that hold nothing but code. */
export function codesOf(text: string): string[] {
  return [...text.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, code = '']) => code);
}

/** The part of a page below a heading of the second level. */
export function sectionOf(page: string, heading: string): string {
  const section = textOf(page)
    .split(/^## /m)
    .find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`${page} has no heading ${heading}`);
  return section;
}
