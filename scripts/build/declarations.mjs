/**
 * The declarations of the package: dist/core/*.d.ts, which a program that requires the package reads, and beside each ES module
 * of dist one that exports the same, so that a type is one type whichever way its package is loaded.
 *
 * They name no package, and compile without @types/node: what zod infers from a schema is written out, by the compiler's own
 * checker, node-types/ holds what is said of Node, and what no entry point reaches is left out.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { parseSync } from 'rolldown/experimental';
import { dts } from 'rolldown-plugin-dts';
import { API, NodeBuilderFlags } from 'typescript/unstable/sync';
import { entries } from './entries.mjs';

/** Modules of Node whose types are written out too. */
const nodeTypes = {
  'node:events': path.join(import.meta.dirname, 'node-types/events.d.ts'),
  'node:http': path.join(import.meta.dirname, 'node-types/http.d.ts'),
};

/** Where tsc writes a declaration for each source. */
const emitted = 'build/declarations';

export async function declarations(root) {
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
  const emitting = promisify(execFile)(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root });
  await emitting.catch(({ stdout }) => {
    throw new Error(stdout);
  });
  const written = writtenOut(root);
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries(
      Object.entries(entries).map(([name, source]) => [
        `${name}.d`,
        source.replace(/^src/, emitted).replace(/\.ts$/, '.d.ts'),
      ]),
    ),
    shimMissingExports: true, // node-types/ has what the entry points reach
    logLevel: 'silent', // each shim is a warning; errors are thrown
    external: (id) => /^[^./]/.test(id) && !(id in nodeTypes),
    plugins: [
      { name: 'node-types', resolveId: { order: 'pre', handler: (id) => nodeTypes[id] } },
      {
        name: 'inferred-types',
        transform: { filter: { code: /from 'zod'/ }, handler: (code, id) => written(id, code) },
      },
      dts({ dtsInput: true, sourcemap: false, emitDtsOnly: true }),
    ],
  });
  const names = { entryFileNames: '[name].ts', chunkFileNames: 'shared-[hash].d.ts' };
  const folder = path.join(root, 'dist/core');
  const { output } = await build.write({ dir: folder, format: 'es', ...names });
  await build.close();
  written.close();
  for (const { fileName, code } of output) checkPackages(folder, fileName, code);
  for (const name of Object.keys(entries)) {
    writeFileSync(path.join(root, `dist/${name}.d.ts`), `export * from './core/${name}.js';\n`);
  }
}

/**
 * A function that replaces the types of a declaration file that zod infers: `type X = z.infer<typeof xSchema>` by the type that
 * the compiler finds at that place of the source.
 */
function writtenOut(root) {
  const api = new API({ cwd: root });
  const config = path.join(root, 'tsconfig.build.json');
  const { checker, program } = api.updateSnapshot({ openProject: config }).getProjects()[0];
  const { NoTruncation, InTypeAlias, MultilineObjectLiterals, UseSingleQuotesForStringLiteralType } = NodeBuilderFlags;
  const style = NoTruncation | InTypeAlias | MultilineObjectLiterals | UseSingleQuotesForStringLiteralType;
  const replace = (id, code) => {
    const source = path.join(root, 'src', path.relative(path.join(root, emitted), id).replace(/\.d\.ts$/, '.ts'));
    const text = readFileSync(source, 'utf8');
    return code.replace(/^((?:export )?(?:declare )?type (\w+) = )[^;<]*\bz\.[^;]*;$/gm, (_, head, name) => {
      const place = text.search(new RegExp(`\\btype ${name} =`)) + 'type '.length;
      const type = checker.getTypeAtPosition(source, place);
      return `${head}${withoutConflicts(checker.typeToString(type, program.getSourceFile(source), style))};`;
    });
  };
  return Object.assign(replace, { close: () => api.close() });
}

/**
 * A type whose index signature does not hold for its named members, such as the five sources beside additional ones, can be
 * inferred but not declared: { a: A; [x: string]: X } becomes { a: A } & { [x: string]: X }.
 */
function withoutConflicts(type) {
  const text = `type T = ${type};`;
  const conflicting = [];
  const visit = (node) => {
    if (node === null || typeof node !== 'object') return;
    if (node.type === 'TSTypeLiteral' && node.members.length > 1 && node.members.some(isNarrowIndex))
      conflicting.push(node);
    for (const value of Object.values(node)) visit(value);
  };
  const render = (start, end) => {
    let rendered = '';
    let place = start;
    for (const literal of conflicting) {
      if (literal.start < place || literal.end > end || (literal.start === start && literal.end === end)) continue;
      rendered += text.slice(place, literal.start) + split(literal);
      place = literal.end;
    }
    return rendered + text.slice(place, end);
  };
  const split = ({ members }) => {
    const [index, named] = [true, false].map((wanted) =>
      members.filter((member) => isNarrowIndex(member) === wanted).map(({ start, end }) => render(start, end)),
    );
    return `({ ${named.join(' ')} } & { ${index.join(' ')} })`;
  };
  const { program } = parseSync('type.d.ts', text);
  visit(program);
  const { start, end } = program.body[0].typeAnnotation;
  return render(start - 1, end);
}

/** An index signature of something else than unknown, which holds for everything. */
const isNarrowIndex = ({ type, typeAnnotation }) =>
  type === 'TSIndexSignature' && typeAnnotation.typeAnnotation.type !== 'TSUnknownKeyword';

/** Rewrites a declaration file without the import of zod that nothing in it uses. Errors: Error where something does. */
function checkPackages(folder, fileName, code) {
  const plain = code.replace(/^import \{ z \} from "zod";\n/m, '');
  const foreign = [...plain.matchAll(/(?:from|import\() ?['"]([^.'"][^'"]*)['"]/g)].map(([, name]) => name);
  // The name of a chunk may end with "-z.js".
  const [use] = /^(?!\s*\*|\s*\/).*(?<![\w-])z\.\w+.*$/m.exec(plain) ?? [];
  if (foreign.length > 0 || use !== undefined) {
    throw new Error(`Expected declarations that name no package but ${fileName} has ${foreign.join(', ') || use}`);
  }
  writeFileSync(path.join(folder, fileName), `/// <reference lib="esnext.disposable" />\n${plain}`);
}
