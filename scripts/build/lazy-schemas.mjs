/**
 * A plugin of the bundler: zod schemas at the top of a module are built when they are first used.
 *
 *     const optionsSchema = z.object({ ... });                   // the source
 *     checkOptions(optionsSchema, options, 'Reservoir');
 *
 *     const optionsSchema = lazy(() => z.object({ ... }));       // the bundle
 *     checkOptions(optionsSchema(), options, 'Reservoir');
 *
 * Some 250 schemas would else be built by every `import 'dtesn'`: a third of its time and of its memory. A constant is lazy where
 * it is set to a call of `z`, to a method of another schema, or to an object of such calls; its uses are found in its module and,
 * along imports and exports, in others. test/package/schemas.test.ts compares what the bundle and the sources say.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from 'rolldown/experimental';

const runtime = path.join(import.meta.dirname, 'lazy.js');

export function lazySchemas() {
  const modules = new Map();
  const moduleOf = (file, code) => {
    if (!modules.has(file)) modules.set(file, read(file, code ?? readFileSync(file, 'utf8')));
    return modules.get(file);
  };
  /** Whether a module exports a lazy constant under a name. */
  const exportsLazy = (file, name) => {
    const { lazy, imported, reexports, wholes } = moduleOf(file);
    if (lazy.has(name)) return true;
    const from = reexports.get(name) ?? imported.get(name);
    if (from !== undefined) return exportsLazy(from.file, from.name);
    return wholes.some((whole) => exportsLazy(whole, name));
  };
  return {
    name: 'lazy-schemas',
    transform: {
      filter: { id: /[\\/]src[\\/].*\.ts$/ },
      handler(code, id) {
        const { program, lazy, imported } = moduleOf(id, code);
        const names = new Set(lazy.keys());
        for (const [local, { file, name }] of imported) if (exportsLazy(file, name)) names.add(local);
        if (names.size === 0) return null;
        const edits = [...lazy.values()].flatMap(({ start, end }) => [
          { at: start, text: 'lazy(() => (' },
          { at: end, text: '))' },
        ]);
        visitNames(program, new Set(lazy.values()), {
          use: ({ name, end }, isShorthand) => {
            if (names.has(name)) edits.push({ at: end, text: isShorthand ? `: ${name}()` : '()' });
          },
          bind: ({ name }) => {
            if (names.has(name))
              throw new Error(`${id} binds ${name} again: an imported schema needs a name of its own`);
          },
        });
        edits.sort((a, b) => b.at - a.at);
        let changed = code;
        for (const { at, text } of edits) changed = changed.slice(0, at) + text + changed.slice(at);
        return { code: `import { lazy } from ${JSON.stringify(runtime)};\n${changed}`, map: null };
      },
    },
  };
}

/** What a module imports, exports again and sets to schemas, by their names. */
function read(file, code) {
  const { program } = parseSync(file, code);
  const module = { program, lazy: new Map(), imported: new Map(), reexports: new Map(), wholes: [] };
  const beside = ({ value }) => path.resolve(path.dirname(file), value.replace(/\.js$/, '.ts'));
  const isSource = (source) => source?.value.startsWith('.') && source.value.endsWith('.js');
  for (const statement of program.body) {
    const { type, source, specifiers = [] } = statement;
    if (type === 'ImportDeclaration' && isSource(source)) {
      for (const { local, imported } of specifiers) {
        if (imported === undefined) throw new Error(`Expected named imports in ${file}`);
        module.imported.set(local.name, { file: beside(source), name: imported.name });
      }
    } else if (type === 'ExportAllDeclaration' && isSource(source)) {
      module.wholes.push(beside(source));
    } else if (type === 'ExportNamedDeclaration' && isSource(source)) {
      for (const { local, exported } of specifiers) {
        module.reexports.set(exported.name, { file: beside(source), name: local.name });
      }
    }
    const declared = type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (declared?.type !== 'VariableDeclaration' || declared.kind !== 'const') continue;
    for (const { id, init } of declared.declarations) {
      if (init !== null && buildsSchemas(init)) module.lazy.set(id.name, init);
    }
  }
  // A name that an inner scope binds too would need a look at scopes: its constant is built at once.
  visitNames(program, new Set(module.lazy.values()), { use: () => {}, bind: ({ name }) => module.lazy.delete(name) });
  return module;
}

function buildsSchemas(expression) {
  const { type } = expression;
  if (type === 'TSAsExpression' || type === 'TSSatisfiesExpression') return buildsSchemas(expression.expression);
  if (type === 'ObjectExpression') {
    return expression.properties.some(({ value }) => value !== undefined && buildsSchemas(value));
  }
  if (type !== 'CallExpression') return false;
  let origin = expression;
  while (origin.type === 'CallExpression' || origin.type === 'MemberExpression')
    origin = origin.callee ?? origin.object;
  return origin.type === 'Identifier' && (origin.name === 'z' || origin.name.endsWith('Schema'));
}

/** Parts of a node that name types, members or bindings: no values. */
const notValues = {
  ImportDeclaration: () => [],
  MetaProperty: () => [],
  ExportAllDeclaration: () => [],
  ExportSpecifier: () => [],
  MemberExpression: ({ object, property, computed }) => (computed ? [object, property] : [object]),
  PropertyDefinition: ({ key, value, computed }) => (computed ? [key, value] : [value]),
  MethodDefinition: ({ key, value, computed }) => (computed ? [key, value] : [value]),
};

/**
 * Visits the identifiers of a module that are values or bindings: `use(identifier, isShorthand)`, `bind(identifier)`; those at the
 * top that are set to `own` expressions are neither.
 */
function visitNames(program, own, { use, bind }) {
  const visit = (node, isBinding = false) => {
    if (node === null || typeof node !== 'object') return;
    if (Array.isArray(node)) {
      for (const one of node) visit(one, isBinding);
      return;
    }
    const { type } = node;
    if (type === undefined || (type.startsWith('TS') && node.expression === undefined)) return;
    if (type === 'Identifier') (isBinding ? bind : use)(node, false);
    else if (type === 'Property') {
      if (node.computed) visit(node.key);
      if (node.shorthand && !isBinding) use(node.key, true);
      else visit(node.value, isBinding);
    } else if (type === 'VariableDeclarator') {
      if (!own.has(node.init)) visit(node.id, true);
      visit(node.init);
    } else if (type === 'AssignmentPattern') {
      visit(node.left, isBinding);
      visit(node.right);
    } else if (type.startsWith('TS')) visit(node.expression);
    else if (notValues[type] !== undefined) visit(notValues[type](node));
    else {
      const isFunction = /^(Function|ArrowFunction)/.test(type);
      for (const [key, value] of Object.entries(node)) visit(value, isBinding || (isFunction && key === 'params'));
    }
  };
  visit(program);
}
