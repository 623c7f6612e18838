/** How the command says that something is wrong: the reason is the last line, in plain words, and names the flag or the file. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dtesn } from './run-command.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn-errors-'));
  mkdirSync(path.join(folder, 'folder'));
  writeFileSync(path.join(folder, 'file'), 'x');
  writeFileSync(path.join(folder, 'number.mjs'), 'export default 1');
  writeFileSync(path.join(folder, 'broken.mjs'), 'throw new Error("no luck")');
});
afterAll(() => rmSync(folder, { recursive: true }));

const refused = 'http://127.0.0.1:1';
const cases: [string[], number, string, string][] = [
  [
    ['process', 'file', '--options', 'broken.mjs'],
    1,
    'ERR_DTESN_ARGUMENT',
    'broken.mjs (--options) cannot be loaded: Error: no luck',
  ],
  [['process'], 2, 'ERR_DTESN_ARGUMENT', 'Expected a file, - for standard input, or --text'],
  [['process', 'no-such-file'], 1, 'ENOENT', 'no-such-file (the input) does not exist'],
  [['process', 'folder'], 1, 'EISDIR', 'folder (the input) is a folder, not a file'],
  [['process', 'file', '--options', 'none.mjs'], 1, 'ENOENT', 'none.mjs (--options) does not exist'],
  [['process', 'file', '--options', 'folder'], 1, 'EISDIR', 'folder (--options) is a folder, not a file'],
  [
    ['process', 'file', '--options', 'number.mjs'],
    2,
    'ERR_DTESN_ARGUMENT',
    'Expected an object as the default export of number.mjs (--options)',
  ],
  [['process', 'file', '--engine', refused, '--model-dir', 'none'], 1, 'ENOENT', 'none (--model-dir) does not exist'],
  [
    ['process', 'file', '--engine', refused, '--model-dir', 'file'],
    1,
    'ENOTDIR',
    'Expected a folder or a .gguf file for --model-dir but file is another file',
  ],
  [
    ['sources', '--engine', 'localhost:8000'],
    2,
    'ERR_DTESN_ARGUMENT',
    'Expected an http or https URL without user, query or fragment for --engine but received the string "localhost:8000"',
  ],
  [
    ['sources', '--model-dir', 'folder'],
    2,
    'ERR_DTESN_ARGUMENT',
    'Expected --engine URL with --model-dir: without an engine it has no effect',
  ],
  [
    ['sources', '--strict'],
    2,
    'ERR_DTESN_ARGUMENT',
    'Expected --engine URL with --strict: without an engine it has no effect',
  ],
  [['sources', '--engine'], 2, 'ERR_DTESN_ARGUMENT', 'Expected URL after --engine'],
  [
    ['sources', '--engine', '--watch'],
    2,
    'ERR_DTESN_ARGUMENT',
    'Expected URL after --engine but received --watch (or --engine=--watch)',
  ],
  [['sources', '--wtach'], 2, 'ERR_DTESN_ARGUMENT', 'Unknown flag --wtach; did you mean --watch?'],
  [['sources', 'x'], 2, 'ERR_DTESN_ARGUMENT', 'Unexpected argument x'],
  [['doctor', '--json=yes'], 2, 'ERR_DTESN_ARGUMENT', 'Expected no value for --json'],
];

const inFolder = (args: string[]) =>
  args.map((arg) => (/^(file|folder|number\.mjs|broken\.mjs|none.*)$/.test(arg) ? path.join(folder, arg) : arg));
const said = (text: string) => text.replaceAll(`${folder}${path.sep}`, '');

describe('the last line on standard error is the reason, without a page of usage or a stack', () => {
  test.each(cases)('%j: %i %s', async (args, status, code, message) => {
    const ended = await dtesn(inFolder(args));
    const hint = status === 2 ? ` (see dtesn ${args[0]} --help)` : ` (${code})`;
    expect(said(ended.stderr)).toBe(`dtesn: ${message}${hint}\n`);
    expect([ended.status, ended.stdout]).toEqual([status, '']);
  });

  test('a command that is unknown', async () => {
    const { status, stderr } = await dtesn(['proces']);
    expect([status, stderr]).toEqual([2, 'dtesn: Unknown command proces; did you mean process? (see dtesn --help)\n']);
  });
});

describe('with --json an error is one object on standard output', () => {
  test.each(cases.filter(([args]) => !args.some((arg) => arg.startsWith('--json'))))(
    '%j',
    async (args, status, code, message) => {
      // The flag stands first: it is no value of what ends the line.
      const [command = '', ...rest] = inFolder(args);
      const ended = await dtesn([command, '--json', ...rest]);
      const { error } = JSON.parse(ended.stdout);
      expect({ ...error, message: said(error.message) }).toEqual({ code, message });
      expect([ended.status, ended.stderr]).toEqual([status, '']);
    },
  );
});

describe('an engine that was named and does not answer', () => {
  const sentence = `The engine ${refused} did not answer: GET /v1/models: nothing listens on ${refused}`;

  test('is a note beside the answer', async () => {
    const { status, stdout, stderr } = await dtesn(['sources', '--engine', refused]);
    expect([status, stderr.split('\n').at(-2)]).toEqual([
      0,
      `dtesn: ${sentence}. The plan rests on defaults; --strict makes this an error`,
    ]);
    expect(stdout).toContain('ERR_DTESN_ENGINE_REFUSED');
  });

  test('ends a strict command with 1, also where the environment names it', async () => {
    const strict = await dtesn(['sources', '--strict'], { DTESN_ENGINE_URL: refused });
    expect([strict.status, strict.stdout]).toEqual([1, '']);
    expect(strict.stderr.split('\n').at(-2)).toBe(`dtesn: ${sentence} (ERR_DTESN_ENGINE_REFUSED)`);
    const json = await dtesn(['process', '--text', 'x', '--strict', '--json', '--engine', refused]);
    expect(json.status).toBe(1);
    expect(JSON.parse(json.stdout)).toEqual({ error: { code: 'ERR_DTESN_ENGINE_REFUSED', message: sentence } });
  });
});
