/** Code that runs inside of the command's process before its own, by NODE_OPTIONS: faults that signals set off. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** The environment of a process whose main thread runs `code`, an ES module's text, before its own. */
export function preloaded(code: string): NodeJS.ProcessEnv {
  const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-preload-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [first, preload] = [path.join(folder, 'first.mjs'), path.join(folder, 'preload.mjs')];
  writeFileSync(preload, code);
  writeFileSync(
    first,
    `import { isMainThread } from 'node:worker_threads';
    if (isMainThread) await import(${JSON.stringify(preload)});`,
  );
  return { NODE_OPTIONS: `--import=${first}` };
}

/** One whose main thread runs `code` at SIGUSR2. */
export const atSignal = (code: string) => preloaded(`process.on('SIGUSR2', () => { ${code} });`);

/** Code that keeps the thread busy with nothing else for so long. */
export const blockFor = (ms: number) => `const end = performance.now() + ${ms}; while (performance.now() < end);`;

/** One whose control group has 1,000 MiB of memory, of which 500 are used; at SIGUSR2 900, at the next 500 again. */
export function withMemory(): NodeJS.ProcessEnv {
  return preloaded(`
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    let used = 500;
    process.on('SIGUSR2', () => { used = 1400 - used; });
    const { readFileSync } = fs;
    const texts = {
      '/proc/self/cgroup': () => '0::/own\\n',
      '/sys/fs/cgroup/own/memory.max': () => String(1000 * 2 ** 20),
      '/sys/fs/cgroup/own/memory.current': () => String(used * 2 ** 20),
      '/sys/fs/cgroup/own/memory.stat': () => 'inactive_file 0\\n',
    };
    fs.readFileSync = (file, ...rest) => texts[file]?.() ?? readFileSync(file, ...rest);
    syncBuiltinESMExports();`);
}
