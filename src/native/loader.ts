/**
 * Finds the binary: build/Release (a source build) first, then prebuilds/<platform>-<arch>/ (shipped in the package).
 * The error names the platform, what was tried and the command that builds from source; a failed dlopen is its cause.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DtesnError } from '../errors/index.js';
import type { Addon } from './contract.js';

const packageRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

interface NodeGypBuild {
  (directory: string): Addon;
  resolve(directory: string): string;
}

export interface LoadedAddon {
  addon: Addon;
  path: string;
}

export function loadAddon(directory: string = packageRoot): LoadedAddon {
  const load = createRequire(import.meta.url)('node-gyp-build') as NodeGypBuild;
  try {
    return { addon: load(directory), path: load.resolve(directory) };
  } catch (cause) {
    const platform = `${process.platform}-${process.arch} (Node ${process.version}, Node-API ${process.versions['napi']})`;
    throw new DtesnError(
      'ERR_DTESN_BINARY',
      `Expected a binary for ${platform} but none could be loaded from build/Release or prebuilds/${process.platform}-${process.arch} in ${directory}; build it with: npx dtesn build`,
      { cause },
    );
  }
}
