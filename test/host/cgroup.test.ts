import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cgroupLimits, cpusOf, usableCpus } from '../../src/host/index.js';
import { threadCount } from '../../src/native/index.js';
import { defaultTarget } from '../../src/pipeline/target.js';
import { fetchResourceDataSource } from '../../src/sources/index.js';

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
const unlimited = { cpus: null, memoryBytes: null, memoryFreeBytes: null };

test('cpu.max gives the cores, and memory.max minus used memory without inactive cache gives the free memory', async () => {
  await member('/pod');
  await group('pod', { 'cpu.max': '150000 100000\n', 'memory.max': '1000\n', 'memory.current': '700\n' });
  await group('pod', { 'memory.stat': 'anon 1\ninactive_file 200\nslab 3\n' });
  expect(limits()).toEqual({ cpus: 1.5, memoryBytes: 1000, memoryFreeBytes: 500 });
});

test('the strictest limit of the own group and its parents counts', async () => {
  await member('/pod/container');
  await group('pod', { 'cpu.max': '200000 100000\n', 'memory.max': '900\n', 'memory.current': '850\n' });
  await group('pod/container', { 'cpu.max': '400000 100000\n', 'memory.max': '800\n', 'memory.current': '100\n' });
  expect(limits()).toEqual({ cpus: 2, memoryBytes: 800, memoryFreeBytes: 50 });
});

test('max and a group without files are no limit', async () => {
  await member('/pod');
  expect(limits()).toEqual(unlimited);
  await group('pod', { 'cpu.max': 'max 100000\n', 'memory.max': 'max\n', 'memory.current': '5\n' });
  expect(limits()).toEqual(unlimited);
});

test('without a control group every limit is null', async () => {
  expect(limits()).toEqual(unlimited);
  await group('', { membership: '4:memory:/a\nnonsense\n' });
  expect(limits()).toEqual(unlimited);
});

test('a limit that cannot be read is null', async () => {
  await member('/pod');
  await group('pod', { 'cpu.max': 'many 100000\n', 'memory.max': '1000\n' });
  await mkdir(path.join(mount, 'pod', 'memory.current'));
  expect(limits()).toEqual({ cpus: null, memoryBytes: 1000, memoryFreeBytes: null });
});

describe('cgroup v1', () => {
  test('cgroup v1 limits are read from the folders of the controllers', async () => {
    await group('', { membership: '5:cpu,cpuacct:/pod\n4:memory:/pod\n1:name=systemd:/\n' });
    await group('cpu,cpuacct/pod', { 'cpu.cfs_quota_us': '250000\n', 'cpu.cfs_period_us': '100000\n' });
    await group('memory/pod', { 'memory.limit_in_bytes': '1000\n', 'memory.usage_in_bytes': '700\n' });
    await group('memory/pod', { 'memory.stat': 'inactive_file 1\ntotal_inactive_file 200\n' });
    expect(limits()).toEqual({ cpus: 2.5, memoryBytes: 1000, memoryFreeBytes: 500 });
  });

  test('cgroup v1 limits inside a container are read at the mount point', async () => {
    await group('', { membership: '5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n' });
    await group('cpu', { 'cpu.cfs_quota_us': '50000\n', 'cpu.cfs_period_us': '100000\n' });
    expect(limits()).toEqual({ ...unlimited, cpus: 0.5 });
  });

  test('cgroup v1 values -1 and the greatest number of pages are no limit', async () => {
    await group('', { membership: '5:cpu:/\n4:memory:/\n' });
    await group('cpu', { 'cpu.cfs_quota_us': '-1\n', 'cpu.cfs_period_us': '100000\n' });
    await group('memory', { 'memory.limit_in_bytes': '9223372036854771712\n', 'memory.usage_in_bytes': '5\n' });
    expect(limits()).toEqual(unlimited);
  });
});

test.each([
  [8, null, 8],
  [8, 2.5, 2],
  [2, 4, 2],
  [4, 0.5, 1],
])('of %s CPUs by affinity and a quota of %s, %s may be used', (affinity, quota, cpus) => {
  expect(cpusOf(affinity, quota)).toBe(cpus);
});

test('every part of the package reports the same number of CPUs', async () => {
  const cpus = usableCpus();
  const { cpu_count } = await fetchResourceDataSource(undefined);
  expect([cpu_count, defaultTarget().cores, threadCount()]).toEqual([cpus, cpus, cpus]);
  expect(cpus).toBeLessThanOrEqual(os.availableParallelism());
});
