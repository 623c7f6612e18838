/**
 * Finds the binary: build/Release (a source build) first, then prebuilds/<platform>-<arch>/ (shipped in the package).
 *
 * Errors: DtesnError ERR_DTESN_BINARY names the platform, the paths tried and the command that builds from source;
 * ERR_DTESN_BINARY_LOAD names the file and the reason that it failed to load, which is also the cause; ERR_DTESN_BUNDLED where a
 * bundler has taken this code out of its package.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { DtesnError } from '../errors/index.js';
import type { Addon } from './contract.js';
import { packageRoot } from './package-root.js';

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

function findBinary(directory: string): string {
  try {
    const { resolve } = createRequire(path.join(packageRoot(), 'package.json'))('node-gyp-build') as NodeGypBuild;
    return resolve(directory);
  } catch (cause) {
    const { platform, arch, version, versions } = process;
    throw new DtesnError(
      'ERR_DTESN_BINARY',
      `Expected a binary for ${platform}-${arch} (Node ${version}, Node-API ${versions['napi']}) in build/Release or ` +
        `prebuilds/${platform}-${arch} of ${directory} but found none; build it with: npx dtesn build`,
      { cause },
    );
  }
}

interface NodeGypBuild {
  resolve(directory: string): string;
}
