/**
 * Who may open a Unix socket: those whom the mode of its path lets write.
 *
 * A socket that is handed over as a descriptor, such as systemd's, was bound by another process with a mode of its choice (systemd's
 * own default is 0666). A descriptor has no path: /proc/net/unix has it beside the inode. A socket whose path cannot be examined
 * is taken as open to all: an abstract one has no permissions, one of another network namespace stands in no list.
 */
import { fstatSync, readFileSync, statSync } from 'node:fs';

const writableByOthers = 0o002;

/** Whether every user may open the socket of a path, or of a descriptor. */
export function isOpenToAll(socket: string | number): boolean {
  try {
    const path = typeof socket === 'string' ? socket : pathOf(socket);
    return path === null || (statSync(path).mode & writableByOthers) !== 0;
  } catch {
    return true;
  }
}

/** The absolute path that the socket of a descriptor is bound to; null where it has none. */
function pathOf(fd: number): string | null {
  const inode = String(fstatSync(fd).ino);
  for (const line of readFileSync('/proc/net/unix', 'utf8').split('\n')) {
    const [, found, path] = /^\S+: \S+ \S+ \S+ \S+ \S+ +(\d+) (\/.*)$/.exec(line) ?? [];
    if (found === inode) return path!;
  }
  return null;
}
