/**
 * The order of system calls: for each answer with a larger `durable` an fdatasync had begun after its last row came in, and had
 * returned before the answer went out.
 *
 * @module-tag slow
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runningBridge } from '../running-bridge.js';
import { call } from './fed-session.js';
import { folder } from './state-bridge.js';

const calls = 'trace=read,recvfrom,write,writev,sendto,sendmsg,pwrite64,fdatasync,fsync';

/** Traces a process and its threads; null with the reason where that cannot be done. */
async function traced(pid: number, trace: string) {
  const strace = spawn('strace', ['-f', '-s', '4096', '-e', calls, '-o', trace, '-p', String(pid)]);
  let said = '';
  const attached = new Promise<string | null>((resolve) => {
    strace.once('error', () => resolve('strace is not installed'));
    strace.once('exit', () => resolve(`strace may not trace here: ${said.split('\n')[0]}`));
    strace.stderr.on('data', (chunk) => {
      said += chunk;
      if (said.includes('attached')) resolve(null);
    });
  });
  const failure = await attached;
  const ended = new Promise((resolve) => strace.once('close', resolve));
  onTestFinished(() => void strace.kill('SIGKILL'));
  return { failure, ended };
}

/** Numbers of the lines on which a sync began and returned, of one thread each. */
function syncsOf(lines: readonly string[]): { began: number; returned: number }[] {
  const begun = new Map<string, number>();
  const syncs: { began: number; returned: number }[] = [];
  for (const [at, line] of lines.entries()) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (/^f(data)?sync\(/.test(rest)) begun.set(thread, at);
    const began = begun.get(thread);
    if (began === undefined || !/^(f(data)?sync\(.*|<\.\.\. f(data)?sync resumed.*)= 0$/.test(rest)) continue;
    syncs.push({ began, returned: at });
    begun.delete(thread);
  }
  return syncs;
}

test('strace shows that fdatasync returned before an answer has a larger durable', async (context) => {
  const dir = folder();
  await using bridge = await runningBridge({ args: ['--state-dir', path.join(dir, 'state')] });
  await call(bridge.url, '/v1/sessions', 'POST', { id: 'one', outputs: [0] });
  const trace = path.join(dir, 'trace');
  const { failure, ended } = await traced(bridge.process.pid!, trace);
  if (failure !== null) return context.skip(`skipped: ${failure}`);
  const zeros = Array(16).fill(0);
  const created = await call(bridge.url, '/v1/sessions', 'POST', { id: 'two', outputs: [0] });
  expect(created.status).toBe(201);
  for (let from = 0; from < 120; from++) {
    const ack = from % 10 === 9 ? '?ack=durable' : '';
    const { status } = await call(bridge.url, `/v1/sessions/one/steps${ack}`, 'POST', { from, rows: [zeros] });
    expect(status).toBe(200);
    if (from % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 60));
  }
  await bridge.end('SIGKILL');
  await ended;

  const lines = readFileSync(trace, 'utf8').split('\n');
  const syncs = syncsOf(lines);
  const cameIn = new Map<number, number>();
  const written = (begin: number, end: number) => lines.slice(begin, end).some((line) => / pwrite64\(/.test(line));
  let [durable, moves, creations, createdAt] = [0, 0, 0, -1];
  for (const [at, line] of lines.entries()) {
    const from = /(?:read\(|recvfrom\(|resumed).*\{\\"from\\":(\d+),/.exec(line)?.[1];
    if (from !== undefined) cameIn.set(Number(from), at);
    if (/(?:read\(|recvfrom\(|resumed).*\{\\"id\\":\\"two\\"/.test(line)) createdAt = at;
    if (!/ (write|writev|sendto|sendmsg)\(/.test(line)) continue;
    const isSynced = (since: number) =>
      syncs.some(({ began, returned }) => began > since && returned < at && written(since, began));
    if (line.includes('HTTP/1.1 201')) {
      creations++;
      expect(createdAt >= 0 && isSynced(createdAt), 'the creation').toBe(true);
    }
    const told = Number(/\\"durable\\":(\d+)/.exec(line)?.[1] ?? 0);
    if (told <= durable) continue;
    expect(cameIn.has(told - 1), `row ${told - 1} was read`).toBe(true);
    expect(isSynced(cameIn.get(told - 1)!), `durable ${told} in ${line.slice(0, 80)}`).toBe(true);
    durable = told;
    moves++;
  }
  expect([creations, durable]).toEqual([1, 120]);
  expect(moves).toBeGreaterThan(11);
}, 180_000);
