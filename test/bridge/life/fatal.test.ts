import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';

const source = new URL('../../../src/bridge/', import.meta.url).href;
const typescript = new URL('../../threads/typescript.mjs', import.meta.url).href;

/** A process that commits as it is told and then fails. */
function run(
  commit: string,
  fail: string,
): { status: number | null; lines: Record<string, unknown>[]; stdout: string } {
  const code = `
    import { writeSync } from 'node:fs';
    import { onFatal } from '${source}life/index.ts';
    import { LogWriter } from '${source}logs/index.ts';
    import { MetricsRegistry } from '${source}metrics/index.ts';
    const log = new LogWriter({ metrics: new MetricsRegistry() });
    onFatal({ log, commit: ${commit} });
    setInterval(() => {}, 1000);
    ${fail}
  `;
  const args = ['--import', typescript, '--input-type=module', '-e', code];
  const { status, stderr, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const lines = stderr
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  return { status, lines, stdout };
}

const throwSecret = `setTimeout(() => { throw Object.assign(new Error('a secret'), { code: 'EBROKEN' }); });`;

describe('onFatal', () => {
  test.each([
    ['uncaughtException', throwSecret],
    ['unhandledRejection', `void Promise.reject(Object.assign(new Error('a secret'), { code: 'EBROKEN' }));`],
  ])('%s: one line without the message, a commit, exit 70', (kind, fail) => {
    const { status, lines, stdout } = run(`async () => void writeSync(1, 'committed')`, fail);
    expect([status, stdout]).toEqual([70, 'committed']);
    expect(lines).toEqual([
      {
        ts: expect.any(String),
        level: 'error',
        msg: 'fatal',
        kind,
        name: 'Error',
        code: 'EBROKEN',
        stack: expect.any(String),
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  test('a commit that fails or never ends is logged and the exit is 70', () => {
    const failed = run(`async () => { throw Object.assign(new Error(), { code: 'EIO' }); }`, throwSecret);
    const late = run(`() => new Promise(() => {})`, throwSecret);
    expect([failed.status, late.status]).toEqual([70, 70]);
    expect([failed.lines[1]!['code'], late.lines[1]!['code']]).toEqual(['EIO', 'late']);
  });

  test('a second failure during the commit exits at once', () => {
    const { status, lines } = run(`() => new Promise(() => setTimeout(() => { throw new TypeError(); }))`, throwSecret);
    expect(status).toBe(70);
    expect(lines.map(({ name }) => name)).toEqual(['Error', 'TypeError']);
  });
});
