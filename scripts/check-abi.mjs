/** Fails when the binary needs a newer glibc or libstdc++ than Node itself does: GLIBC 2.28, GLIBCXX 3.4.25. */
import { execFileSync } from 'node:child_process';

const floors = { GLIBC: [2, 28], GLIBCXX: [3, 4, 25], CXXABI: [1, 3, 11] };
const file = process.argv[2] ?? 'build/Release/dtesn.node';

const above = (version, floor) => {
  for (let i = 0; i < floor.length; i++) if ((version[i] ?? 0) !== floor[i]) return (version[i] ?? 0) > floor[i];
  return false;
};

const symbols = execFileSync('objdump', ['-T', file], { encoding: 'utf8' });
const wrong = new Set();
for (const [, line, name, version] of symbols.matchAll(/^(.*\(?(GLIBCXX|GLIBC|CXXABI)_([\d.]+)\)?.*)$/gm)) {
  if (above(version.split('.').map(Number), floors[name])) wrong.add(line.trim());
}
if (wrong.size > 0) {
  console.error(`${file} needs more than the floor:\n${[...wrong].join('\n')}`);
  process.exit(1);
}
console.log(`${file} is within GLIBC 2.28, GLIBCXX 3.4.25`);
