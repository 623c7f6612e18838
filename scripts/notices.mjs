/**
 * Writes THIRD_PARTY_NOTICES.md: the licence of everything in the package that others wrote. What is bundled is asked of the
 * bundler; test/package/notices.test.ts compares the file with what this makes.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundledPackages } from './build/bundle.mjs';

const root = path.dirname(import.meta.dirname);

/** Copied into the package as they are. */
const copied = {
  uplot: 'the page of the bridge (dist/core/page/uplot)',
  'node-addon-api': 'headers for a build from source (dist/source-build), and the binaries in prebuilds/',
  'node-api-headers': 'headers for a build from source (dist/source-build)',
};

/** Run-time code that compilers link into the binaries, with its licence in scripts/licences. */
const linked = [
  ['LLVM: libc++, libc++abi, libunwind, compiler-rt', 'llvm', 'binaries of prebuilds/ that clang built'],
  ['musl libc', 'musl', 'start-up code in the linux binaries for musl'],
  ['MinGW-w64 runtime', 'mingw-w64', 'start-up code and import libraries in the win32 binaries'],
];

export async function notices() {
  const bundled = (await bundledPackages(root)).map((name) => [name, 'bundled into dist/core']);
  const packages = [...bundled, ...Object.entries(copied)].map(([name, where]) => {
    const folder = path.join(root, 'node_modules', name);
    const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const licence = readdirSync(folder).find((file) => /^licen[cs]e(\.md|\.txt)?$/i.test(file));
    if (licence === undefined) throw new Error(`Expected a file with the licence of ${name} in its package`);
    return section(`${name} ${version}`, where, path.join(folder, licence));
  });
  const runtimes = linked.map(([name, file, where]) =>
    section(name, where, path.join(root, `scripts/licences/${file}.txt`)),
  );
  return [
    '# Third-party notices\n\nThe npm package `dtesn` holds code of others under these licences. `node scripts/notices.mjs` writes this page.\n',
    ...packages,
    ...runtimes,
  ].join('\n');
}

function section(name, where, file) {
  const text = readFileSync(file, 'utf8').replace(/\r\n/g, '\n').trim();
  return `## ${name}\n\nWhere: ${where}.\n\n\`\`\`text\n${text}\n\`\`\`\n`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(path.join(root, 'THIRD_PARTY_NOTICES.md'), await notices());
}
