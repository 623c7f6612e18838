/** What the shells complete: each is run with the script it is given, where it is installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Command } from '../../src/cli/command.js';
import { commandNames, commands, shells } from '../../src/cli/commands.js';
import { completionScript } from '../../src/cli/completion.js';
import { dtesn } from './run-command.js';

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;
const flagsOf = (name: keyof typeof commands) =>
  Object.keys((commands[name] as Command).flags).map((long) => `--${long}`);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn completion '));
  for (const shell of shells) writeFileSync(path.join(folder, shell), completionScript(shell));
  mkdirSync(path.join(folder, 'a folder'));
  writeFileSync(path.join(folder, 'a file.txt'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

test('dtesn completion prints the script, and names the shells otherwise', async () => {
  for (const shell of shells) {
    expect(await dtesn(['completion', shell])).toEqual({ status: 0, stdout: completionScript(shell), stderr: '' });
  }
  const wrong = await dtesn(['completion', 'csh']);
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('one of bash, zsh, fish')]);
});

test.each(shells)('the script of %s has every command and every flag', (shell) => {
  const script = completionScript(shell);
  for (const name of commandNames) {
    expect(script).toContain(name);
    for (const flag of flagsOf(name)) expect(script).toContain(shell === 'fish' ? `-l ${flag.slice(2)}` : flag);
  }
});

describe.skipIf(!has('bash'))('bash (skipped: not installed)', () => {
  function completed(...words: string[]): string[] {
    const code = `source ./bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dtesn; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const output = execFileSync('bash', ['-c', code, 'bash', 'dtesn', ...words], { cwd: folder, encoding: 'utf8' });
    return output.split('\n').filter(Boolean);
  }

  test('completes commands', () => {
    expect(completed('')).toEqual([...commandNames, '--help', '--version']);
    expect(completed('pro')).toEqual(['process']);
  });

  test.each(commandNames)('completes every flag of %s', (name) => {
    expect(completed(name, '--')).toEqual(flagsOf(name));
  });

  test('completes values: of a list, folders, files, and nothing where nothing is known', () => {
    expect(completed('bridge', '--log-level', 'w')).toEqual(['warn']);
    expect(completed('simulate', '--fault', 'h')).toEqual(['hang@']);
    expect(completed('completion', '')).toEqual(['--help', ...shells]);
    expect(completed('help', 'si')).toEqual(['simulate']);
    expect(completed('bridge', '--state-dir', 'a')).toEqual(['a folder']);
    expect(completed('process', 'a')).toEqual(expect.arrayContaining(['a folder', 'a file.txt']));
    expect(completed('process', '--text', '')).toEqual([]);
  });
});

describe.skipIf(!has('zsh'))('zsh (skipped: not installed)', () => {
  test('reads its script and has the function', () => {
    const code = 'autoload -Uz compinit && compinit -D -u && source ./zsh && whence -w _dtesn && echo $_comps[dtesn]';
    const output = execFileSync('zsh', ['-fc', code], { cwd: folder, encoding: 'utf8' });
    expect(output).toBe('_dtesn: function\n_dtesn\n');
  });
});

describe.skipIf(!has('fish'))('fish (skipped: not installed)', () => {
  const completed = (line: string) =>
    execFileSync('fish', ['--no-config', '-c', `source ./fish; complete -C ${JSON.stringify(line)}`], {
      cwd: folder,
      encoding: 'utf8',
    })
      .split('\n')
      .map((row) => row.split('\t')[0]);

  test('completes commands, flags and values', () => {
    expect(completed('dtesn ')).toEqual(expect.arrayContaining([...commandNames]));
    for (const name of commandNames) {
      expect(completed(`dtesn ${name} --`)).toEqual(expect.arrayContaining(flagsOf(name)));
    }
    expect(completed('dtesn bridge --log-level ')).toEqual(expect.arrayContaining(['debug', 'info', 'warn', 'error']));
  });
});
