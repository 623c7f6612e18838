/** What the command writes on a terminal, through a pipe, and at Ctrl-C. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { widthOf } from '../../src/cli/wrap.js';
import { dtesn, hasPython, main, onTerminal } from './run-command.js';

describe.skipIf(!hasPython)('on a terminal (skipped: no python3)', () => {
  test.each([
    [40, ['--help']],
    [40, ['simulate', '--help']],
    [20, ['bridge', '--help']],
    [40, ['process', '--txt', 'x']],
    [40, ['process', 'a-file-that-does-not-exist-and-has-a-name-wider-than-the-terminal']],
  ] as [number, string[]][])('no line is wider than its %i columns: %j', async (columns, args) => {
    const { lines } = await onTerminal(columns, args);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.filter((line) => widthOf(line) > columns)).toEqual([]);
  });

  test.each([
    [40, ['process', '--text', 'hello']],
    [40, ['sources']],
    [40, ['doctor']],
    [100, ['sources']],
  ] as [number, string[]][])(
    'no line of a page, and of the progress before it, is wider than its %i columns: %j',
    { tags: ['slow'] },
    async (columns, args) => {
      const { status, lines } = await onTerminal(columns, args);
      expect(status).toBe(0);
      expect(lines.length).toBeGreaterThan(20);
      expect(lines.filter((line) => widthOf(line) > columns)).toEqual([]);
    },
  );

  test.each([
    [['sources', '--watch'], 'Times'],
    [['process', '--text', 'x'.repeat(100_000)], 'dtesn: building'],
    [['simulate', '--port', '0'], 'http://'],
  ] as [string[], string][])('Ctrl-C ends %j with 130', { tags: ['slow'] }, async (args, until) => {
    expect(await onTerminal(80, args, until)).toMatchObject({ status: 130 });
  });
});

test('through a pipe no line is broken', async () => {
  const { stdout } = await dtesn(['process', '--help'], { COLUMNS: '40' });
  const options = stdout.split('\n').find((line) => line.includes('--options FILE'));
  expect(options).toMatch(/an ES module whose default export .* for it is run$/);
});

test('Ctrl-C ends a command that waits for standard input with 130', async () => {
  const child = spawn(process.execPath, [main, 'process', '-']);
  const interrupt = setInterval(() => child.kill('SIGINT'), 20);
  const [code, signal] = await once(child, 'exit');
  clearInterval(interrupt);
  // Before the command listens the system ends it; a shell says 130 for that, too.
  expect(code ?? 128 + constants.signals[signal as 'SIGINT']).toBe(130);
});
