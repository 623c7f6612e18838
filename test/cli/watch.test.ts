import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const main = path.resolve(import.meta.dirname, '../../dist/cli/main.js');
const env = { ...process.env, DTESN_SOURCE_DEADLINE_MS: '20000', DTESN_UNITS: '32' };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn-watch-'));
  writeFileSync(
    path.join(folder, 'options.mjs'),
    `export default { sources: [{ name: 'queue', fetch: () => ({ length: 3 }) }] };`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs until its output satisfies `enough`, then interrupts it. */
async function watch(args: string[], enough: (output: string) => boolean) {
  const child = spawn(process.execPath, [main, 'sources', '--watch', '--interval', '0.1', ...args], { env });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    if (enough(output)) child.kill('SIGINT');
  });
  const [code] = await once(child, 'exit');
  return { code, output };
}

describe('dtesn sources --watch', { tags: ['slow'] }, () => {
  test('dtesn sources --watch shows sources, times, caches and quality repeatedly until it is interrupted', async () => {
    const { code, output } = await watch([], (text) => text.split('Sources, since the start').length > 3);
    expect(code).toBe(130);
    for (const word of ['performance', 'Times', 'token ids', 'last hour']) expect(output).toContain(word);
  });

  test('dtesn sources --watch --json writes one JSON object per line, with the sources from --options', async () => {
    const options = ['--json', '--options', path.join(folder, 'options.mjs')];
    const { code, output } = await watch(options, (text) => text.split('\n').length > 2);
    expect(code).toBe(130);
    const [first] = output.split('\n');
    const { data, metrics } = JSON.parse(first!);
    expect(data.sources.queue).toMatchObject({ state: 'ok', data: { length: 3 } });
    expect(metrics.sources.queue.requests).toBe(1);
  });

  test('an invalid --interval is wrong usage', async () => {
    const child = spawn(process.execPath, [main, 'sources', '--watch', '--interval', 'soon'], { env });
    const [code] = await once(child, 'exit');
    expect(code).toBe(2);
  });
});
