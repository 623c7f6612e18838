import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isExitError, StateDirectory, type StateDirectoryOptions } from '../../../src/bridge/life/index.js';
import { ManualClock } from '../../manual-clock.js';
import { RecordingLogger } from './recording-logger.js';

let parent: string;
let locked: Set<string>;

/** Locks between the bridges of this test. */
function tryLock(file: string, holder: string) {
  if (locked.has(file)) return null;
  locked.add(file);
  writeFileSync(file, holder);
  return { release: () => void locked.delete(file) };
}

beforeEach(() => {
  parent = mkdtempSync(path.join(tmpdir(), 'dtesn-state-'));
  locked = new Set();
});

afterEach(() => {
  rmSync(parent, { recursive: true });
});

const open = (directory: string, options: Partial<StateDirectoryOptions> = {}) =>
  StateDirectory.open({ path: directory, tryLock, log: new RecordingLogger(), ...options });

/** What a start fails with, when the clock has passed by. */
async function failure(directory: string, options: Partial<StateDirectoryOptions> = {}) {
  const error = await open(directory, options).catch((caught) => caught);
  if (!isExitError(error)) throw error;
  return error;
}

describe('StateDirectory', () => {
  test('makes the directory with mode 0700 and a lock file with mode 0600 that names its holder', async () => {
    const state = await open(path.join(parent, 'a', 'state'));
    expect(statSync(state.path).mode & 0o777).toBe(0o700);
    const lock = path.join(state.path, 'lock');
    expect(statSync(lock).mode & 0o777).toBe(0o600);
    expect(readFileSync(lock, 'utf8')).toMatch(new RegExp(`^process ${process.pid} on \\S+ since \\S+Z$`));
    state.close();
    expect(locked.size).toBe(0);
    expect(existsSync(lock)).toBe(true);
  });

  test('takes a directory of mode 0700 that exists', async () => {
    chmodSync(parent, 0o700);
    await using state = await open(parent);
    expect(state.path).toBe(parent);
  });

  test('waits for the lock of a bridge that drains', async () => {
    const clock = new ManualClock();
    const log = new RecordingLogger();
    const first = await open(path.join(parent, 'state'));
    let second: StateDirectory | undefined;
    const opening = open(first.path, { clock, log }).then((state) => {
      second = state;
    });
    await expect.poll(() => clock.waiting).toBe(1);
    await clock.pass(9000);
    expect(second).toBeUndefined();
    expect(log.lines).toEqual([
      ['warn', 'waiting for the lock of the state directory', { holder: expect.stringContaining(String(process.pid)) }],
    ]);
    first.close();
    await clock.pass(100);
    await opening;
    expect(second!.path).toBe(first.path);
  });

  test('exits with 75 and names the holder when the lock is not free in time', async () => {
    const clock = new ManualClock();
    await using first = await open(path.join(parent, 'state'));
    const failed = failure(first.path, { clock, lockWaitMs: 300 });
    await expect.poll(() => clock.waiting).toBe(1);
    await clock.pass(300);
    const error = await failed;
    expect(error.exitCode).toBe(75);
    expect(error.message).toContain(`is in use by process ${process.pid} on `);
  });

  test('the wait ends with its signal', async () => {
    await using first = await open(path.join(parent, 'state'));
    const stop = new AbortController();
    const opening = open(first.path, { signal: stop.signal });
    stop.abort(new Error('stopped'));
    await expect(opening).rejects.toThrow('stopped');
  });

  test('exits with 78 and one line where the directory cannot be made', async () => {
    const file = path.join(parent, 'file');
    writeFileSync(file, '');
    for (const directory of [file, path.join(file, 'state'), '/proc/state']) {
      const error = await failure(directory);
      expect(error.exitCode).toBe(78);
      expect(error.message).toMatch(/^The state directory \S+ cannot be used: (EEXIST|ENOTDIR|ENOENT|EACCES)$/);
    }
  });

  test('takes the lock without a text where the disk is full', async () => {
    const full = (file: string, holder: string) => {
      if (holder !== '') throw new Error('write: No space left on device');
      return tryLock(file, holder);
    };
    await using state = await open(path.join(parent, 'state'), { tryLock: full });
    expect(readFileSync(path.join(state.path, 'lock'), 'utf8')).toBe('');
  });

  test('exits with 78 where the lock cannot be taken at all', async () => {
    const broken = () => {
      throw new Error('Could not lock: No locks available');
    };
    const error = await failure(path.join(parent, 'state'), { tryLock: broken });
    expect([error.exitCode, error.message]).toEqual([78, expect.stringContaining('No locks available')]);
  });

  test.each([0o755, 0o777, 0o1777])('takes an empty directory of mode %o, and makes it 0700', async (mode) => {
    const directory = path.join(parent, 'volume');
    mkdirSync(directory);
    mkdirSync(path.join(directory, 'lost+found'));
    chmodSync(directory, mode);
    await using state = await open(directory);
    expect(statSync(state.path).mode & 0o7777).toBe(0o700);
  });

  test('takes a directory open to others that holds files of a bridge alone', async () => {
    const directory = path.join(parent, 'volume');
    mkdirSync(directory);
    const files = ['lock', 'segment-000000000007', 'snapshot-000000000006', 'damaged-segment-000000000001'];
    for (const name of [...files, 'snapshot-000000000007.tmp']) writeFileSync(path.join(directory, name), '');
    chmodSync(directory, 0o755);
    await using state = await open(directory);
    expect(statSync(state.path).mode & 0o777).toBe(0o700);
  });

  test.each(['notes.txt', 'segment-1', 'segment-000000000007'])(
    'exits with 78 where a directory open to others holds a foreign %s, and leaves its mode as it is',
    async (name) => {
      const directory = path.join(parent, 'shared');
      mkdirSync(directory);
      if (name === 'segment-000000000007') symlinkSync('/etc/passwd', path.join(directory, name));
      else writeFileSync(path.join(directory, name), '');
      chmodSync(directory, 0o755);
      const error = await failure(directory);
      expect([error.exitCode, error.message]).toEqual([
        78,
        expect.stringContaining(`its mode 755 admits others, and it holds "${name}"; name a directory in it, such as`),
      ]);
      expect(statSync(directory).mode & 0o777).toBe(0o755);
    },
  );

  test.skipIf(process.getuid?.() !== 0)('exits with 78 where the directory belongs to another user', async () => {
    const directory = path.join(parent, 'volume');
    mkdirSync(directory);
    chownSync(directory, 12_345, 12_345);
    chmodSync(directory, 0o777);
    const error = await failure(directory);
    expect([error.exitCode, error.message]).toEqual([
      78,
      expect.stringMatching(/it belongs to user 12345, this process is user 0; name a directory in it, such as \S+$/),
    ]);
    expect(statSync(directory).mode & 0o777).toBe(0o777);
  });
});
