/**
 * The declarations of the package (dist/index.d.ts): every type that a public declaration names is exported too, so that a
 * program can name what it gets and gives.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const dist = path.resolve(import.meta.dirname, '../../dist');

interface Module {
  /** Text of each declaration at the top of the file, comments and strings left out, by its name. */
  declared: Map<string, string>;
  /** Where a name of this file comes from or goes to: its file and its name there. */
  names: Map<string, { file: string; name: string }>;
}

const modules = new Map<string, Module>();

function moduleOf(file: string): Module {
  let known = modules.get(file);
  if (known === undefined) {
    known = read(file);
    modules.set(file, known);
  }
  return known;
}

function read(file: string): Module {
  const text = readFileSync(file, 'utf8')
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    .replace(/(?<!from )(['"])(?:\\.|(?!\1).)*\1/g, "''");
  const module: Module = { declared: new Map(), names: new Map() };
  for (const [, list = '', from = ''] of text.matchAll(
    /^(?:import|export)(?: type)? \{([^}]*)\} from '(\.[^']*)';/gm,
  )) {
    const target = path.resolve(path.dirname(file), from.replace(/\.js$/, '.d.ts'));
    for (const entry of list
      .split(',')
      .map((one) => one.trim().replace(/^type /, ''))
      .filter(Boolean)) {
      const [name = '', local = name] = entry.split(' as ');
      module.names.set(local, { file: target, name });
    }
  }
  const start = /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|function|const) (\w+)/gm;
  const starts = [...text.matchAll(start)];
  starts.forEach(({ 1: name = '', index }, i) => {
    const next = starts[i + 1]?.index ?? text.length;
    module.declared.set(name, `${module.declared.get(name) ?? ''}${text.slice(index, next)}`);
  });
  return module;
}

/** The place where a name of a file is declared: 'errors/codes.d.ts DtesnErrorCode'. */
function placeOf(file: string, name: string): string | null {
  const { declared, names } = moduleOf(file);
  if (declared.has(name)) return `${path.relative(dist, file)} ${name}`;
  const target = names.get(name);
  return target === undefined ? null : placeOf(target.file, target.name);
}

/** Types, and values behind `typeof`, that a declaration names; what is private is not said. */
function namedIn(declaration: string): string[] {
  const said = declaration.replace(/^\s*(?:private|#private).*$/gm, '').replace(/^import[\s\S]*?;$/gm, '');
  const types = said.match(/(?<![.\w])[A-Z]\w*/g) ?? [];
  const values = [...said.matchAll(/\btypeof (\w+)/g)].map(([, name = '']) => name);
  return [...new Set([...types, ...values])];
}

const index = path.join(dist, 'index.d.ts');
const exported = new Map([...moduleOf(index).names.keys()].map((name) => [placeOf(index, name), name]));

test('the index exports what its declarations say', () => {
  expect(exported.size).toBeGreaterThan(100);
  expect([...exported.keys()]).not.toContain(null);
});

test('every type that an exported declaration names is exported too', () => {
  const missing = new Set<string>();
  for (const [place] of exported) {
    const [relative = '', name = ''] = place!.split(' ');
    const file = path.join(dist, relative);
    for (const used of namedIn(moduleOf(file).declared.get(name)!)) {
      const at = placeOf(file, used);
      if (at !== null && !exported.has(at)) missing.add(`${at}, named by ${name}`);
    }
  }
  expect([...missing].sort()).toEqual([]);
});
