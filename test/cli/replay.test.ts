/** `dtesn replay` as a user runs it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const main = path.resolve(import.meta.dirname, '../../dist/cli/main.js');
const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

const trace = path.join(folder, 'trace.jsonl');
const line = (i: number) =>
  JSON.stringify({ timestamp: 200 * i, input_length: 100 + 700 * (i % 4), output_length: 20 });
writeFileSync(trace, Array.from({ length: 300 }, (_, i) => line(i)).join('\n'));

const replay = (...args: string[]) => spawnSync(process.execPath, [main, 'replay', ...args], { encoding: 'utf8' });

describe('dtesn replay', () => {
  test('it prints a row for each rule, the same one each time', () => {
    const { stdout, stderr, status } = replay(trace, '--load', '3');
    expect(status).toBe(0);
    expect(stdout.split('\n').map((row) => row.split(/ {2,}/)[0])).toEqual(['rule', 'none', 'admit', 'oracle', '']);
    expect(stderr).toContain('replay with admit');
    expect(replay(trace, '--load', '3').stdout).toBe(stdout);
  });

  test('with --json it prints one object with the results', () => {
    const { stdout } = replay(
      trace,
      '--engines',
      '1,0.5',
      '--policy',
      'least-in-flight',
      '--policy',
      'tokens=8000',
      '--json',
    );
    const { engines, results } = JSON.parse(stdout);
    expect(engines).toEqual([{ speed: 1 }, { speed: 0.5 }]);
    expect(results).toMatchObject([{ policy: 'least-in-flight', rejected: 0 }, { policy: 'tokens=8000' }]);
    expect(results[0].requests).toBe(results[1].requests);
  });

  test.each([
    ['no trace', [], 2, 'Expected a TRACE'],
    ['an unknown rule', [trace, '--policy', 'fly'], 2, '--policy but received fly'],
    ['a rule without its number', [trace, '--policy', 'tokens'], 2, '--policy but received tokens'],
    ['a load that is no number', [trace, '--load', 'much'], 2, '--load but received much'],
    ['a load that is too high', [trace, '--load', '1000'], 2, '[0.001, 100] for load'],
    ['no engine', [trace, '--engines', '0'], 2, '--engines but received 0'],
    ['a file that is not there', [path.join(folder, 'none')], 1, 'none'],
  ])('%s is an error', (_, args, status, said) => {
    const ended = replay(...args);
    expect(ended.status).toBe(status);
    expect(ended.stderr).toContain(said);
  });
});
