/** `dtesn search` as a user runs it, and as it is ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Esn, search } from '../../src/index.js';
import { dtesn, main } from './run-command.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-search-command-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => path.join(folder, name);

const rows = Array.from({ length: 400 }, (_, t) => [3 + Math.sin(t / 5), Math.cos(t / 9) * Math.sin(t / 31)]);
writeFileSync(at('waves.csv'), `up,down\n${rows.map((row) => row.join(',')).join('\n')}\n`);
writeFileSync(
  at('sum.csv'),
  `a,b,sum\n${rows.map(([a, b], t) => [a, b, t === 7 ? '' : a! + b!].join(',')).join('\n')}\n`,
);
const small = ['--units', '20..40', '--json'];
const untimed = (text: string) => {
  const { best, table } = JSON.parse(text) as { best: object; table: object[] };
  return JSON.parse(JSON.stringify({ best, table }, (key, value) => (key === 'milliseconds' ? 0 : value))) as object;
};

describe('dtesn search', () => {
  test('finds what the library finds, and saves and draws it', async () => {
    const args = ['search', at('waves.csv'), '--budget', '6', '--seeds', '2', '--horizon', '30', ...small];
    const ended = await dtesn([...args, '--save', at('best.model'), '--plot', at('search.svg')]);
    expect([ended.status, ended.stderr]).toEqual([0, expect.stringContaining('dtesn: search ...')]);
    const space = {
      units: { low: 20, high: 40, scale: 'integer' },
      leak: { low: 0.1, high: 1, scale: 'linear' },
      spectralRadius: { low: 0.1, high: 1.3, scale: 'linear' },
      inputScaling: { low: 0.01, high: 1, scale: 'log' },
      biasScaling: { low: 0.01, high: 1, scale: 'log' },
      washout: 40,
      scale: 'standard',
    } as const;
    const wanted = await search(space, rows, { budget: 6, seeds: 2, horizon: 30 });
    expect(untimed(ended.stdout)).toEqual(untimed(JSON.stringify(wanted)));
    expect(JSON.parse(ended.stdout)).toMatchObject({
      scoreIs: 'NRMSE',
      model: at('best.model'),
      outputs: ['up', 'down'],
    });
    const [saved, fitted] = [await Esn.load(at('best.model')), new Esn(wanted.best!.options).fit(rows)];
    expect([...saved.forecast({ steps: 3 }).data]).toEqual([...fitted.forecast({ steps: 3 }).data]);
    expect(readFileSync(at('search.svg'), 'utf8').slice(0, 4)).toBe('<svg');
  });

  test('prints the best candidates, the best one first', async () => {
    const args = ['--target', 'sum', '--budget', '12', '--units', '30', '--ridge', '1e-8..1e-4'];
    const { stdout, status } = await dtesn(['search', at('sum.csv'), ...args]);
    const [head, ...listed] = stdout.trim().split('\n').slice(6);
    expect([status, head!.trim().split(/ +/).slice(0, 2), listed.length]).toEqual([0, ['score', 'units'], 10]);
    const scores = listed.map((line) => Number(line.trim().split(/ +/)[0]));
    expect(scores).toEqual([...scores].sort((a, b) => a - b));
    expect(stdout).toContain('MSE / variance, less is better');
  });

  test.each([
    [['--budget', '0'], 2, /Expected a whole number, 1 or more, for --budget/],
    [['--units', '20..x'], 2, /Expected a number for --units but received "x"/],
    [['--leak', '1..0.5'], 2, /--leak/],
    [['--horizon', '900'], 2, /horizon/],
    [['--target', 'up', '--horizon', '5'], 2, /no horizon/],
    [['--leak', '2'], 2, /number above 0, up to 1 for --leak but received 2/],
    [['--units', '0'], 2, /whole number from 1 to \d+ for --units but received 0/],
    [['--units', '20..30.5'], 2, /--units but received 30\.5/],
    [['--ridge=-1'], 2, /--ridge but received -1/],
    [['--ridge', '1e-300..1e300'], 2, /--ridge/],
    [['--ridge', '1e-300..1'], 2, /--ridge/],
    [['--spectral-radius', '0'], 2, /--spectral-radius/],
    [['--input-scaling', '0..1'], 2, /--input-scaling/],
    [['--washout', '1000'], 2, /whole number from 0 to 98.* for --washout but received 1000/],
    [['--washout', '1.5'], 2, /--washout but received 1\.5/],
    [['--save', at('none/best.model')], 2, /folder that exists for --save/],
    [['--plot', at('none/best.svg')], 2, /folder that exists for --plot/],
    [['--file', at('none/best.jsonl')], 2, /folder that exists for --file/],
    [['--save', folder], 2, /is a folder/],
    [['--file', at('waves.csv'), '--budget', '2'], 1, /no file of a search/],
  ])('%j is refused with a reason', async (args, status, reason) => {
    const ended = await dtesn(['search', at('waves.csv'), ...args]);
    expect([ended.status, ended.stdout]).toEqual([status, '']);
    expect(ended.stderr).toMatch(reason);
  });
});

test('the widest ridges, the longest washout and the score of one step', async () => {
  const args = ['--budget', '2', '--ridge', '1e-100..1e100', '--washout', '98', '--horizon', '1.0', ...small];
  const { status, stdout } = await dtesn(['search', at('waves.csv'), ...args]);
  expect([status, (JSON.parse(stdout) as { scoreIs: string }).scoreIs]).toEqual([0, 'MSE / variance']);
});

test('what was found is printed where it cannot be written', async () => {
  // Its name is too long for the file beside it that is written first.
  const long = at(`${'x'.repeat(240)}.model`);
  const { status, stdout, stderr } = await dtesn([
    'search',
    at('waves.csv'),
    '--budget',
    '2',
    '--save',
    long,
    ...small,
  ]);
  expect([status, JSON.parse(stdout)]).toMatchObject([1, { model: null, best: { options: {} } }]);
  expect(stderr).toMatch(/ENAMETOOLONG/);
});

describe('a search with a file', () => {
  const args = ['search', at('waves.csv'), '--budget', '16', '--seeds', '2', '--horizon', '40', '--units', '100..150'];
  const linesOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0);

  /** Runs until the file has so many more lines, then sends the signal. */
  async function endedAfter(file: string, more: number, signal: 'SIGKILL' | 'SIGINT') {
    const child = spawn(process.execPath, [main, ...args, '--json', '--file', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk);
    });
    const from = linesOf(file);
    const watch = setInterval(() => {
      if (linesOf(file) < from + more) return;
      clearInterval(watch);
      child.kill(signal);
    }, 2);
    const [code, by] = (await once(child, 'close')) as [number | null, string | null];
    clearInterval(watch);
    return { code, by, stderr };
  }

  test('that is killed goes on where it was, and ends with the same table but for its times', {
    timeout: 60_000,
  }, async () => {
    const file = at('killed.jsonl');
    const whole = await dtesn([...args, '--json']);
    for (const more of [5, 7, 3]) expect((await endedAfter(file, more, 'SIGKILL')).by).toBe('SIGKILL');
    const kept = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    expect(kept.length).toBeLessThan(1 + 32);
    const rest = await dtesn([...args, '--json', '--file', file]);
    expect(untimed(rest.stdout)).toEqual(untimed(whole.stdout));
    const all = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    // What was scored before is not scored again.
    expect([all.slice(0, kept.length), all.length]).toEqual([kept, 1 + 32]);
  });

  test('that Ctrl-C ends says how it goes on', { timeout: 30_000 }, async () => {
    const file = at('interrupted.jsonl');
    const { code, stderr } = await endedAfter(file, 4, 'SIGINT');
    expect([code, stderr]).toEqual([130, expect.stringContaining('the same command goes on with it')]);
    expect(linesOf(file)).toBeGreaterThan(3);
    expect(readFileSync(file, 'utf8').endsWith('\n')).toBe(true);
  });
});
