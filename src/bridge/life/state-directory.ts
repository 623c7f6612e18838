/**
 * The state directory: made with mode 0700, and locked, so that one bridge alone writes its journal.
 *
 * A directory that exists gets mode 0700 where it belongs to this user and holds nothing but files of a bridge: a volume of a
 * container begins as 0755 or 0777. Any other is refused and left as it is, for others may need it.
 *
 * A second bridge waits `lockWaitMs` for the lock, alive and not ready: in a rolling update the first one drains meanwhile. The
 * kernel frees the lock of a process that dies. The lock file says who holds it; it is never removed, for a process that waits
 * may have it open.
 *
 * Errors: ExitError 78 where the directory cannot be made, belongs to another user, or is open to others and holds foreign
 * files; ExitError 75 where the lock is not free in time.
 */
import { chmod, type FileHandle, lstat, mkdir, open, readdir, readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { type Clock, clockOption, pause, wallMs } from '../../abort/index.js';
import { checkOptions } from '../../errors/index.js';
import type { Logger } from '../logs/index.js';
import { ExitError, exitCodes } from './exit-error.js';

/** A lock that this process holds. */
export interface FileLock {
  release(): void;
}

export interface StateDirectoryOptions {
  /** The directory; its parents are made too. */
  path: string;
  /** Locks the file against other processes and writes into it who holds it; null where another process has it. */
  tryLock: (file: string, holder: string) => FileLock | null;
  /** How long to wait for the lock, milliseconds, 0 to 600,000. Default 15,000. */
  lockWaitMs?: number | undefined;
  log: Logger;
  /** Ends the wait with its reason. */
  signal?: AbortSignal | undefined;
  /** What the wait is measured by. Default: the system's monotonic clock. */
  clock?: Clock | undefined;
}

const LOCK_FILE = 'lock';
const OWN_FILE = /^(lock|telemetry(\.tmp)?|(damaged-)?(segment|snapshot)-\d{12}(\.tmp)?)$/;
/** In the root of each ext4 volume. */
const LOST_AND_FOUND = 'lost+found';
const RETRY_MS = 100;

const optionsSchema = z.strictObject({
  path: z.string().min(1).describe('the path of a directory'),
  tryLock: z.custom<StateDirectoryOptions['tryLock']>((value) => typeof value === 'function').describe('a function'),
  lockWaitMs: z.int().min(0).max(600_000).default(15_000).describe('milliseconds from 0 to 600,000'),
  log: z.custom<Logger>((value) => typeof value === 'object').describe('a Logger'),
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
  clock: clockOption,
});

export class StateDirectory {
  readonly path: string;
  readonly #lock: FileLock;

  private constructor(directory: string, lock: FileLock) {
    this.path = directory;
    this.#lock = lock;
  }

  static async open(options: StateDirectoryOptions): Promise<StateDirectory> {
    const {
      path: given,
      tryLock,
      lockWaitMs,
      log,
      clock,
      ...rest
    } = checkOptions(optionsSchema, options, 'StateDirectory');
    const { signal = new AbortController().signal } = rest;
    const directory = path.resolve(given);
    await makePrivate(directory);
    const file = path.join(directory, LOCK_FILE);
    const deadline = clock.now() + lockWaitMs;
    let lock = lockOrFail(directory, file, tryLock);
    if (lock === null) log.warn('waiting for the lock of the state directory', { holder: await holderOf(file) });
    while (lock === null) {
      if (clock.now() >= deadline) {
        const holder = await holderOf(file);
        throw new ExitError(exitCodes.temporary, `The state directory ${directory} is in use by ${holder}`);
      }
      await pause(RETRY_MS, signal, clock, { hold: true });
      lock = lockOrFail(directory, file, tryLock);
    }
    return new StateDirectory(directory, lock);
  }

  /** Frees the lock. */
  close(): void {
    this.#lock.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

/** Makes the directory and its lock file, which shows that it can be written to. */
async function makePrivate(directory: string): Promise<void> {
  let file: FileHandle | undefined;
  try {
    await makeWithParents(directory, 0o700);
    const { mode, uid } = await stat(directory);
    const own = process.getuid?.() ?? uid;
    const inside = `name a directory in it, such as ${path.join(directory, 'dtesn')}`;
    if (uid !== own) throw unusable(directory, `it belongs to user ${uid}, this process is user ${own}; ${inside}`);
    if ((mode & 0o077) !== 0) {
      const foreign = await foreignFile(directory, own);
      if (foreign !== null) {
        const admits = `its mode ${(mode & 0o777).toString(8)} admits others, and it holds ${JSON.stringify(foreign)}`;
        throw unusable(directory, `${admits}; ${inside}`);
      }
      await chmod(directory, 0o700);
    }
    file = await open(path.join(directory, LOCK_FILE), 'a+', 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : unusable(directory, code, error);
  } finally {
    await file?.close();
  }
}

/** The name of an entry that no bridge of this user made; null where there is none. */
async function foreignFile(directory: string, own: number): Promise<string | null> {
  for (const name of await readdir(directory)) {
    if (name === LOST_AND_FOUND) continue;
    const entry = await lstat(path.join(directory, name));
    if (!OWN_FILE.test(name) || !entry.isFile() || entry.uid !== own) return name;
  }
  return null;
}

/** Without the option `recursive`, which never returns where a parent exists but takes no directory, as in /proc. */
async function makeWithParents(directory: string, mode: number): Promise<void> {
  try {
    await make(directory, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await makeWithParents(path.dirname(directory), 0o755);
    await make(directory, mode);
  }
}

/** Takes one that exists: another bridge may make it at the same time. */
async function make(directory: string, mode: number): Promise<void> {
  try {
    await mkdir(directory, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await stat(directory)).isDirectory()) throw error;
  }
}

function unusable(directory: string, why: string, cause?: unknown): ExitError {
  const message = `The state directory ${directory} cannot be used: ${why}`;
  return new ExitError(exitCodes.configuration, message, cause === undefined ? {} : { cause });
}

function lockOrFail(directory: string, file: string, tryLock: StateDirectoryOptions['tryLock']): FileLock | null {
  const holder = `process ${process.pid} on ${hostname()} since ${new Date(wallMs()).toISOString()}`;
  try {
    return tryLock(file, holder);
  } catch {
    try {
      // A full disk takes no text, and the lock needs none.
      return tryLock(file, '');
    } catch (error) {
      throw unusable(directory, (error as Error).message, error);
    }
  }
}

/** The lock file belongs to whoever may write into it: what it holds is checked before it is shown. */
async function holderOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return /^process \d+ on \S{1,255} since [\dTZ:.-]{24}$/m.exec(text)?.[0] ?? 'another process';
}
