/**
 * The declarations of the entry points in dist: every type that a public declaration names is exported too, so that a
 * program can name what it gets and gives.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const dist = path.resolve(import.meta.dirname, '../../dist');
const core = path.join(dist, 'core');

interface Module {
  /** Text of each declaration at the top of the file, comments and strings left out, by its name. */
  declared: Map<string, string>;
  /** Where a name that this file imports comes from: a file and the name there. */
  imported: Map<string, { file: string; name: string }>;
  /** Names that this file exports, by the names that they have inside. */
  exported: Map<string, string>;
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
  const module: Module = { declared: new Map(), imported: new Map(), exported: new Map() };
  for (const [, list = '', from = ''] of text.matchAll(/^import \{([^}]*)\} from "(\.[^"]*)";/gm)) {
    const target = path.resolve(path.dirname(file), from.replace(/\.js$/, '.d.ts'));
    for (const [name, local] of entriesOf(list)) module.imported.set(local, { file: target, name });
  }
  for (const [, list = ''] of text.matchAll(/^export \{([^}]*)\};/gm)) {
    for (const [local, name] of entriesOf(list)) module.exported.set(name, local);
  }
  const start = /^(?:declare )?(?:abstract )?(?:class|interface|type|function|const) ([\w$]+)|^(?:import|export) /gm;
  const starts = [...text.matchAll(start)];
  starts.forEach(({ 1: name, index }, i) => {
    if (name === undefined) return;
    const next = starts[i + 1]?.index ?? text.length;
    module.declared.set(name, `${module.declared.get(name) ?? ''}${text.slice(index, next)}`);
  });
  return module;
}

/** The pairs of `a, type b as c`: [a, a], [b, c]. */
function entriesOf(list: string): [string, string][] {
  const entries = list.split(',').map((entry) => entry.trim().replace(/^type /, ''));
  return entries.filter(Boolean).map((entry) => {
    const [name = '', local = name] = entry.split(' as ');
    return [name, local];
  });
}

/** The place where a name of a file is declared: 'index.d.ts DtesnErrorCode'. */
function placeOf(file: string, name: string): string | null {
  const { declared, imported } = moduleOf(file);
  if (declared.has(name)) return `${path.relative(core, file)} ${name}`;
  const target = imported.get(name);
  return target === undefined ? null : placeOf(target.file, moduleOf(target.file).exported.get(target.name) ?? '');
}

/** Types that a declaration names; what is private is not said. */
function namedIn(declaration: string): string[] {
  const said = declaration.replace(/^\s*(?:private|#private).*$/gm, '');
  return [...new Set(said.match(/(?<![.\w])[A-Z][\w$]*/g))];
}

/** Made of the interfaces above them. */
const unionOrPick = new Set([
  'ReservoirOptions',
  'Es2nOptions',
  'EuSnOptions',
  'AphroditeEngineOptions',
  'ModelOptions',
]);

/** Written out of Node's own types (scripts/build/node-types), which a program names by Node's modules. */
const ofNode = new Set(['EventEmitter']);

/** What an entry point exports: its name by the place where it is declared. */
function exportsOf(entry: string): Map<string | null, string> {
  const file = path.join(core, entry);
  return new Map([...moduleOf(file).exported].map(([name, local]) => [placeOf(file, local), name]));
}

const entries = ['index.d.ts', 'engine.d.ts', 'simulator.d.ts'];
const exported = exportsOf('index.d.ts');

test.each(entries)('%s exports what its declarations say', (entry) => {
  expect(exportsOf(entry).size).toBeGreaterThan(10);
  expect(exportsOf(entry).get(null)).toBeUndefined();
});

test.each(entries)('every type that a declaration exported by %s names is exported there too', (entry) => {
  const missing = new Set<string>();
  const known = exportsOf(entry);
  for (const [place] of known) {
    const [relative = '', name = ''] = place!.split(' ');
    const file = path.join(core, relative);
    for (const used of namedIn(moduleOf(file).declared.get(name)!)) {
      const at = ofNode.has(used) ? null : placeOf(file, used);
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
    const text = readFileSync(path.join(core, relative), 'utf8');
    const found = new RegExp(`^interface ${declared}\\b[^{]*\\{(?:\\}|\\n([\\s\\S]*?)^\\})`, 'm').exec(text);
    const body = found?.[1];
    if (found === null) bare.push(name);
    const lines = (body ?? '').split('\n');
    lines.forEach((line, i) => {
      const field = /^ {2}(\w+)\??:/.exec(line)?.[1];
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
  const declarations = readdirSync(dist).filter((name) => name.endsWith('.d.ts'));
  const files = [...declarations.map((name) => `dist/${name}`), 'test/types/options.ts', 'test/types/published.ts'];
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, ...strict, ...target, ...files], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(stdout.split('\n').filter((line) => /^(dist|src|test|error)/.test(line))).toEqual([]);
  // A compiler of its own, which a busy machine makes slow.
}, 180_000);
