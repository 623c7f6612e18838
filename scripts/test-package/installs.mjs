/** Rows of the package test: the tarball, installed by each package manager, computes the example of README. */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { environment, node, run, tool } from './tools.mjs';

/** Arguments after the tarball's path, and how the example is started where that is not by node alone. */
const managers = {
  'npm 11': { file: 'npm11/bin/npm-cli.js', args: ['install', '--no-audit', '--no-fund', './dtesn.tgz'] },
  'npm 12': { file: 'npm12/bin/npm-cli.js', args: ['install', '--no-audit', '--no-fund', './dtesn.tgz'] },
  pnpm: { file: 'pnpm/bin/pnpm.mjs', args: ['add', './dtesn.tgz'] },
  // Its cache knows a tarball by name and version alone, and would give that of an earlier run.
  'yarn 1': {
    file: 'yarn1/bin/yarn.js',
    args: ['add', 'file:./dtesn.tgz', '--no-lockfile', '--cache-folder', '.yarn'],
  },
  'yarn berry, PnP': { file: '@yarnpkg/cli-dist/bin/yarn.js', args: ['add', 'dtesn@file:./dtesn.tgz'], pnp: true },
  'yarn berry, node_modules': {
    file: '@yarnpkg/cli-dist/bin/yarn.js',
    args: ['add', 'dtesn@file:./dtesn.tgz'],
    linker: 'node-modules',
  },
  bun: { binary: 'bun/bin/bun.exe', args: ['add', './dtesn.tgz'] },
};

/** Pairs in place of the full product: each manager, each version of Node and both ways to load meet with and without a compiler. */
const pairs = [
  ['npm 11', 20, 'esm', false],
  ['npm 11', 22, 'cjs', true],
  ['npm 12', 24, 'esm', true],
  ['npm 12', 26, 'cjs', false],
  ['pnpm', 22, 'esm', false],
  ['pnpm', 24, 'cjs', true],
  ['yarn 1', 20, 'cjs', true],
  ['yarn 1', 26, 'esm', false],
  ['yarn berry, PnP', 22, 'cjs', false],
  ['yarn berry, PnP', 24, 'esm', true],
  ['yarn berry, node_modules', 26, 'cjs', true],
  ['bun', 20, 'cjs', false],
  ['bun', 24, 'esm', true],
];

export function installRows({ tarball, folder, example }) {
  const rows = pairs.map(([name, version, kind, hasCompiler]) => ({
    name: `${name}, Node ${version}, ${kind === 'esm' ? 'import' : 'require'}, ${hasCompiler ? 'a' : 'no'} compiler`,
    async check() {
      const cwd = path.join(folder, `${name}-${version}-${kind}`.replace(/\W+/g, '-'));
      await install(name, version, hasCompiler, cwd, tarball);
      const file = `example.${kind === 'esm' ? 'mjs' : 'cjs'}`;
      writeFileSync(path.join(cwd, file), kind === 'esm' ? example.code : asCommonJs(example.code));
      const env = environment(version, hasCompiler);
      const args = managers[name].pnp ? [tool(managers[name].file), 'node', file] : [file];
      expectOutput(await run(node(version), args, { cwd, env }), example.output);
    },
  }));
  return [...rows, missingBinaryRow({ tarball, folder, example })];
}

/** Makes a project and installs the tarball in it. */
export async function install(name, version, hasCompiler, cwd, tarball) {
  const { file, binary, args, linker } = managers[name];
  mkdirSync(cwd, { recursive: true });
  copyFileSync(tarball, path.join(cwd, 'dtesn.tgz'));
  writeFileSync(path.join(cwd, 'package.json'), '{ "name": "consumer", "version": "1.0.0", "private": true }\n');
  if (name.startsWith('yarn berry')) {
    writeFileSync(path.join(cwd, '.yarnrc.yml'), linker ? `nodeLinker: ${linker}\n` : '');
    writeFileSync(path.join(cwd, 'yarn.lock'), '');
  }
  const env = environment(version, hasCompiler);
  if (binary) await run(tool(binary), args, { cwd, env });
  else await run(node(version), [tool(file), ...args], { cwd, env });
}

/** Importing works on a platform without a binary; what computes says how to get one. */
function missingBinaryRow({ tarball, folder, example }) {
  return {
    name: 'no binary, no compiler: import works, the first use names the command',
    async check() {
      const cwd = path.join(folder, 'no-binary');
      await install('npm 11', 20, false, cwd, tarball);
      rmSync(path.join(cwd, 'node_modules/dtesn/prebuilds'), { recursive: true });
      writeFileSync(path.join(cwd, 'import.mjs'), "await import('dtesn'); console.log('imported');");
      writeFileSync(path.join(cwd, 'example.mjs'), example.code);
      const env = environment(20, false);
      expectOutput(await run(node(20), ['import.mjs'], { cwd, env }), 'imported\n');
      const failed = await run(node(20), ['example.mjs'], { cwd, env }).catch((error) => error);
      if (!(failed instanceof Error) || !/ERR_DTESN_BINARY.*npx dtesn build/s.test(failed.message)) {
        throw new Error(`Expected ERR_DTESN_BINARY with the command but it said ${failed.message ?? failed}`);
      }
    },
  };
}

export function asCommonJs(code) {
  return code.replace(/^import (\{[^}]*\}) from ('[^']*');/m, 'const $1 = require($2);');
}

export function expectOutput(printed, expected) {
  if (printed !== expected)
    throw new Error(`Expected ${JSON.stringify(expected)} but it printed ${JSON.stringify(printed)}`);
}
