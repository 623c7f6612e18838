import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pressure } from '../../src/host/index.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'dtesn-pressure-'));
});
afterEach(() => rm(root, { recursive: true }));

async function file(name: string, text: string) {
  await mkdir(path.dirname(path.join(root, name)), { recursive: true });
  await writeFile(path.join(root, name), text);
}
const text = (avg10: string) =>
  `some avg10=${avg10} avg60=0.00 avg300=0.00 total=1\nfull avg10=99.00 avg60=0.00 avg300=0.00 total=1\n`;
const measured = () => pressure(path.join(root, 'proc'), path.join(root, 'mount'));

test('pressure is read from the own cgroup, else from the host', async () => {
  await file('proc/self/cgroup', '0::/pod\n');
  await file('proc/pressure/cpu', text('50.00'));
  await file('proc/pressure/io', text('3.25'));
  await file('mount/pod/cpu.pressure', text('12.50'));
  expect(measured()).toEqual({ cpu: 0.125, memory: null, io: 0.0325 });
});

test('pressure is unknown when the kernel does not report it', async () => {
  expect(measured()).toEqual({ cpu: null, memory: null, io: null });
  await file('proc/pressure/cpu', 'another format\n');
  expect(measured().cpu).toBeNull();
});
