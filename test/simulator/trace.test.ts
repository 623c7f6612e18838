import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EngineSimulator, parseTrace, TraceArrivals } from '../../src/simulator/index.js';

const data = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const HEADER = 'TIMESTAMP,ContextTokens,GeneratedTokens';
const rows = (...lines: string[]) => [HEADER, ...lines].join('\r\n');
const A = '2023-11-16 18:17:03.9799600,4808,10';
const B = '2023-11-16 18:17:04.0319600,3180,8';

describe('a trace', () => {
  test.each([
    ['CRLF', `${rows(A, B)}\r\n`],
    ['LF', `${HEADER}\n${A}\n${B}\n`],
    ['an open last line', rows(A, B)],
    ['a byte order mark', `\uFEFF${rows(A, B)}`],
  ])('a trace with %s is read', (_, text) => {
    const [first, second, ...rest] = parseTrace(text, 'a.csv');
    expect(first).toEqual({ time: 0, contextTokens: 4808, generatedTokens: 10 });
    expect(second!.time).toBeCloseTo(0.052, 9);
    expect(rest).toEqual([]);
  });

  test('the times of a trace continue across midnight and the end of a year', () => {
    const requests = parseTrace(rows('2023-12-31 23:59:59.5,1,1', '2024-01-01 00:00:00.25,1,1'), 'a.csv');
    expect(requests[1]!.time).toBe(0.75);
  });

  test.each([
    ['other columns', 'time,a,b\n', 1],
    ['nothing', '', 1],
    ['no request', `${HEADER}\n`, 2],
    ['a field too many', rows(A, `${B},1`), 3],
    ['an empty line in the middle', rows(A, '', B), 3],
    ['a time of another form', rows(A, '2023-11-16T18:17:04Z,1,1'), 3],
    ['a day that does not exist', rows('2023-02-30 00:00:00,1,1'), 2],
    ['a minute that does not exist', rows('2023-02-20 00:60:00,1,1'), 2],
    ['a time that runs backwards', rows(B, A), 3],
    ['no prompt', rows('2023-11-16 18:17:03.9,0,10'), 2],
    ['a fraction of a token', rows(A, '2023-11-16 18:17:05,10,1.5'), 3],
    ['a negative count', rows(A, '2023-11-16 18:17:05,10,-1'), 3],
  ])('a trace with %s is refused with the number of the line', (_, text, line) => {
    const sentence = new RegExp(`^Expected .* in line ${line} of a.csv but received`);
    expect(() => parseTrace(text, 'a.csv')).toThrow(sentence);
    expect(() => parseTrace(text, 'a.csv')).toThrow(expect.objectContaining({ code: 'ERR_DTESN_TRACE' }));
  });
});

describe('a trace in JSON lines', () => {
  const line = (timestamp: unknown, input_length: unknown = 6955, output_length: unknown = 52) =>
    JSON.stringify({ timestamp, input_length, output_length, hash_ids: [46, 47] });

  test.each([
    ['LF', `${line(27_482)}\n${line(30_535, 10, 1)}\n`],
    ['CRLF', `${line(27_482)}\r\n${line(30_535, 10, 1)}\r\n`],
    ['an open last line and a byte order mark', `\uFEFF${line(27_482)}\n${line(30_535, 10, 1)}`],
  ])('a Mooncake trace with %s is read, in seconds after its first request', (_, text) => {
    expect(parseTrace(text, 'a.jsonl')).toEqual([
      { time: 0, contextTokens: 6955, generatedTokens: 52 },
      { time: 3.053, contextTokens: 10, generatedTokens: 1 },
    ]);
  });

  test.each([
    ['a line that is no JSON', [line(0), '{"timestamp": 1,'], 2],
    ['an empty line in the middle', [line(0), '', line(1)], 2],
    ['null for a request', [line(0), 'null'], 2],
    ['no timestamp', [line(undefined)], 1],
    ['a timestamp in a string', [line(0), line('1')], 2],
    ['a time that runs backwards', [line(5), line(7), line(6)], 3],
    ['no prompt', [line(0, 0)], 1],
    ['a fraction of a token', [line(0), line(0, 1, 1.5)], 2],
    ['no output_length', [line(0, 1, null)], 1],
  ])('a Mooncake trace with %s is refused with the number of the line', (_, lines, number) => {
    const sentence = new RegExp(`^Expected .* in line ${number} of a.jsonl but received`);
    expect(() => parseTrace(lines.join('\n'), 'a.jsonl')).toThrow(sentence);
    expect(() => parseTrace(lines.join('\n'), 'a.jsonl')).toThrow(expect.objectContaining({ code: 'ERR_DTESN_TRACE' }));
  });

  test('EngineSimulator serves every token of a Mooncake trace', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dtesn-trace-'));
    const trace = path.join(folder, 'small.jsonl');
    await writeFile(trace, [line(0, 100, 5), line(40, 200, 7)].join('\n'));
    const simulator = await EngineSimulator.start({ speed: 0, trace });
    await simulator.advanceTo(60);
    const { promptTokens, generatedTokens } = simulator.simulation.engines[0]!.statistics;
    expect([promptTokens, generatedTokens]).toEqual([300, 12]);
    await simulator.close();
    await rm(folder, { recursive: true });
  });
});

