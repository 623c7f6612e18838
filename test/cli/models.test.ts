/** `dtesn fit`, `predict`, `forecast` and `classify` as a user runs them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Esn, EsnClassifier } from '../../src/index.js';
import { numpyFile } from '../datasets/numpy-files.js';
import { dtesn } from './run-command.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-models-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => path.join(folder, name);

const steps = 400;
const wave = (t: number) => [3 + Math.sin(t / 5), Math.cos(t / 9)];
const rows = Array.from({ length: steps }, (_, t) => wave(t));
writeFileSync(at('waves.csv'), `up,"down"\n${rows.map((row) => row.join(',')).join('\n')}\n`);
writeFileSync(
  at('sum.csv'),
  `a;b;sum\r\n${rows.map(([a, b], t) => [a, b, t === 7 ? '' : a! + b!].join(';')).join('\r\n')}\r\n`,
);
const tone = (i: number) => Array.from({ length: 20 + (i % 9) }, (_, t) => Math.sin((i % 2 ? 0.4 : 0.7) * t + i));
const labelled = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, k) => [...tone(from + k), (from + k) % 2 ? 'low' : 'high'].join(',')).join(
    '\n',
  );
writeFileSync(at('tones.csv'), labelled(0, 40));
writeFileSync(at('more.csv'), labelled(40, 60));

/** The rows of a CSV answer, and the names of its columns. */
function table(text: string): { names: string[]; values: number[][] } {
  const [first = '', ...lines] = text.trim().split('\n');
  return { names: first.split(','), values: lines.map((line) => line.split(',').map(Number)) };
}

function near(values: number[][], wanted: number[][], tolerance: number): void {
  expect(values.length).toBe(wanted.length);
  values.forEach((row, t) => {
    expect(row.length).toBe(wanted[t]!.length);
    row.forEach((value, k) => {
      expect(Math.abs(value - wanted[t]![k]!)).toBeLessThan(tolerance);
    });
  });
}

const after = Array.from({ length: 20 }, (_, t) => wave(steps + t));

