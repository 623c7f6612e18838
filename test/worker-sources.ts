/**
 * Threads of TypeScript sources: where a source makes a Worker of the URL of a module beside it, './x-worker.js', Node finds no
 * such file, so './x-worker.ts' is bundled, and the URL of the bundle put there. Also bundles a script that a test runs in a
 * process of its own.
 */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'vite';

/** Inside node_modules, so that a bundle finds the packages that it imports. */
const folder = path.resolve(import.meta.dirname, `../node_modules/.cache/dtesn-bundles/${process.pid}`);
const bundles = new Map<string, Promise<string>>();

/** The path of a module that holds a TypeScript file and all that it imports, made once a process. */
export function bundle(entry: string): Promise<string> {
  const made = bundles.get(entry) ?? makeBundle(entry);
  bundles.set(entry, made);
  return made;
}

async function makeBundle(entry: string): Promise<string> {
  if (bundles.size === 0) process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(folder, { recursive: true });
  const name = `${path.basename(entry, '.ts')}.mjs`;
  await build({
    configFile: false,
    logLevel: 'error',
    plugins: [workerSources()],
    build: {
      ssr: entry,
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: name, chunkFileNames: `${name}-[hash].mjs` } },
    },
  });
  return path.join(folder, name);
}

export function workerSources(): Plugin {
  return {
    name: 'worker-sources',
    enforce: 'pre',
    async transform(code, id) {
      let changed = code;
      for (const [text, file = ''] of code.matchAll(
        /(?<=new Worker\()new URL\('(\.\/[\w-]+-worker)\.js', import\.meta\.url\)/g,
      )) {
        const address = pathToFileURL(await bundle(path.resolve(path.dirname(id), `${file}.ts`))).href;
        changed = changed.replace(text, `new URL(${JSON.stringify(address)})`);
      }
      return changed === code ? null : { code: changed, map: null };
    },
  };
}
