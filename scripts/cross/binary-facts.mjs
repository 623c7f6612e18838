/** What a binary of any platform asks of its system and offers to it, as LLVM's tools read it. */
import { execFileSync } from 'node:child_process';

const MIB = 64 * 1024 * 1024;
const read = (tool, ...args) => execFileSync(tool, args, { encoding: 'utf8', maxBuffer: MIB });

/**
 * libraries: those it names; versions: the newest of each symbol version, [['GLIBC', '2.17'], ...]; exports: names of its own;
 * minimumSystem: of macOS; ownName: the install name (macOS); isSigned: has a code signature (macOS).
 */
export function factsOf(file) {
  const format = /Format: (\S+)/.exec(read('llvm-readobj', file))[1];
  if (format.startsWith('elf')) return elfFacts(file);
  if (format.startsWith('COFF')) return coffFacts(file);
  return machoFacts(file);
}

function elfFacts(file) {
  const libraries = listed(read('llvm-readobj', '--needed-libs', file), 'NeededLibraries');
  const newest = new Map();
  const references = read('llvm-objdump', '-p', file).split('Version References:')[1] ?? '';
  for (const [, name, version] of references.matchAll(/ ([A-Z]+)_([\d.]+)$/gm)) {
    if (compare(version, newest.get(name) ?? '0') > 0) newest.set(name, version);
  }
  const symbols = read('llvm-nm', '-D', '--defined-only', '--extern-only', file);
  return { libraries, versions: [...newest], exports: lastWords(symbols) };
}

function coffFacts(file) {
  const libraries = Array.from(
    read('llvm-readobj', '--coff-imports', file).matchAll(/^ {2}Name: (\S+)$/gm),
    ([, name]) => name,
  );
  const exported = read('llvm-readobj', '--coff-exports', file);
  return { libraries, versions: [], exports: Array.from(exported.matchAll(/^ {2}Name: (\S+)$/gm), ([, name]) => name) };
}

function machoFacts(file) {
  const commands = read('llvm-objdump', '--macho', '--private-headers', file);
  const libraries = Array.from(commands.matchAll(/cmd LC_LOAD_DYLIB\n.*\n\s+name (\S+)/g), ([, name]) => name);
  const minimumSystem = /(?:minos|LC_VERSION_MIN_MACOSX\n.*\n\s+version) ([\d.]+)/.exec(commands)?.[1] ?? null;
  const ownName = /cmd LC_ID_DYLIB\n.*\n\s+name (\S+)/.exec(commands)?.[1] ?? null;
  const symbols = read('llvm-nm', '--defined-only', '--extern-only', file);
  const exports = lastWords(symbols).map((name) => name.replace(/^_/, ''));
  return { libraries, versions: [], exports, minimumSystem, ownName, isSigned: commands.includes('LC_CODE_SIGNATURE') };
}

/** The lines of `name [ ... ]`. */
function listed(text, name) {
  const [, inside = ''] = new RegExp(`${name} \\[\\n([^\\]]*)\\]`).exec(text) ?? [];
  return inside.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
}

const lastWords = (text) =>
  text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim().split(/\s+/).at(-1)]));

/** Below 0 where version a is older than b. */
export function compare(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