describe('a replay', () => {
  const requests = [0, 10, 20].map((time) => ({ time, contextTokens: 100, generatedTokens: 5 }));
  const times = (load: number, loop: boolean, most: number) => {
    const arrivals = new TraceArrivals(requests, { load, loop, maxModelLen: 8192 });
    return Array.from({ length: most }, () => arrivals.next()?.time ?? null);
  };

  test('a replay ends with its trace', () => expect(times(1, false, 4)).toEqual([0, 10, 20, null]));
  test('a replay at load 2 is twice as fast', () => expect(times(2, false, 3)).toEqual([0, 5, 10]));
  test('a replay that loops begins again one mean gap after its end', () =>
    expect(times(1, true, 5)).toEqual([0, 10, 20, 30, 40]));

  test('a replay cuts requests that do not fit the context, with the reason `length`', () => {
    const long = [{ time: 0, contextTokens: 500, generatedTokens: 5 }];
    const arrival = new TraceArrivals(long, { load: 1, loop: false, maxModelLen: 64 }).next();
    expect(arrival).toMatchObject({ prompt: 63, output: 1, reason: 'length' });
  });
});

describe('EngineSimulator on a trace', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dtesn-trace-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('EngineSimulator serves every token of a trace and idles after its end', async () => {
    const trace = path.join(folder, 'small.csv');
    await writeFile(trace, rows(A, B));
    const simulator = await EngineSimulator.start({ speed: 0, trace });
    await simulator.advanceTo(60);
    const { engines, arrivalsEnded, running, waiting } = simulator.simulation;
    const { promptTokens, generatedTokens, finished } = engines[0]!.statistics;
    expect([promptTokens, generatedTokens, finished.stop]).toEqual([4808 + 3180, 18, 2]);
    expect([arrivalsEnded, running, waiting]).toEqual([true, 0, 0]);
    await simulator.close();
  });

  test('errors name the file and line of a wrong trace, and an absent file', async () => {
    const trace = path.join(folder, 'wrong.csv');
    await writeFile(trace, rows(A, 'x,1,1'));
    await expect(EngineSimulator.start({ trace })).rejects.toThrow(/line 3 of .*wrong\.csv/);
    await expect(EngineSimulator.start({ trace: path.join(folder, 'none.csv') })).rejects.toMatchObject({
      code: 'ERR_DTESN_TRACE',
    });
    await expect(EngineSimulator.start({ loop: true })).rejects.toThrow(/`loop: true` requires it\) for trace/);
  });
});

// Figures of the Azure Public Dataset, counted with awk.
describe.skipIf(!existsSync(data))('the Azure traces of 2023 (skipped: no data)', () => {
  test.each([
    ['code', 8819, 3436],
    ['conv', 19_366, 3502],
  ])('the Azure trace %s is read to its last row', (name, count, seconds) => {
    const file = path.join(data, `azure-llm-2023-${name}.csv`);
    const requests = parseTrace(readFileSync(file, 'utf8'), file);
    expect(requests.length).toBe(count);
    expect(Math.round(requests.at(-1)!.time)).toBe(seconds);
  });

  test('a replay loses no request: each has ended, runs or waits', async () => {
    const trace = path.join(data, 'azure-llm-2023-code.csv');
    const requests = parseTrace(readFileSync(trace, 'utf8'), trace);
    const simulator = await EngineSimulator.start({ speed: 0, trace, engines: 2 });
    await simulator.advanceTo(600);
    const { engines, running, waiting } = simulator.simulation;
    const ended = engines.flatMap(({ statistics }) => Object.values(statistics.finished)).reduce((a, b) => a + b, 0);
    expect(ended + running + waiting).toBe(requests.filter(({ time }) => time <= 600).length);
    await simulator.close();
  });
});
