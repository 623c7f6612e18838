/** Checks the C++ against .clang-format where clang-format is installed; says so where it is not. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
if (spawnSync('clang-format', ['--version'], { stdio: 'ignore' }).status !== 0) {
  console.log('clang-format is not installed: C++ format not checked');
  process.exit(0);
}
const files = readdirSync(path.join(root, 'native'), { recursive: true })
  .filter((name) => /\.(cc|h|inl)$/.test(name))
  .map((name) => path.join('native', name));
const { status } = spawnSync('clang-format', ['--dry-run', '--Werror', ...files], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
