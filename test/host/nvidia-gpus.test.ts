import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nvidiaGpus } from '../../src/host/index.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'dtesn-gpu-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A program in its place that prints this. */
async function says(output: string, status = 0): Promise<string> {
  const file = path.join(folder, 'nvidia-smi');
  await writeFile(file, `#!/bin/sh\nprintf '${output}'\nexit ${status}\n`);
  await chmod(file, 0o755);
  return file;
}

const onPosix = test.skipIf(process.platform === 'win32');

onPosix('each GPU is a line: name, memory in MiB, and how busy it is where it says so', async () => {
  const command = await says('NVIDIA H100, 80GB, 81559, 1024, 37\\nTesla T4, 15360, 0, [N/A]\\n');
  expect(await nvidiaGpus({ command: command })).toEqual([
    { name: 'NVIDIA H100, 80GB', memory_total_bytes: 81559 * 2 ** 20, memory_used_bytes: 2 ** 30, utilization: 0.37 },
    { name: 'Tesla T4', memory_total_bytes: 15360 * 2 ** 20, memory_used_bytes: 0, utilization: null },
  ]);
});

test('without nvidia-smi the list of GPUs is empty', async () => {
  expect(await nvidiaGpus({ command: path.join(folder, 'absent') })).toEqual([]);
});

onPosix('a program that fails, or says something else, leaves them unknown', async () => {
  expect(await nvidiaGpus({ command: await says('Failed to initialize NVML', 255) })).toBeNull();
  expect(await nvidiaGpus({ command: await says('no devices\\n') })).toBeNull();
});
