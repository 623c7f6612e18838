/** The journal in processes that are killed, on a disk that is full, and under strace. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { nodeFiles } from '../../../src/bridge/journal/file-operations.js';
import { bundle } from '../../worker-sources.js';
import { CountingSessions, checkedOffset, session } from './journal-fixture.js';

const script = path.resolve(import.meta.dirname, 'killed-process.ts');
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'journal-'));
  folders.push(made);
  return made;
}

/** Runs the process over a directory, kills it some time after its first line, and returns the last line it wrote. */
async function killed(dir: string, afterMs: number): Promise<Map<string, number>> {
  const child = spawn(process.execPath, [await bundle(script), dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    if (text === '') setTimeout(() => child.kill('SIGKILL'), afterMs);
    text += more;
  });
  const [status, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.on('close', (code, by) => resolve([code, by])),
  );
  expect([status, signal]).toEqual([null, 'SIGKILL']);
  const last = text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1)!;
  return new Map(Object.entries(JSON.parse(last.slice(last.indexOf('{')))) as [string, number][]);
}

async function survivesKills(times: number): Promise<void> {
  const dir = path.join(folder(), 'state');
  let commits = 0;
  for (let time = 0; time < times; time++) {
    const durable = await killed(dir, Math.random() * 150);
    const { sessions, unnamed, journal } = await CountingSessions.open(nodeFiles, { dir });
    expect([unnamed, sessions.filter(({ quarantined }) => quarantined !== null)]).toEqual([0, []]);
    const found = new Map(sessions.map((one) => [one.session.id, checkedOffset(one)]));
    for (const [id, offset] of durable) {
      expect(found.get(id), `${id} after kill ${time}`).toBeGreaterThanOrEqual(offset);
      commits += offset;
    }
    await journal.close();
  }
  expect(commits).toBeGreaterThan(0);
}

test('ten kills at random moments lose no row that was reported as durable', () => survivesKills(10), 180_000);

test(
  'two hundred kills at random moments lose no row that was reported as durable',
  { tags: ['slow', 'long'], timeout: 1_200_000 },
  () => survivesKills(200),
);

test('a full disk stops no session, and what waited is durable once there is space again', async (context) => {
  const mounted = path.join(folder(), 'disk');
  const mount = spawnSync('sh', ['-c', 'mkdir -p "$0" && mount -t tmpfs -o size=1m tmpfs "$0"', mounted]);
  if (mount.status !== 0) return context.skip('skipped: a tmpfs cannot be mounted here');
  try {
    const options = { dir: path.join(mounted, 'state'), checkpointMs: 5 };
    const { service, journal } = await CountingSessions.open(undefined, options);
    const ballast = path.join(mounted, 'ballast');
    await journal.whenDurable(service.create(session('a')));
    const size = 1024 * 1024 - 64 * 1024;
    writeFileSync(ballast, new Uint8Array(size));
    for (let turn = 0; turn < 200 && journal.failing === null; turn++) {
      service.feed('a', 500);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(journal.failing).toMatch('ENOSPC');
    const before = journal.durable;
    service.feed('a', 10);
    await expect(journal.whenDurable(before + 1)).rejects.toMatchObject({ code: 'storage' });
    rmSync(ballast);
    await expect.poll(() => journal.failing, { timeout: 15_000 }).toBeNull();
    await journal.commit();
    expect(journal.figures.undurableRows).toBe(0);
    await journal.close();
    const again = await CountingSessions.open(undefined, options);
    expect(again.sessions.map(checkedOffset)).toEqual([service.offsets.get('a')]);
    await again.journal.close();
  } finally {
    execFileSync('umount', [mounted]);
  }
});

test('strace shows that fdatasync has returned before durable moves', async (context) => {
  const dir = folder();
  const trace = path.join(dir, 'trace');
  const calls = 'trace=fdatasync,write';
  const command = ['-f', '-s', '16', '-e', calls, '-o', trace, process.execPath, await bundle(script)];
  const run = spawnSync('strace', [...command, path.join(dir, 'state'), '200'], { encoding: 'utf8' });
  if (run.error !== undefined) return context.skip('skipped: strace is not installed');
  if (/ptrace|PTRACE/.test(run.stderr)) return context.skip('skipped: strace may not trace here');
  expect(run.status).toBe(0);
  let [synced, lines] = [0, 0];
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    if (/fdatasync(\(| resumed).* = 0$/.test(line)) synced++;
    const commits = /write\(1, "commit (\d+) /.exec(line)?.[1];
    if (commits === undefined) continue;
    expect(synced, line).toBeGreaterThanOrEqual(Number(commits));
    lines++;
  }
  expect(lines).toBeGreaterThan(3);
});
