/**
 * The public API as the TypeScript compiler sees it: what each entry point exports, its docstring, and the fields of its options.
 *
 * TypeScript 7 is native: its API of JavaScript is `typescript/unstable/sync`, which asks the compiler's own process.
 */
import path from 'node:path';
import { type ClassDeclaration, SyntaxKind } from 'typescript/unstable/ast';
import {
  API,
  type Checker,
  type Symbol as Declared,
  type Project,
  SymbolFlags,
  type Type,
} from 'typescript/unstable/sync';
import { entryPoints } from '../../scripts/build/entries.mjs';

const root = path.resolve(import.meta.dirname, '../..');

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
  isClass: boolean;
  /**
   * Of interfaces, classes and unions of them: public properties that this package declares, also inherited ones, as the
   * declarations of dist have them. A member of a class has the docstring of the interface that it implements.
   */
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
    const reader = new Reader(opened, folder);
    return Object.entries(entries).flatMap(([entry, file]) => {
      const source = program.getSourceFile(path.join(folder, file));
      const module = source && checker.getSymbolAtLocation(source);
      if (module === undefined) throw new Error(`no module ${file} in ${project}`);
      return checker.getExportsOfModule(module).map((name) => reader.described(entry, name));
    });
  } finally {
    api.close();
  }
}

class Reader {
  readonly #project: Project;
  readonly #checker: Checker;
  readonly #folder: string;

  constructor(project: Project, folder: string) {
    this.#project = project;
    this.#checker = project.checker;
    this.#folder = folder;
  }

  described(entry: string, exported: Declared): PublicName {
    const symbol = exported.flags & SymbolFlags.Alias ? this.#checker.getAliasedSymbol(exported) : exported;
    return {
      name: exported.name,
      entry,
      file: this.#fileOf(symbol),
      doc: this.#docOf(symbol),
      isValue: (symbol.flags & SymbolFlags.Value) !== 0,
      isClass: (symbol.flags & SymbolFlags.Class) !== 0,
      fields: this.#fieldsOf(symbol),
    };
  }

  #docOf(symbol: Declared): string {
    return this.#checker.getDocumentationCommentOfSymbol(symbol).replace(/\s+/g, ' ').trim();
  }

  #fileOf(symbol: Declared): string {
    return path.relative(this.#folder, symbol.declarations[0]?.path ?? '');
  }

  #fieldsOf(symbol: Declared): PublicField[] {
    if ((symbol.flags & (SymbolFlags.Interface | SymbolFlags.TypeAlias | SymbolFlags.Class)) === 0) return [];
    const declared = this.#checker.getDeclaredTypeOfSymbol(symbol);
    const parts: readonly Type[] = declared.isUnionType() ? (declared.getTypes() ?? []) : [declared];
    const implemented = symbol.flags & SymbolFlags.Class ? this.#implementedBy(symbol) : [];
    const properties = parts
      .filter((part) => part.isObjectType() || part.isIntersectionType())
      .flatMap((part) => this.#checker.getPropertiesOfType(part))
      .filter((property) => /^src\//.test(this.#fileOf(property)) && this.#isPublic(property));
    return [...new Map(properties.map((property) => [property.id, property])).values()].map((property) => ({
      name: property.name,
      optional: (property.flags & SymbolFlags.Optional) !== 0,
      doc: this.#docOf(property) || this.#inheritedDoc(implemented, property.name),
    }));
  }

  /** Without a symbol as its name (Symbol.asyncDispose), `private`, `protected` and `@internal`. */
  #isPublic(property: Declared): boolean {
    if (/^(#|__)/.test(property.name)) return false;
    if (this.#checker.getJsDocTagsOfSymbol(property).some(({ name }) => name === 'internal')) return false;
    const node = property.declarations[0]?.resolve(this.#project) as Partial<ClassDeclaration> | undefined;
    const hidden = [SyntaxKind.PrivateKeyword, SyntaxKind.ProtectedKeyword];
    return !(node?.modifiers ?? []).some(({ kind }) => hidden.includes(kind));
  }

  /** The interfaces that a class and the classes above it implement. */
  #implementedBy(symbol: Declared): Type[] {
    const node = symbol.declarations[0]?.resolve(this.#project) as Partial<ClassDeclaration> | undefined;
    const types = (node?.heritageClauses ?? []).flatMap(({ types }) =>
      [...types].flatMap((one) => this.#checker.getTypeAtLocation(one) ?? []),
    );
    return types.flatMap((type) => {
      const above = type.getSymbol();
      return above && above.flags & SymbolFlags.Class ? this.#implementedBy(above) : [type];
    });
  }

  #inheritedDoc(implemented: readonly Type[], name: string): string {
    for (const type of implemented) {
      const property = this.#checker.getPropertyOfType(type, name);
      if (property !== undefined) return this.#docOf(property);
    }
    return '';
  }
}
