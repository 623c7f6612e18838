import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LogWriter, type LogWriterOptions } from '../../../src/bridge/logs/index.js';
import { MetricsRegistry } from '../../../src/bridge/metrics/index.js';
import { ManualClock } from '../../manual-clock.js';

const source = new URL('../../../src/bridge/', import.meta.url).href;
const typescript = new URL('../../threads/typescript.mjs', import.meta.url).href;

let folder: string;
let file: string;
let fd: number;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn-log-'));
  file = path.join(folder, 'log');
  fd = openSync(file, 'a');
});

afterEach(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

function open(options: Partial<LogWriterOptions> = {}): LogWriter {
  return new LogWriter({ metrics: new MetricsRegistry(), fd, ...options });
}

function written(): Record<string, unknown>[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Lines without their time. */
const facts = () => written().map(({ ts: _, ...line }) => line);

describe('LogWriter', () => {
  test('writes one JSON line each, with time, level, message and the fields in their order', async () => {
    const log = open({ level: 'debug' });
    log.debug('a');
    log.info('b', { route: '/v1/x', status: 200, engine: undefined });
    log.error('c', { code: 'storage' });
    await log.close();
    const [, second] = written();
    expect(Object.keys(second!)).toEqual(['ts', 'level', 'msg', 'route', 'status']);
    expect(second!['ts']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(facts()).toEqual([
      { level: 'debug', msg: 'a' },
      { level: 'info', msg: 'b', route: '/v1/x', status: 200 },
      { level: 'error', msg: 'c', code: 'storage' },
    ]);
  });

  test('leaves out what is below its level', async () => {
    const log = open({ level: 'warn' });
    log.info('a');
    log.warn('b');
    await log.close();
    expect(facts()).toEqual([{ level: 'warn', msg: 'b' }]);
  });

  test('no control character comes through, and a field cannot take the place of level or message', async () => {
    const log = open();
    log.info('a\nb\u001b[2J\u009b\u2028', { level: 'x', msg: 'y', ts: 'z' });
    await log.close();
    expect(readFileSync(file, 'utf8')).toMatch(/^[\u0020-\u007e]+\n$/);
    expect(facts()).toEqual([{ level: 'info', msg: 'a\nb\u001b[2J\u009b\u2028' }]);
  });

  test('cuts long strings and lines', async () => {
    const log = open();
    log.info('x'.repeat(5000));
    log.info('many', Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, 'y'.repeat(2000)])));
    await log.close();
    const [long, many] = facts();
    expect(String(long!['msg'])).toHaveLength(2049);
    expect(many).toEqual({ level: 'info', msg: 'many', cut: expect.any(Number) });
  });

  test('equal lines within ten seconds become one with the number of repetitions', async () => {
    const clock = new ManualClock();
    const log = open({ clock });
    for (let ms = 1; ms <= 5; ms++) log.warn('scrape failed', { engine: 'a', ms });
    log.warn('scrape failed', { engine: 'b', ms: 1 });
    await clock.pass(10_000);
    log.warn('scrape failed', { engine: 'a', ms: 6 });
    const closing = log.close();
    await clock.pass(0);
    await closing;
    expect(facts()).toEqual([
      { level: 'warn', msg: 'scrape failed', engine: 'a', ms: 1 },
      { level: 'warn', msg: 'scrape failed', engine: 'b', ms: 1 },
      { level: 'warn', msg: 'scrape failed', engine: 'a', ms: 5, repeated: 4 },
      { level: 'warn', msg: 'scrape failed', engine: 'a', ms: 6 },
    ]);
  });

  test('every line that is not counted as dropped is written whole, in order, through many turns of the ring', async () => {
    const log = open({ ringBytes: 4096 });
    for (let i = 0; i < 5000; i++) {
      log.info('row', { i });
      if (i % 20 === 0) await new Promise((turn) => setImmediate(turn));
    }
    await log.close();
    const rows = written()
      .filter(({ msg }) => msg === 'row')
      .map(({ i }) => i as number);
    // A line that tells of dropped ones may find no room either.
    const told = rows.length + log.dropped - 5000;
    expect(told).toBeGreaterThanOrEqual(0);
    expect(told).toBeLessThan(50);
    expect(rows.length).toBeGreaterThan(50);
    expect(rows).toEqual([...rows].sort((a, b) => a - b));
  });

  test('writeNow has written when it returns', async () => {
    const log = open();
    log.info('before');
    log.writeNow('error', 'fatal', { code: 'internal' });
    expect(facts()).toEqual([
      { level: 'info', msg: 'before' },
      { level: 'error', msg: 'fatal', code: 'internal' },
    ]);
    await log.close();
  });

  test('lines after close are counted as dropped', async () => {
    const metrics = new MetricsRegistry();
    const log = open({ metrics });
    await log.close();
    await log.close();
    log.info('late');
    expect(metrics.text()).toContain('dtesn_log_dropped_total 1\n');
  });

  test('refuses a ring that is no power of two', () => {
    expect(() => open({ ringBytes: 5000 })).toThrow(/a power of two/);
  });
});

