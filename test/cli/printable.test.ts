/** Texts of others on a terminal: no control character, no turned direction, no line of their own. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { json, printable } from '../../src/cli/printable.js';
import { json as answer, goodEngine, modelCard, serveEngine } from '../faults/engine-server.js';

const acting = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const hostile = [...Array(0x10000).keys()].map((code) => String.fromCharCode(code)).filter((one) => acting.test(one));

test('every control and bidirectional character is removed, line breaks become one space', () => {
  expect(hostile).toHaveLength(65 + 14);
  expect(printable(hostile.join('x'))).not.toMatch(acting);
  expect(printable('a\r\n\t\u2028b\u001b]0;title\u0007c\u009b31md\u202ee')).toBe('a b]0;titlec31mde');
  expect(printable('naïve 日本 🌲 → µ')).toBe('naïve 日本 🌲 → µ');
});

test('keys and texts of a nested value are cleaned, and its numbers are unchanged', () => {
  const numbers = [1, 2];
  const value = printable({ 'a\u001b': ['b\r', null, { c: '\u202ed', on: true }], numbers });
  expect(value).toEqual({ a: ['b ', null, { c: 'd', on: true }], numbers: [1, 2] });
  expect(value.numbers).toBe(numbers);
});

test('JSON escapes the characters and parses to the same value', () => {
  const value = { model: hostile.join('') };
  expect(json(value)).not.toMatch(acting);
  expect(JSON.parse(json(value))).toEqual(value);
});

const main = path.resolve(import.meta.dirname, '../../dist/cli/main.js');
const evil = 'evil\u001b]0;owned\u0007\u001b[31m\rSources  quality 1.00\n\u009b2J\u202emodel';

function dtesn(args: string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env, FORCE_COLOR: '0', DTESN_SOURCE_DEADLINE_MS: '20000' };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env, maxBuffer: 1 << 26 }, (_, stdout, stderr) =>
      resolve({ stdout, stderr }),
    );
  });
}

describe('dtesn prints nothing that a model, a file or an error writes for the terminal:', { tags: ['slow'] }, () => {
  const lines = (text: string) => text.replaceAll('\n', '');

  test.each([['sources'], ['sources', '--json'], ['process', '--text', 'x'], ['process', '--text', 'x', '--json']])(
    'dtesn prints no terminal control characters from a model name: %s %s',
    async (...args) => {
      const models = answer({ data: [{ ...modelCard, id: evil, root: evil }] });
      const server = await serveEngine({ ...goodEngine, '/v1/models': models });
      const { stdout } = await dtesn([...args, '--engine', server.url]);
      await server.close();
      expect(stdout).toContain('model');
      expect(stdout).toContain('owned');
      expect(lines(stdout)).not.toMatch(acting);
      expect(stdout).not.toMatch(/^Sources {2}quality 1\.00$/m);
    },
  );

  test('dtesn prints no terminal control characters from file names', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'dtesn-printable-'));
    const file = path.join(folder, evil.replaceAll('/', ''));
    await writeFile(file, 'x');
    const shown = await dtesn(['process', file]);
    const absent = await dtesn(['process', `${file}-absent`]);
    const unknown = await dtesn([evil]);
    await rm(folder, { recursive: true });
    expect(shown.stdout).toContain('owned');
    expect(absent.stderr).toContain('owned');
    for (const text of [shown.stdout, shown.stderr, absent.stderr, unknown.stderr]) {
      expect(lines(text)).not.toMatch(acting);
    }
  });
});
