/**
 * The JavaScript of the package: src/ and the packages that it bundles become CommonJS files in dist/core, which share chunks.
 * `require('dtesn')` loads them, and the ES modules beside them, dist/*.js, export what they export: one core in a process,
 * whichever way it is loaded. Functions and classes keep their names, for stack traces, and lines stay: Node prints the whole line that
 * threw before an error that is not caught.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { entries } from './entries.mjs';
import { lazySchemas } from './lazy-schemas.mjs';

/** Beside the entry points: the command, and the files of threads, which sources name by their own './NAME.js'. */
const programs = { main: 'src/cli/main.ts', 'journal-worker': 'src/bridge/journal/journal-worker.ts' };

/** Found at run time in node_modules. */
const external = ['node-gyp-build'];

export async function bundle(root) {
  await compile(root, { ...entries, ...programs }, path.join(root, 'dist/core'));
}

/** Bundles sources, by the names of their files, into a folder of CommonJS files: the core, or what a benchmark looks into. */
export async function compile(root, input, folder) {
  const build = await graphOf(root, input);
  await build.write({
    dir: folder,
    format: 'cjs',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    exports: 'named',
    esModule: false,
    comments: false,
    generatedCode: { symbols: false },
    minify: {
      compress: true,
      mangle: { toplevel: false, keepNames: { function: true, class: true } },
      codegen: { removeWhitespace: false },
    },
  });
  await build.close();
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "commonjs" }\n');
}

/** Names of the packages in the core. */
export async function bundledPackages(root) {
  const build = await graphOf(root, { ...entries, ...programs });
  const { output } = await build.generate({ format: 'cjs' });
  await build.close();
  const names = output
    .flatMap(({ moduleIds }) => moduleIds)
    .map((file) => /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(file)?.[1].replace('\\', '/'));
  return [...new Set(names.filter(Boolean))].sort();
}

function graphOf(root, input) {
  return rolldown({
    cwd: root,
    input,
    platform: 'node',
    external,
    plugins: [lazySchemas()],
    checks: { pluginTimings: false }, // a busy machine is no reason to fail
    onLog(level, log, handle) {
      if (level === 'warn') throw new Error(log.message);
      handle(level, log);
    },
  });
}

/** The ES modules over the core: dist/NAME.js for each entry point, dist/cli/main.js. */
export function writeFaces(root) {
  for (const name of Object.keys(entries)) writeModule(root, name);
  mkdirSync(path.join(root, 'dist/cli'));
  writeFileSync(path.join(root, 'dist/cli/main.js'), "#!/usr/bin/env node\nimport '../core/main.js';\n", {
    mode: 0o755,
  });
}

function writeModule(root, name) {
  const names = Object.keys(createRequire(import.meta.url)(path.join(root, `dist/core/${name}.js`)));
  const text = `import core from './core/${name}.js';\nexport const { ${names.sort().join(', ')} } = core;\n`;
  writeFileSync(path.join(root, `dist/${name}.js`), text);
}
