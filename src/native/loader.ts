/**
 * Finds the binary: build/Release (a source build) first, then prebuilds/<platform>-<arch>/ (shipped in the package).
 *
 * Errors: DtesnError ERR_DTESN_BINARY names the platform, the paths tried and the command that builds from source, or says that the
 * code was bundled away from its package;
 * ERR_DTESN_BINARY_LOAD names the file and the reason that it failed to load, which is also the cause.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DtesnError } from '../errors/index.js';
import type { Addon } from './contract.js';

export interface LoadedAddon {
  addon: Addon;
  path: string;
}

export function loadAddon(directory: string = packageRoot()): LoadedAddon {
  const file = findBinary(directory);
  try {
    return { addon: createRequire(file)(file) as Addon, path: file };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DtesnError('ERR_DTESN_BINARY_LOAD', `${file} exists but failed to load: ${reason}`, { cause });
  }
}

/** Undefined where a bundler wrote CommonJS. */
const ownUrl = (import.meta as { url?: string }).url;

/** Two folders above this file, in the package. */
function packageRoot(): string {
  return ownUrl === undefined ? process.cwd() : path.resolve(path.dirname(fileURLToPath(ownUrl)), '../..');
}

function findBinary(directory: string): string {
  try {
    const { resolve } = createRequire(ownUrl ?? path.join(directory, 'package.json'))('node-gyp-build') as NodeGypBuild;
    return resolve(directory);
  } catch (cause) {
    throw new DtesnError('ERR_DTESN_BINARY', isPackage(directory) ? missing(directory) : bundled(directory), { cause });
  }
}

interface NodeGypBuild {
  resolve(directory: string): string;
}

function missing(directory: string): string {
  const { platform, arch, version, versions } = process;
  return (
    `Expected a binary for ${platform}-${arch} (Node ${version}, Node-API ${versions['napi']}) in build/Release or ` +
    `prebuilds/${platform}-${arch} of ${directory} but found none; build it with: npx dtesn build`
  );
}

/** A bundler took this code out of its package and left the binary, which cannot stand in a script, behind. */
function bundled(directory: string): string {
  return (
    `Expected the package dtesn around its code but ${directory} is another folder: the code was bundled into one file, without the ` +
    'binary; mark dtesn external in the bundler (esbuild --external:dtesn) and install it beside the bundle'
  );
}

function isPackage(directory: string): boolean {
  try {
    const { name } = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8')) as { name?: unknown };
    return name === 'dtesn';
  } catch {
    return false;
  }
}
