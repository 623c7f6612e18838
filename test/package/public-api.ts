/**
 * The public API as the TypeScript compiler sees it: what each entry point exports, its docstring, and the fields of its options.
 *
 * TypeScript 7 is native: its API of JavaScript is `typescript/unstable/sync`, which asks the compiler's own process.
 */
import path from 'node:path';
import { API, type Checker, type Symbol as Declared, SymbolFlags, type Type } from 'typescript/unstable/sync';

const root = path.resolve(import.meta.dirname, '../..');

/** The source of each entry point of package.json. */
export const entryPoints = {
  dtesn: 'src/index.ts',
  'dtesn/engine': 'src/entry-points/engine.ts',
  'dtesn/simulator': 'src/entry-points/simulator.ts',
  'dtesn/bridge': 'src/bridge/index.ts',
  'dtesn/bridge-client': 'src/bridge/client/index.ts',
} as const;

export interface PublicField {
  name: string;
  optional: boolean;
  /** The docstring without its tags; '' where there is none. */
  doc: string;
}

export interface PublicName {
  name: string;
  entry: string;
  /** Path of the file that declares it, in the repository. */
  file: string;
  doc: string;
  /** Whether it is a type alone, or also a value. */
  isValue: boolean;
  /** Of interfaces, classes and unions of them: properties that this package declares, also inherited ones. */
  fields: PublicField[];
}

/** Each name that an entry point exports. `project` is a tsconfig.json; `entries` are files of it by the entry point's name. */
export function publicApi(
  entries: Readonly<Record<string, string>> = entryPoints,
  folder: string = root,
  project = 'tsconfig.build.json',
): PublicName[] {
  const api = new API({ cwd: folder });
  try {
    const [opened] = api.updateSnapshot({ openProjects: [path.join(folder, project)] }).getProjects();
    if (opened === undefined) throw new Error(`no project ${project} in ${folder}`);
    const { checker, program } = opened;
    return Object.entries(entries).flatMap(([entry, file]) => {
      const source = program.getSourceFile(path.join(folder, file));
      const module = source && checker.getSymbolAtLocation(source);
      if (module === undefined) throw new Error(`no module ${file} in ${project}`);
      return checker.getExportsOfModule(module).map((name) => described(checker, folder, entry, name));
    });
  } finally {
    api.close();
  }
}

function described(checker: Checker, folder: string, entry: string, exported: Declared): PublicName {
  const symbol = exported.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  return {
    name: exported.name,
    entry,
    file: fileOf(symbol, folder),
    doc: docOf(checker, symbol),
    isValue: (symbol.flags & SymbolFlags.Value) !== 0,
    fields: fieldsOf(checker, folder, symbol),
  };
}

function docOf(checker: Checker, symbol: Declared): string {
  return checker.getDocumentationCommentOfSymbol(symbol).replace(/\s+/g, ' ').trim();
}

function fileOf(symbol: Declared, folder: string): string {
  return path.relative(folder, symbol.declarations[0]?.path ?? '');
}

function fieldsOf(checker: Checker, folder: string, symbol: Declared): PublicField[] {
  if ((symbol.flags & (SymbolFlags.Interface | SymbolFlags.TypeAlias | SymbolFlags.Class)) === 0) return [];
  const declared = checker.getDeclaredTypeOfSymbol(symbol);
  const parts: readonly Type[] = declared.isUnionType() ? (declared.getTypes() ?? []) : [declared];
  const properties = parts
    .filter((part) => part.isObjectType() || part.isIntersectionType())
    .flatMap((part) => checker.getPropertiesOfType(part))
    .filter((property) => /^src\//.test(fileOf(property, folder)));
  return [...new Map(properties.map((property) => [property.id, property])).values()].map((property) => ({
    name: property.name,
    optional: (property.flags & SymbolFlags.Optional) !== 0,
    doc: docOf(checker, property),
  }));
}
