/**
 * Calls of the operating system that Node does not have: the lock of a file, a notification to systemd, the limit of open
 * files, what malloc gives back.
 *
 * Errors: DtesnError ERR_DTESN_SYSTEM where a call fails, with the system's reason; TypeError ERR_DTESN_ARGUMENT.
 */
import { argumentError, DtesnError } from '../errors/index.js';
import { addon } from './addon.js';

/** A lock that this process holds. The kernel frees it when the process ends, also by SIGKILL. */
export interface FileLock {
  /** Empties the file and frees the lock; a second call has no effect. */
  release(): void;
}

export interface OpenFileLimit {
  /** What holds now; Infinity for no limit. */
  soft: number;
  /** What the process may raise it to. */
  hard: number;
}

/**
 * Takes the lock of a file and writes `text` into it, for those who find it locked; makes the file with mode 0600 where
 * there is none; an empty text needs no room on the disk. Returns null where another process, or another lock of this one, holds it. Never waits.
 *
 * flock on POSIX: a lock on the open file, which child processes do not inherit. A symbolic link is refused.
 */
export function lockFile(path: string, text: string): FileLock | null {
  checkText(path, 'path');
  if (text !== '') checkText(text, 'text');
  return called(`lock ${path}`, () => {
    const lock = new (addon().FileLock)(path, text);
    return lock.held ? lock : null;
  });
}

/**
 * Sends one state to systemd, such as 'READY=1', by the socket that NOTIFY_SOCKET names. Returns false where the variable
 * is not set, and on Windows. Never waits.
 */
export function notifySystemd(state: string): boolean {
  checkText(state, 'state');
  const address = process.env['NOTIFY_SOCKET'];
  if (address === undefined || address === '') return false;
  return called('notify systemd', () => addon().sendDatagram(address, state));
}

/** Files this process may have open; null on Windows, which has no such limit. */
export function openFileLimit(): OpenFileLimit | null {
  return addon().openFileLimit();
}

/**
 * Lets the system have each freed block of 64 KiB or more back at once, for the whole process. Otherwise glibc keeps such
 * blocks in its heap once some were freed, and a process that serves for long grows. Returns false where the C library
 * is not glibc, or where the environment sets the threshold (MALLOC_MMAP_THRESHOLD_, GLIBC_TUNABLES): that one stays.
 */
export function mapLargeBlocks(): boolean {
  const tunables = process.env['GLIBC_TUNABLES'] ?? '';
  const isSet = process.env['MALLOC_MMAP_THRESHOLD_'] !== undefined || tunables.includes('malloc.mmap_threshold');
  return !isSet && addon().mapLargeBlocks();
}

function checkText(value: unknown, argument: string): void {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) {
    throw argumentError('a string that is not empty and has no NUL', argument, value);
  }
}

function called<R>(what: string, call: () => R): R {
  try {
    return call();
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_DTESN_SYSTEM') throw error;
    throw new DtesnError('ERR_DTESN_SYSTEM', `Could not ${what}: ${(error as Error).message}`, { cause: error });
  }
}
