import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cgroupLimits } from '../../../src/sources/index.js';

let mount: string;
beforeEach(async () => {
  mount = await mkdtemp(path.join(os.tmpdir(), 'dtesn-cgroup-'));
});
afterEach(() => rm(mount, { recursive: true }));

async function group(folder: string, files: Record<string, string>) {
  await mkdir(path.join(mount, folder), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(mount, folder, name), text);
}
const member = (folder: string) => group('', { membership: `1:cpu:/old\n0::${folder}\n` });
const limits = () => cgroupLimits(path.join(mount, 'membership'), mount);
const unlimited = { cpus: Infinity, memoryBytes: Infinity, memoryFreeBytes: Infinity };

test('the quota gives the cores, memory.max less what is used and not cache gives the room', async () => {
  await member('/pod');
  await group('pod', { 'cpu.max': '150000 100000\n', 'memory.max': '1000\n', 'memory.current': '700\n' });
  await group('pod', { 'memory.stat': 'anon 1\ninactive_file 200\nslab 3\n' });
  expect(await limits()).toEqual({ cpus: 1.5, memoryBytes: 1000, memoryFreeBytes: 500 });
});

test('the strictest limit counts, of the own group or of one above', async () => {
  await member('/pod/container');
  await group('pod', { 'cpu.max': '200000 100000\n', 'memory.max': '900\n', 'memory.current': '850\n' });
  await group('pod/container', { 'cpu.max': '400000 100000\n', 'memory.max': '800\n', 'memory.current': '100\n' });
  expect(await limits()).toEqual({ cpus: 2, memoryBytes: 800, memoryFreeBytes: 50 });
});

test('max is no limit, and neither is a group without files', async () => {
  await member('/pod');
  expect(await limits()).toEqual(unlimited);
  await group('pod', { 'cpu.max': 'max 100000\n', 'memory.max': 'max\n', 'memory.current': '5\n' });
  expect(await limits()).toEqual(unlimited);
});

test('without cgroup v2 nothing is limited', async () => {
  expect(await limits()).toEqual(unlimited);
  await group('', { membership: '4:memory:/a\n' });
  expect(await limits()).toEqual(unlimited);
});
