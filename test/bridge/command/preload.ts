/** Faults inside of the command's process, loaded before it by NODE_OPTIONS and set off by signals. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** The environment of a process whose main thread runs `code` at SIGUSR2. */
export function atSignal(code: string): NodeJS.ProcessEnv {
  const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-preload-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'preload.mjs');
  const whole = `
    import { isMainThread } from 'node:worker_threads';
    if (isMainThread) process.on('SIGUSR2', () => { ${code} });`;
  writeFileSync(file, whole);
  return { NODE_OPTIONS: `--import=${file}` };
}

/** Code that keeps the thread busy with nothing else for so long. */
export const blockFor = (ms: number) => `const end = performance.now() + ${ms}; while (performance.now() < end);`;