/** Logs for 1.5 s to a stderr that is not read, then says on stdout how often its loop turned and what was dropped. */
const flood = `
  import { LogWriter } from '${source}logs/index.ts';
  import { MetricsRegistry } from '${source}metrics/index.ts';
  const log = new LogWriter({ metrics: new MetricsRegistry(), ringBytes: 65536 });
  let turns = 0;
  const timer = setInterval(() => {
    turns++;
    for (let i = 0; i < 100; i++) log.info('x'.repeat(1000), { turn: turns, i });
  }, 10);
  setTimeout(async () => {
    clearInterval(timer);
    const begun = performance.now();
    if (process.argv[1] === 'exit') log.writeNow('error', 'fatal');
    else await log.close();
    process.stdout.write(JSON.stringify({ turns, dropped: log.dropped, closeMs: performance.now() - begun }) + '\\n');
    process.exit(7);
  }, 1500);
`;

interface Said {
  turns: number;
  dropped: number;
  closeMs: number;
}

async function runFlood(command: string, args: string[]): Promise<Said> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.pause();
  let stdout = '';
  child.stdout.on('data', (bytes) => {
    stdout += bytes;
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  child.stderr.destroy();
  expect(code).toBe(7);
  return JSON.parse(stdout);
}

describe('with a stderr that is never read', () => {
  test.each(['close', 'exit'])(
    'a socket: the loop turns, lines are dropped and counted, and it ends by %s',
    async (end) => {
      const said = await runFlood(process.execPath, ['--import', typescript, '--input-type=module', '-e', flood, end]);
      expect(said.turns).toBeGreaterThan(20);
      expect(said.dropped).toBeGreaterThan(100);
      expect(said.closeMs).toBeLessThan(5000);
    },
  );

  test.each(['close', 'exit'])('a named pipe: the same, by %s', async (end) => {
    const fifo = path.join(folder, 'fifo');
    spawnSync('mkfifo', [fifo]);
    const shell = 'exec 9<>"$0"; "$@" 2>"$0"';
    const said = await runFlood('bash', [
      '-c',
      shell,
      fifo,
      process.execPath,
      '--import',
      typescript,
      '--input-type=module',
      '-e',
      flood,
      end,
    ]);
    expect(said.turns).toBeGreaterThan(20);
    expect(said.dropped).toBeGreaterThan(100);
    expect(said.closeMs).toBeLessThan(5000);
  });

  test('a process whose log was not closed ends by itself', async () => {
    const code = `
      import { LogWriter } from '${source}logs/index.ts';
      import { MetricsRegistry } from '${source}metrics/index.ts';
      const log = new LogWriter({ metrics: new MetricsRegistry(), ringBytes: 65536 });
      for (let i = 0; i < 2000; i++) log.info('x'.repeat(1000), { i });
      setTimeout(() => {}, 200);
    `;
    const child = spawn(process.execPath, ['--import', typescript, '--input-type=module', '-e', code], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.pause();
    const kill = setTimeout(() => child.kill('SIGKILL'), 15_000);
    const exitCode = await new Promise((resolve) => child.once('exit', resolve));
    clearTimeout(kill);
    child.stderr.destroy();
    expect(exitCode).toBe(0);
  });

  test('a reader that comes late gets whole lines and one that says how many were dropped', async () => {
    const code = `
      import { LogWriter } from '${source}logs/index.ts';
      import { MetricsRegistry } from '${source}metrics/index.ts';
      const log = new LogWriter({ metrics: new MetricsRegistry(), ringBytes: 65536 });
      for (let i = 0; i < 2000; i++) log.info('x'.repeat(1000), { i });
      process.stdout.write('full\\n');
      process.stdin.once('data', async () => {
        await log.close();
        process.exit(0);
      });
    `;
    const child = spawn(process.execPath, ['--import', typescript, '--input-type=module', '-e', code], {
      stdio: 'pipe',
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    let stderr = '';
    child.stderr.on('data', (bytes) => {
      stderr += bytes;
      if (stderr.includes('lines of the log were dropped')) child.stdin.write('end\n');
    });
    const kill = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await new Promise((resolve) => child.once('close', resolve));
    clearTimeout(kill);
    const lines = stderr
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    const told = lines.filter(({ msg }) => msg === 'lines of the log were dropped');
    expect(told).toHaveLength(1);
    expect(told[0].dropped + lines.length - 1).toBe(2000);
  });
});
