import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runQueuePerCpu } from '../../src/host/index.js';

let proc: string;
beforeEach(async () => {
  proc = await mkdtemp(path.join(os.tmpdir(), 'dtesn-run-queue-'));
});
afterEach(() => rm(proc, { recursive: true }));
const file = (name: string, text: string) => writeFile(path.join(proc, name), text);
const cpus = 'cpu  9 9\ncpu0 1 1\ncpu1 1 1\ncpu2 1 1\ncpu3 1 1\n';

test('it is the tasks that want to run, but the one that asks, for each CPU', async () => {
  await file('stat', `${cpus}intr 1\nprocs_running 7\nprocs_blocked 3\n`);
  await file('loadavg', '9.00 9.00 9.00 99/256 7669\n');
  expect(runQueuePerCpu(proc)).toBe(1.5);
});

test('where stat does not tell, loadavg does', async () => {
  await file('stat', cpus);
  await file('loadavg', '6.09 4.63 3.54 11/256 7669\n');
  expect(runQueuePerCpu(proc)).toBe(2.5);
});

test('where the kernel tells neither it is unknown', async () => {
  expect(runQueuePerCpu(proc)).toBeNull();
  await file('loadavg', 'another format\n');
  expect(runQueuePerCpu(proc)).toBeNull();
});
