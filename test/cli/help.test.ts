import { describe, expect, test } from 'vitest';
import type { Command } from '../../src/cli/command.js';
import { commandNames, commands } from '../../src/cli/commands.js';
import { overview, pageOf } from '../../src/cli/help.js';
import { widthOf } from '../../src/cli/wrap.js';
import { dtesn } from './run-command.js';

describe('help', () => {
  test('the overview names every command', () => {
    for (const name of commandNames) expect(overview(80)).toMatch(new RegExp(`^  dtesn ${name}( |$)`, 'm'));
  });

  test.each(commandNames)('the page of %s explains every flag', (name) => {
    const { flags }: Command = commands[name];
    const page = pageOf(name, Number.POSITIVE_INFINITY);
    for (const [long, { about }] of Object.entries(flags)) {
      expect(page).toContain(`--${long}`);
      expect(page).toContain(about);
    }
  });

  test.each([20, 40, 60, 80, 120])('no page is wider than %i columns', (columns) => {
    const pages = [overview(columns), ...commandNames.map((name) => pageOf(name, columns))];
    const lines = pages.flatMap((page) => page.split('\n').slice(columns < 60 ? 2 : 0));
    const listed = lines.filter((line) => line.startsWith('  '));
    expect(listed.filter((line) => widthOf(line) > columns)).toEqual([]);
  });

  test('limits stand in it', () => {
    expect(pageOf('process', 200)).toContain('at most 1,048,576 characters');
  });

  test('dtesn help COMMAND, dtesn COMMAND --help and -h print the same page', async () => {
    const [first, second, third] = await Promise.all(
      [
        ['help', 'process'],
        ['process', '--help'],
        ['process', '--text', 'x', '-h'],
      ].map((args) => dtesn(args)),
    );
    expect(first).toEqual({ status: 0, stdout: `${pageOf('process', Number.POSITIVE_INFINITY)}\n`, stderr: '' });
    expect([second, third]).toEqual([first, first]);
  });

  test('a text of one character more than the limit of the page is refused', { tags: ['slow'] }, async () => {
    const { encodeInput } = await import('../../src/encoding/index.js');
    await expect(encodeInput('x'.repeat(1_048_577), {})).rejects.toThrow(/1048576 characters or fewer/);
  });
});
