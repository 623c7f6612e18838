/** The lock of a file, notifications of systemd and the limit of open files, on the system itself. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { lockFile, mapLargeBlocks, native, notifySystemd, openFileLimit } from '../../src/native/index.js';

const posix = process.platform !== 'win32';
const isGlibc =
  process.platform === 'linux' && 'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header;
const failed = (reason: RegExp) =>
  expect.objectContaining({ name: 'DtesnError', code: 'ERR_DTESN_SYSTEM', message: expect.stringMatching(reason) });
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn-system-'));
  file = path.join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the lock of a file', () => {
  test('one at a time holds it, and its text is in the file', () => {
    const lock = lockFile(file, 'pid 1, since noon\n');
    expect(readFileSync(file, 'utf8')).toBe('pid 1, since noon\n');
    expect(lockFile(file, 'pid 2\n')).toBeNull();
    expect(readFileSync(file, 'utf8')).toBe('pid 1, since noon\n');
    lock!.release();
    lock!.release();
    expect(readFileSync(file, 'utf8')).toBe('');
    const next = lockFile(file, 'pid 2\n');
    expect(readFileSync(file, 'utf8')).toBe('pid 2\n');
    next!.release();
  });

  test('a shorter text replaces a longer one that was left behind', () => {
    writeFileSync(file, 'pid 12345, which was killed\n');
    const lock = lockFile(file, 'pid 2\n');
    expect(readFileSync(file, 'utf8')).toBe('pid 2\n');
    lock!.release();
  });

  test.skipIf(!posix)('a new file has mode 0600, whatever the umask lets through', () => {
    const before = process.umask(0);
    const lock = lockFile(file, 'x');
    process.umask(before);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    lock!.release();
  });

  /** A process that takes the lock by the addon itself, says so, and keeps it until it is ended. */
  const holder = async (): Promise<ChildProcess> => {
    const script = `
      const [binary, file] = process.argv.slice(1);
      const { FileLock } = require(binary);
      console.log(new FileLock(file, 'pid ' + process.pid).held);
      setInterval(() => {}, 1000);
    `;
    const child = spawn(process.execPath, ['-e', script, native.binary, file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    expect(said.toString()).toBe('true\n');
    return child;
  };

  test('the lock of a process that was killed is free', async () => {
    const child = await holder();
    expect(lockFile(file, 'mine')).toBeNull();
    expect(readFileSync(file, 'utf8')).toBe(`pid ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = lockFile(file, 'mine');
    expect(lock).not.toBeNull();
    lock!.release();
  });

  test('child processes do not keep the lock of their parent', () => {
    const lock = lockFile(file, 'mine');
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
    try {
      lock!.release();
      const again = lockFile(file, 'again');
      expect(again).not.toBeNull();
      again!.release();
    } finally {
      child.kill('SIGKILL');
    }
  });

  test.skipIf(!posix)('what cannot be opened or locked is an error with the reason of the system', () => {
    expect(() => lockFile(path.join(folder, 'none', 'lock'), 'x')).toThrow(failed(/open .*: No such file/));
    expect(() => lockFile(folder, 'x')).toThrow(failed(/Is a directory/));
    symlinkSync(file, path.join(folder, 'link'));
    expect(() => lockFile(path.join(folder, 'link'), 'x')).toThrow(failed(/symbolic links/));
  });

  test.skipIf(!posix || process.getuid?.() === 0)('a folder without the right to write is an error', () => {
    chmodSync(folder, 0o500);
    expect(() => lockFile(file, 'x')).toThrow(failed(/Permission denied/));
  });

  test.each([
    ['no path', ['', 'x']],
    ['a path with a NUL', ['a\0b', 'x']],
    ['no text', ['a', undefined]],
  ])('%s is refused', (_name, args) => {
    expect(() => lockFile(...(args as [string, string]))).toThrow(TypeError);
  });
});

/** The library of a sanitizer is for this process alone. */
const plain = { ...process.env, LD_PRELOAD: '' };
const python = posix && spawnSync('python3', ['--version'], { env: plain }).status === 0;
if (!python) console.warn('python3 is missing: no socket receives the notifications, their tests are skipped');

/** A datagram socket that prints what it receives. */
const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
s.bind('\\0' + name[1:] if name.startswith('@') else name)
print('bound', flush=True)
for _ in range(2):
    print(s.recv(4096).decode().replace('\\n', '|'), flush=True)
`;

describe('notifications of systemd', () => {
  const set = process.env['NOTIFY_SOCKET'];
  afterEach(() => {
    if (set === undefined) delete process.env['NOTIFY_SOCKET'];
    else process.env['NOTIFY_SOCKET'] = set;
  });

  const names: [string, () => string][] = [['a path', () => path.join(folder, 'notify')]];
  if (process.platform === 'linux') names.push(['an abstract socket', () => `@dtesn-${process.pid}-notify`]);

  test.skipIf(!python).each(names)('a datagram each reaches %s', async (_name, nameOf) => {
    const name = nameOf();
    const child = spawn('python3', ['-c', receiver, name], { stdio: ['ignore', 'pipe', 'inherit'], env: plain });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await once(child.stdout, 'data');
    process.env['NOTIFY_SOCKET'] = name;
    expect(notifySystemd('READY=1\nSTATUS=serving')).toBe(true);
    expect(notifySystemd('WATCHDOG=1')).toBe(true);
    await once(child, 'close');
    expect(said).toBe('bound\nREADY=1|STATUS=serving\nWATCHDOG=1\n');
  });

  test('without NOTIFY_SOCKET nothing is sent', () => {
    delete process.env['NOTIFY_SOCKET'];
    expect(notifySystemd('READY=1')).toBe(false);
    process.env['NOTIFY_SOCKET'] = '';
    expect(notifySystemd('READY=1')).toBe(false);
  });

  test.skipIf(!posix)(
    'a socket that is not there, or a name too long, is an error with the reason of the system',
    () => {
      process.env['NOTIFY_SOCKET'] = path.join(folder, 'none');
      expect(() => notifySystemd('READY=1')).toThrow(failed(/notify systemd: send to .*: No such file/));
      process.env['NOTIFY_SOCKET'] = `/${'x'.repeat(200)}`;
      expect(() => notifySystemd('READY=1')).toThrow(failed(/too long/));
    },
  );
});

test.skipIf(!posix)('the limit of open files is that of the shell', () => {
  const { soft, hard } = openFileLimit()!;
  const said = spawnSync('sh', ['-c', 'ulimit -Sn; ulimit -Hn'], { encoding: 'utf8', env: plain })
    .stdout.trim()
    .split('\n');
  expect(said.map((limit) => (limit === 'unlimited' ? Infinity : Number(limit)))).toEqual([expect.any(Number), hard]);
  expect(soft).toBeLessThanOrEqual(hard);
});

describe('blocks of malloc', () => {
  /** How much the heap of a process grows by 100 buffers of 1 MiB after one of 20 MB was freed, in MiB. */
  const growth = (maps: boolean) => {
    const script = `
      const { mapLargeBlocks } = require(process.argv[1]);
      const maps = ${maps} && mapLargeBlocks();
      const heap = () => {
        const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) .*\\[heap\\]$/m.exec(require('fs').readFileSync('/proc/self/maps', 'utf8'));
        return (parseInt(to, 16) - parseInt(from, 16)) / 2 ** 20;
      };
      new ArrayBuffer(20e6);
      gc();
      setTimeout(() => {
        const before = heap();
        const kept = Array.from({ length: 100 }, () => new ArrayBuffer(2 ** 20));
        console.log(JSON.stringify({ maps, grown: heap() - before, kept: kept.length }));
      }, 200);
    `;
    const options = { encoding: 'utf8', env: plain } as const;
    return JSON.parse(spawnSync(process.execPath, ['--expose-gc', '-e', script, native.binary], options).stdout);
  };

  // Sanitizers bring a malloc of their own.
  test.skipIf(!isGlibc || process.env['DTESN_SANITIZED'] !== undefined)(
    'after mapLargeBlocks buffers of 1 MiB stay outside of the heap, where they would lie after a larger one was freed',
    () => {
      expect(growth(false).grown).toBeGreaterThan(90);
      expect(growth(true)).toEqual({ maps: true, grown: expect.closeTo(0, 0), kept: 100 });
    },
  );

  test('a threshold of the environment stays', () => {
    vi.stubEnv('MALLOC_MMAP_THRESHOLD_', '1000000');
    expect(mapLargeBlocks()).toBe(false);
    vi.unstubAllEnvs();
    vi.stubEnv('GLIBC_TUNABLES', 'glibc.malloc.mmap_threshold=1000000');
    expect(mapLargeBlocks()).toBe(false);
    vi.unstubAllEnvs();
  });
});
