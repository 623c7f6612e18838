/** Bundles parts.ts from the sources, so that the lab runs what is in src/ and the package need not export it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

export async function loadParts() {
  const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-lab-'));
  try {
    const build = await rolldown({
      input: path.join(import.meta.dirname, 'parts.ts'),
      platform: 'node',
      resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    });
    const file = path.join(folder, 'parts.mjs');
    await build.write({ file, format: 'esm' });
    await build.close();
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const parts = await loadParts();