describe('dtesn fit, predict and forecast', () => {
  test('a network that was fitted to the next step forecasts those after the end', async () => {
    const fitted = await dtesn(['fit', at('waves.csv'), '--units', '60', '--save', at('waves.model'), '--json']);
    expect(fitted.stderr.split('\n')).toContain('dtesn: train ...');
    expect(JSON.parse(fitted.stdout)).toMatchObject({
      steps,
      inputs: ['up', 'down'],
      outputs: ['up', 'down'],
      units: 60,
    });
    expect(JSON.parse(fitted.stdout).scoreOfLastFifth).toBeGreaterThan(0.999);
    const args = ['forecast', at('waves.csv'), '--steps', '20'];
    const [saved, trained] = [
      await dtesn([...args, '--model', at('waves.model')]),
      await dtesn([...args, '--units', '60']),
    ];
    expect(table(saved.stdout).names).toEqual(['up', 'down']);
    near(table(saved.stdout).values, after, 1e-3);
    near(table(trained.stdout).values, table(saved.stdout).values, 1e-6);
    const { data } = (await Esn.load(at('waves.model'))).forecast({ steps: 20 });
    expect([saved.status, trained.status, data.length]).toEqual([0, 0, 40]);
  });

  test('columns named by --target are predicted from the others, where an empty cell is not learned', async () => {
    const fitted = await dtesn(['fit', at('sum.csv'), '--target', 'sum', '--units', '60', '--save', at('sum.model')]);
    expect(fitted.stdout).toContain('outputs  sum');
    expect(fitted.stdout).toMatch(/R² {7}[01]\.\d{4}/);
    const args = ['predict', at('sum.csv'), '--target', 'sum', '--model', at('sum.model')];
    const { stdout } = await dtesn(args);
    near(
      table(stdout).values.slice(50),
      rows.slice(50).map(([a, b]) => [a! + b!]),
      1e-3,
    );
    const written = await dtesn([...args, '--out', at('out.csv')]);
    expect([written.stdout, readFileSync(at('out.csv'), 'utf8')]).toEqual(['', stdout]);
    const asJson = JSON.parse((await dtesn([...args, '--json'])).stdout);
    expect(asJson).toMatchObject({ columns: ['sum'], rows: table(stdout).values });
  });

  test('--plot writes an SVG', async () => {
    const { status } = await dtesn([
      'forecast',
      at('waves.csv'),
      '--units',
      '30',
      '--steps',
      '5',
      '--plot',
      at('f.svg'),
    ]);
    expect([status, readFileSync(at('f.svg'), 'utf8').slice(0, 4)]).toEqual([0, '<svg']);
  });

  test('a .npy file is a series of numbered columns', async () => {
    writeFileSync(at('short.npy'), numpyFile('float64'));
    const { stdout } = await dtesn(['fit', at('short.npy'), '--json']);
    expect(JSON.parse(stdout).error.message).toMatch(/has 2 steps, and a fit needs 20/);
  });

  test.each([
    [['fit'], 2, /Expected a file/],
    [['fit', at('none.csv')], 1, /none\.csv \(the series\) does not exist/],
    [['fit', at('waves.csv'), '--units', 'x'], 2, /Expected a number for --units/],
    [['fit', at('waves.csv'), '--leak', '2'], 2, /Expected a number in \(0, 1\]/],
    [['fit', at('waves.csv'), '--target', 'left'], 2, /Unknown column left for --target; there are up, down/],
    [['fit', at('waves.csv'), '--target', 'up,down'], 2, /Expected a column that is no --target/],
    [['fit', at('tones.csv')], 1, /cells in row/],
    [['predict', at('waves.csv')], 2, /Expected --model/],
    [['predict', at('waves.csv'), '--model', at('waves.csv')], 1, /waves\.csv is .*no model/],
    [['forecast', at('waves.csv'), '--steps', '0'], 2, /Expected a whole number, 1 or more, for --steps/],
    [['classify', at('waves.csv'), '--model', 'a', '--save', 'b'], 2, /not both/],
  ])('%j is refused with a reason', async (args, status, reason) => {
    const ended = await dtesn(args);
    expect([ended.status, ended.stdout]).toEqual([status, '']);
    expect(ended.stderr).toMatch(reason);
  });
});

describe('dtesn classify', () => {
  test('learns series, labels others, and saves the classifier', async () => {
    const model = at('tones.model');
    const first = await dtesn([
      'classify',
      at('tones.csv'),
      '--test',
      at('more.csv'),
      '--units',
      '50',
      '--save',
      model,
    ]);
    expect(first.stderr).toContain('20 of 20 labels are right (accuracy 1.0000)');
    const again = await dtesn(['classify', at('more.csv'), '--model', model]);
    expect(again.stdout).toBe(first.stdout);
    expect((await EsnClassifier.load(model)).labels).toEqual(['high', 'low']);
  });

  test('without a file of tests every fifth series is tested', async () => {
    const { stdout } = await dtesn(['classify', at('tones.csv'), '--units', '50', '--json', '--plot', at('c.svg')]);
    expect(JSON.parse(stdout)).toMatchObject({ accuracy: 1, labels: { length: 8 } });
    expect(readFileSync(at('c.svg'), 'utf8').slice(0, 4)).toBe('<svg');
  });

  test('reads .ts files', async () => {
    const series = Array.from({ length: 40 }, (_, i) => `${tone(i).join(',')}:${i % 2 ? 'low' : 'high'}`);
    writeFileSync(
      at('tones.ts'),
      `@problemName Tones\n@univariate true\n@classLabel true low high\n@data\n${series.join('\n')}\n`,
    );
    const { status, stderr } = await dtesn(['classify', at('tones.ts'), '--units', '50']);
    expect([status, stderr]).toEqual([0, expect.stringContaining('8 of 8 labels')]);
  });
});
