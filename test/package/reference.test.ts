/** Docstrings of the public API: what an editor shows at a name, and what the reference of the site is generated from. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import pkg from '../../package.json' with { type: 'json' };
import { entryPoints } from '../../scripts/build/entries.mjs';
import { type PublicField, type PublicName, publicApi } from './public-api.js';

/** Types that a caller fills in: options, configurations, bodies of requests. */
const isOptions = ({ name }: PublicName) =>
  /(Options|ConfigInput|Request|Definition)$|^Bridge\w+Input$|^GivenEngine$/.test(name);

/** Words of a docstring that are not words of the name: `/** A stream id. *​/` says nothing of StreamId. */
function wordsBeyond(name: string, doc: string): string[] {
  const ofName = name.toLowerCase();
  return (doc.match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => word.length > 2 && !ofName.includes(word.toLowerCase()));
}

function undocumentedNames(names: readonly PublicName[]): string[] {
  return names
    .filter(({ name, doc }) => wordsBeyond(name, doc).length < 2)
    .map(({ file, name, doc }) => `${file} ${name}: ${doc === '' ? 'no docstring' : doc}`);
}

/** An optional field names its default; one without a question mark says that it is required. */
function fieldFault({ optional, doc }: PublicField): string | null {
  if (doc === '') return 'no docstring';
  if (optional) return /\bdefault/i.test(doc) ? null : `names no default: ${doc}`;
  return /\brequired\b/i.test(doc) ? null : `does not say that it is required: ${doc}`;
}

function undocumentedFields(names: readonly PublicName[]): string[] {
  return names.filter(isOptions).flatMap(({ file, name, fields }) =>
    fields.flatMap((field) => {
      const fault = fieldFault(field);
      return fault === null ? [] : [`${file} ${name}.${field.name} ${fault}`];
    }),
  );
}

const undocumentedMembers = ({ file, name, fields }: PublicName) =>
  fields.filter(({ doc }) => doc === '').map((field) => `${file} ${name}.${field.name}`);

const names = publicApi();

describe('the public API', () => {
  test('is that of every entry point of package.json', () => {
    const exported = Object.keys(pkg.exports).filter((name) => name !== './package.json');
    expect(Object.keys(entryPoints).toSorted()).toEqual(
      exported.map((name) => path.posix.join('dtesn', name)).toSorted(),
    );
    for (const entry of Object.keys(entryPoints)) {
      expect(names.filter((one) => one.entry === entry && one.isValue).length, entry).toBeGreaterThan(2);
    }
  });

  test('has a docstring at every exported value and type that says more than its name', () => {
    expect(names.length).toBeGreaterThan(300);
    expect([...new Set(undocumentedNames(names))]).toEqual([]);
  });

  test('has a docstring at every field of options that names its default, or that it is required', () => {
    const options = names.filter(isOptions);
    expect(options.flatMap(({ fields }) => fields).length).toBeGreaterThan(400);
    expect(options.filter(({ fields }) => fields.length === 0).map(({ name }) => name)).toEqual([]);
    expect([...new Set(undocumentedFields(names))]).toEqual([]);
  });

  test('has a docstring at every public member of a class', () => {
    const classes = names.filter(({ isClass }) => isClass);
    expect(classes.flatMap(({ fields }) => fields).length).toBeGreaterThan(300);
    expect([...new Set(classes.flatMap(undocumentedMembers))]).toEqual([]);
  });
});

test('a docstring that is missing, repeats the name or lacks the default is found', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-reference-'));
  try {
    mkdirSync(path.join(folder, 'src'));
    writeFileSync(path.join(folder, 'tsconfig.json'), '{ "compilerOptions": { "strict": true }, "include": ["src"] }');
    writeFileSync(
      path.join(folder, 'src/index.ts'),
      [
        "/** Of this file, not of the class: the import ends it. */\nimport 'node:path';",
        'export class Bare {}',
        '/** Stream id. */ export type StreamId = string;',
        '/** What can be closed and read. */ export interface Source {\n  /** Ends it. */\n  close(): void;\n}',
        '/** A source that implements another one. */ export class Kept implements Source {',
        '  close() {}\n  bare = 1;\n  private hidden = 1;\n  /** @internal */ inner = 1;',
        '}',
        '/** The number of units of a reservoir. */ export const units = 3;',
        '/** Sizes of a pool of streams. */',
        'export interface PoolOptions {',
        '  bare?: number;',
        '  /** Places of the pool. */\n  places?: number;',
        '  /** Places of the pool. */\n  size: number;',
        '  /** Places of the pool, default 3. */\n  good?: number;',
        '  /** Places; required. */\n  best: number;',
        '}',
      ].join('\n'),
    );
    const found = publicApi({ one: 'src/index.ts' }, folder, 'tsconfig.json');
    expect(undocumentedNames(found)).toEqual(['src/index.ts Bare: no docstring', 'src/index.ts StreamId: Stream id.']);
    expect(found.filter(({ isClass }) => isClass).flatMap(undocumentedMembers)).toEqual(['src/index.ts Kept.bare']);
    expect(undocumentedFields(found)).toEqual([
      'src/index.ts PoolOptions.bare no docstring',
      'src/index.ts PoolOptions.places names no default: Places of the pool.',
      'src/index.ts PoolOptions.size does not say that it is required: Places of the pool.',
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
