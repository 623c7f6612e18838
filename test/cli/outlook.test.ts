/** `dtesn outlook` as a user runs it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { EngineSimulator } from '../../src/simulator/index.js';
import { dtesn as run } from './run-command.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtesn-outlook-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Three hours of requests, more of them in the middle. */
function trace(): string {
  const lines = ['TIMESTAMP,ContextTokens,GeneratedTokens'];
  for (let second = 0; second < 10_800; second++) {
    const count = Math.round(2 + 2 * Math.sin(second / 3000) + ((second * 7919) % 3));
    const time = new Date(Date.UTC(2024, 0, 1, 8, 0, second)).toISOString().replace('T', ' ').slice(0, 19);
    for (let i = 0; i < count; i++) lines.push(`${time}.${i}00,${100 + ((second * 31) % 900)},${10 + (second % 50)}`);
  }
  return lines.join('\n');
}

const file = path.join(folder, 'trace.csv');
writeFileSync(file, trace());

describe('dtesn outlook', () => {
  test('prints the table of every model and the next forecasts, and writes the plot', async () => {
    const plot = path.join(folder, 'plot.svg');
    const { status, stdout, stderr } = await run(['outlook', file, '--plot', plot, '--units', '20']);
    expect(stderr).toContain(`written to ${plot}`);
    expect(status).toBe(0);
    for (const part of [
      'last value',
      'Kalman (Dynamo)',
      'network, bank',
      "loss of Dynamo's planner",
      'after the last step',
    ]) {
      expect(stdout).toContain(part);
    }
    expect(readFileSync(plot, 'utf8')).toMatch(/^<svg [\s\S]*, 60 s ahead[\s\S]*<\/svg>\n$/);
  });

  test('prints one JSON object with --json: scores, losses and forecasts', async () => {
    const { status, stdout } = await run([
      'outlook',
      file,
      '--json',
      '--units',
      '0',
      '--step',
      '30',
      '--horizon',
      '30',
      '--horizon',
      '90',
    ]);
    expect(status).toBe(0);
    const { scores, losses, forecasts, stepSeconds } = JSON.parse(stdout);
    expect(stepSeconds).toBe(30);
    expect(scores).toHaveLength(3 * 2 * 8);
    expect(losses).toHaveLength(2 * 8);
    expect(forecasts.map(({ horizonSeconds }: { horizonSeconds: number }) => horizonSeconds)).toEqual([
      30, 90, 30, 90, 30, 90,
    ]);
  });

  test.each([
    [[], 'Expected a trace, or --engine URL'],
    [[file, '--engine', 'http://127.0.0.1:1'], 'Expected a trace or --engine, not both'],
    [[file, '--units', '2.5'], 'Expected a whole number for --units but received 2.5'],
    [[file, '--horizon', '15'], 'Expected a multiple of 10 (stepSeconds) for horizonsSeconds[0] but received 15'],
    [[file, '--seconds', '60'], 'Expected --engine URL with --seconds'],
    [['--engine', 'http://127.0.0.1:1', '--seconds', '5'], 'Expected a number in [60, 86400] for --seconds'],
  ])('%j is a wrong usage', async (args, sentence) => {
    const { status, stderr } = await run(['outlook', ...args], { DTESN_ENGINE_URL: '' });
    expect(stderr).toContain(sentence);
    expect(status).toBe(2);
  });

  test('a file that is no trace, or too short, is named', async () => {
    const wrong = path.join(folder, 'wrong.csv');
    writeFileSync(wrong, 'a,b\n');
    const { status, stderr } = await run(['outlook', wrong]);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/in line 1 of .*wrong.csv/)]);
    const short = path.join(folder, 'short.csv');
    writeFileSync(short, trace().split('\n').slice(0, 400).join('\n'));
    const ended = await run(['outlook', short]);
    expect([ended.status, ended.stderr]).toEqual([1, expect.stringMatching(/at least \d+ steps of 10 s for series/)]);
  });

  test('watches an engine and forecasts its load', { tags: ['slow'], timeout: 150_000 }, async () => {
    const simulator = await EngineSimulator.start({ load: 0.5, seed: 3 });
    try {
      const args = [
        'outlook',
        '--engine',
        simulator.url,
        '--seconds',
        '110',
        '--horizon',
        '1',
        '--horizon',
        '5',
        '--json',
      ];
      const { status, stdout, stderr } = await run(args);
      expect(stderr).toContain('dtesn: watching http');
      expect(status).toBe(0);
      const { steps, forecasts } = JSON.parse(stdout);
      expect(steps).toBeGreaterThan(40);
      expect(forecasts[0].value).toBeGreaterThanOrEqual(0);
    } finally {
      await simulator.close();
    }
  });
});
