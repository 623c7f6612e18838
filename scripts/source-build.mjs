/**
 * Writes dist/source-build: what the package needs on a machine that compiles the addon, beside native/ and CMakeLists.txt.
 *
 *     binding.gyp               for node-gyp; in the root of the package npm 12 and Yarn would take it for an install script
 *     node-addon-api/           headers, with their licence
 *     node-api-headers/include  the headers of Node-API for CMake, with their licence
 *
 * So that no program that has a binary downloads what only a compiler reads.
 */
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const folder = path.join(root, 'dist/source-build');
const packages = path.join(root, 'node_modules');

rmSync(folder, { recursive: true, force: true });
copyHeaders('node-addon-api', '.', 'LICENSE.md');
copyHeaders('node-api-headers', 'include', 'LICENSE');
writeFileSync(path.join(folder, 'binding.gyp'), `${JSON.stringify(packagedGyp(), null, 2)}\n`);

function copyHeaders(name, place, licence) {
  const headers = readdirSync(path.join(packages, name, place)).filter((file) => file.endsWith('.h'));
  mkdirSync(path.join(folder, name, place), { recursive: true });
  for (const file of headers) cpSync(path.join(packages, name, place, file), path.join(folder, name, place, file));
  copyFileSync(path.join(packages, name, licence), path.join(folder, name, licence));
}

/** The binding.gyp of the repository, with its lists written out and its paths seen from this folder. */
function packagedGyp() {
  const { variables } = JSON.parse(readFileSync(path.join(root, 'native/sources.gypi'), 'utf8'));
  const { targets } = JSON.parse(readFileSync(path.join(root, 'binding.gyp'), 'utf8'), (_, value) =>
    Array.isArray(value) ? value.flatMap((one) => listed(one, variables)) : value,
  );
  for (const target of targets) {
    target.sources = target.sources.map((source) => `../../${source}`);
    target.include_dirs = ['../../native', 'node-addon-api'];
  }
  return { targets };
}

function listed(value, variables) {
  const [, name] = /^<@\((\w+)\)$/.exec(value) ?? [];
  return name === undefined ? [value] : variables[name];
}
