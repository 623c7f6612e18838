/**
 * The folder of this package, for what is read from it at run time: the binary, the version, the build of the addon.
 *
 * It is the nearest folder above this code whose package.json is of dtesn. There is none where a bundler has copied the code
 * into a file of another package.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DtesnError } from '../errors/index.js';

let found: { root: string; version: string } | undefined;

/** Errors: DtesnError ERR_DTESN_BUNDLED where this code is not in its package. */
export function packageRoot(): string {
  found ??= search(ownFolder());
  return found.root;
}

/** Errors: those of packageRoot. */
export function packageVersion(): string {
  found ??= search(ownFolder());
  return found.version;
}

/** Where a bundler has changed the kind of the module, its folder is not known: the search begins where the program was started. */
function ownFolder(): string {
  try {
    return (import.meta as { dirname?: string }).dirname ?? process.cwd();
  } catch {
    return process.cwd();
  }
}

function search(start: string): { root: string; version: string } {
  for (let folder = start; ; folder = path.dirname(folder)) {
    const { name, version } = readManifest(path.join(folder, 'package.json'));
    if (name === 'dtesn' && version !== undefined) return { root: folder, version };
    if (folder === path.dirname(folder)) break;
  }
  throw new DtesnError(
    'ERR_DTESN_BUNDLED',
    `Expected the code of dtesn in its package but it runs from ${start}, where its binary and its files cannot be found; ` +
      'mark dtesn external in your bundler',
  );
}

function readManifest(file: string): { name?: string; version?: string } {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
  } catch {
    return {}; // no manifest here: the search goes on above
  }
}
