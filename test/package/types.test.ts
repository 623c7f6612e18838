/**
 * The declarations of the entry points in dist: every type that a public declaration names is exported too, so that a
 * program can name what it gets and gives.
 */
import { spawnSync } from 'node:child_process';
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
  for (const [, from = ''] of text.matchAll(/^export \* from '(\.[^']*)';/gm)) {
    const target = path.resolve(path.dirname(file), from.replace(/\.js$/, '.d.ts'));
    for (const name of moduleOf(target).names.keys()) module.names.set(name, { file: target, name });
  }
  const start =
    /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|function|const) (\w+)|^(?:import|export) /gm;
  const starts = [...text.matchAll(start)];
  starts.forEach(({ 1: name, index }, i) => {
    if (name === undefined) return;
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

/** Types that a declaration names; what is private is not said. */
function namedIn(declaration: string): string[] {
  const said = declaration.replace(/^\s*(?:private|#private).*$/gm, '');
  return [...new Set(said.match(/(?<![.\w])[A-Z]\w*/g))];
}

/** Made of the interfaces above them. */
const unionOrPick = new Set([
  'ReservoirOptions',
  'Es2nOptions',
  'EuSnOptions',
  'AphroditeEngineOptions',
  'ModelOptions',
]);

/** What an entry point exports: its name by the place where it is declared. */
function exportsOf(entry: string): Map<string | null, string> {
  const file = path.join(dist, entry);
  return new Map([...moduleOf(file).names.keys()].map((name) => [placeOf(file, name), name]));
}

const entries = ['index.d.ts', 'entry-points/engine.d.ts', 'entry-points/simulator.d.ts'];
const exported = exportsOf('index.d.ts');

test.each(entries)('%s exports what its declarations say', (entry) => {
  expect(exportsOf(entry).size).toBeGreaterThan(10);
  expect([...exportsOf(entry).keys()]).not.toContain(null);
});

test.each(entries)('every type that a declaration exported by %s names is exported there too', (entry) => {
  const missing = new Set<string>();
  const known = exportsOf(entry);
  for (const [place] of known) {
    const [relative = '', name = ''] = place!.split(' ');
    const file = path.join(dist, relative);
    for (const used of namedIn(moduleOf(file).declared.get(name)!)) {
      const at = placeOf(file, used);
      if (at !== null && !known.has(at)) missing.add(`${at}, named by ${name}`);
    }
  }
  expect([...missing].sort()).toEqual([]);
});

test('options are interfaces, each field with a docstring, so that an editor shows them', () => {
  const bare: string[] = [];
  const described: string[] = [];
  for (const [place, name] of exported) {
    if (!name.endsWith('Options') || unionOrPick.has(name)) continue;
    const [relative = '', declared = ''] = place!.split(' ');
    const text = readFileSync(path.join(dist, relative), 'utf8');
    const body = new RegExp(`^(?:export )?interface ${declared}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(text)?.[1];
    if (body === undefined) bare.push(name);
    const lines = (body ?? '').split('\n');
    lines.forEach((line, i) => {
      const field = /^ {4}(\w+)\??:/.exec(line)?.[1];
      if (field === undefined) return;
      (lines[i - 1]?.endsWith('*/') ? described : bare).push(`${name}.${field}`);
    });
  }
  expect(described.length).toBeGreaterThan(100);
  expect(bare).toEqual([]);
});

// test/types/options.ts compares interfaces and schemas.
test('the declarations compile by themselves, and interfaces and schemas of options agree', () => {
  const root = path.resolve(dist, '..');
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--skipLibCheck', 'false'];
  const target = ['--noEmit', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--ignoreConfig'];
  const files = ['dist/index.d.ts', 'test/types/options.ts'];
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, ...strict, ...target, ...files], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(stdout.split('\n').filter((line) => /^(dist|src|test|error)/.test(line))).toEqual([]);
});
