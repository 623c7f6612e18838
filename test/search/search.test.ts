import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Evaluate, type SearchOptions, type SearchResult, search } from '../../src/search/index.js';

const space = {
  radius: { low: 0.1, high: 1.5 },
  ridge: { low: 1e-12, high: 1e-2, scale: 'log' },
  units: { low: 10, high: 20, scale: 'integer' },
  kind: ['dense', 'cycle'],
  inputs: 1,
} as const;

type Candidate = { radius: number; ridge: number; units: number; kind: string; inputs: number };
const bowl: Evaluate<Candidate> = ({ radius, ridge }, { seed }) =>
  Math.abs(radius - 0.9) + Math.abs(Math.log10(ridge) + 7) / 10 + seed / 1000;

const untimed = ({ best, table }: SearchResult<unknown>) =>
  JSON.parse(JSON.stringify({ best, table }, (key, value) => (key === 'milliseconds' ? 0 : value)));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn-search-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fileOf = (name: string) => path.join(folder, `${name}.jsonl`);

describe('candidates', () => {
  test('lie in their space, spread as its scales say, and do not depend on the budget', async () => {
    const { table } = await search(space, bowl, { budget: 2000 });
    const candidates = table.map(({ candidate }) => candidate);
    for (const { radius, ridge, units, kind, inputs } of candidates) {
      expect(radius >= 0.1 && radius < 1.5).toBe(true);
      expect(ridge >= 0.999e-12 && ridge < 1.001e-2).toBe(true);
      expect(Number.isInteger(units) && units >= 10 && units <= 20).toBe(true);
      expect(['dense', 'cycle']).toContain(kind);
      expect(inputs).toBe(1);
    }
    const share = (of: (one: (typeof candidates)[number]) => boolean) => candidates.filter(of).length / 2000;
    expect(Math.abs(share(({ ridge }) => ridge < 1e-7) - 0.5)).toBeLessThan(0.04);
    expect(Math.abs(share(({ radius }) => radius < 0.8) - 0.5)).toBeLessThan(0.04);
    expect(Math.abs(share(({ kind }) => kind === 'cycle') - 0.5)).toBeLessThan(0.04);
    expect(Math.abs(share(({ units }) => units === 20) - 1 / 11)).toBeLessThan(0.03);
    const few = await search(space, bowl, { budget: 5 });
    expect(few.table.map(({ candidate }) => candidate)).toEqual(candidates.slice(0, 5));
    const other = await search(space, bowl, { budget: 5, seed: 1 });
    expect(other.table).not.toEqual(few.table);
  });

  test('of a wrong space are refused by name', async () => {
    const wrong = (one: object) => search(one as never, () => 1, { budget: 1 });
    await expect(wrong({ a: { low: 1, high: 0 } })).rejects.toThrow('a finite number, 1 or more, for space.a.high');
    await expect(wrong({ a: { low: 0, high: 1, scale: 'log' } })).rejects.toThrow(
      "a number above 0 with the scale 'log'",
    );
    await expect(wrong({ a: { low: 0.5, high: 1, scale: 'integer' } })).rejects.toThrow('whole numbers');
    await expect(wrong({ a: [] })).rejects.toThrow('at least one value for space.a');
    await expect(wrong({ a: { low: 1, hihg: 2 } })).rejects.toThrow('did you mean high?');
    await expect(wrong({ a: () => 1 })).rejects.toThrow('an array of values, or a value for space.a');
    await expect(search(space, bowl, { budgte: 1 } as never)).rejects.toThrow('did you mean budget?');
  });
});

describe('a random search', () => {
  test('finds the candidate with the least mean over the seeds', async () => {
    const calls: unknown[] = [];
    const { best, table } = await search(
      space,
      (candidate, run) => {
        calls.push(run.budgetShare);
        return bowl(candidate, run);
      },
      { budget: 30, seeds: [3, 5] },
    );
    expect(calls).toEqual(new Array(60).fill(1));
    const least = Math.min(...table.map(({ score }) => score!));
    expect(best!.score).toBe(least);
    expect(best!.scores).toEqual([expect.closeTo(least - 0.001, 12), expect.closeTo(least + 0.001, 12)]);
  });

  test('keeps candidates that fail, with their errors, and goes on', async () => {
    const { best, table } = await search(
      { n: [1, 2, 3] },
      ({ n }) => {
        if (n === 1) throw new Error('too small');
        return n === 2 ? Number.NaN : 7;
      },
      { budget: 20 },
    );
    expect(best).toMatchObject({ candidate: { n: 3 }, score: 7, error: null });
    const of = (n: number) => table.find(({ candidate }) => candidate.n === n)!;
    expect(of(1)).toMatchObject({ score: null, scores: [null], error: 'Error: too small' });
    expect(of(2)).toMatchObject({ score: null, error: 'the score is NaN' });
    const none = await search({ n: 1 }, () => Number.NaN, { budget: 2 });
    expect(none.best).toBeNull();
  });

  test('gives the same table however many evaluations are under way', async () => {
    let [now, most] = [0, 0];
    const slow: Evaluate<Candidate> = async (candidate, run) => {
      most = Math.max(most, ++now);
      await setTimeout(1 + 5 * (candidate.radius % 0.1));
      now--;
      return bowl(candidate, run);
    };
    const one = await search(space, bowl, { budget: 20, seeds: 2 });
    const four = await search(space, slow, { budget: 20, seeds: 2, parallel: 4 });
    expect(most).toBe(4);
    expect(untimed(four)).toEqual(untimed(one));
  });

  test('tells its progress and ends by its signal', async () => {
    const stages: string[] = [];
    const stop = new AbortController();
    const options: SearchOptions = {
      ...{ budget: 10, signal: stop.signal },
      onProgress: ({ done, total, stage }) => {
        stages.push(`${stage} ${done} of ${total}`);
        if (done === 3) stop.abort(new Error('enough'));
      },
    };
    await expect(search(space, bowl, options)).rejects.toThrow('enough');
    expect(stages).toEqual(['search 1 of 10', 'search 2 of 10', 'search 3 of 10']);
  });
});

test('halving gives three times the effort to the best third', async () => {
  const shares = new Map<number, number>();
  const { best, table } = await search(
    space,
    (candidate, run) => {
      shares.set(run.budgetShare, (shares.get(run.budgetShare) ?? 0) + 1);
      return bowl(candidate, run);
    },
    { budget: 27, strategy: 'halving' },
  );
  expect([...shares.values()]).toEqual([27, 9, 3, 1]);
  expect([...shares.keys()]).toEqual([1 / 27, 1 / 9, 1 / 3, 1]);
  const random = await search(space, bowl, { budget: 27 });
  expect(best!.candidate).toEqual(random.best!.candidate);
  expect(table.filter(({ budgetShare }) => budgetShare === 1)).toHaveLength(1);
  const two = await search(space, bowl, { budget: 2, strategy: 'halving' });
  expect(two.table.map(({ budgetShare }) => budgetShare)).toEqual([1, 1]);
});

describe('a file', () => {
  test('spares what was evaluated, and a torn last line is cut off', async () => {
    const file = fileOf('torn');
    const whole = await search(space, bowl, { budget: 9, seeds: 2, strategy: 'halving' });
    let calls = 0;
    const counted: Evaluate<Candidate> = (candidate, run) => {
      calls++;
      if (calls === 8) throw stop.abort(new Error('stopped'));
      return bowl(candidate, run);
    };
    const stop = new AbortController();
    const options = { budget: 9, seeds: 2, strategy: 'halving', file } as const;
    await expect(search(space, counted, { ...options, signal: stop.signal })).rejects.toThrow('stopped');
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(1 + 7 + 1);
    appendFileSync(file, '{"candidate":3,"rung":0,"se');
    calls = 100;
    expect(untimed(await search(space, counted, options))).toEqual(untimed(whole));
    expect(calls - 100).toBe(18 + 6 + 2 - 7);
    calls = 100;
    expect(untimed(await search(space, counted, options))).toEqual(untimed(whole));
    expect(calls).toBe(100);
  });

  test('of another search, or with a line of something else, is refused', async () => {
    const file = fileOf('other');
    await search(space, bowl, { budget: 3, file });
    const refused = (message: string) =>
      expect.objectContaining({ code: 'ERR_DTESN_DATA', message: expect.stringContaining(message) });
    await expect(search(space, bowl, { budget: 4, file })).rejects.toThrow(refused('it has another budget'));
    await expect(search({ ...space, inputs: 2 }, bowl as never, { budget: 3, seeds: 2, file })).rejects.toThrow(
      refused('it has another space and seeds'),
    );
    appendFileSync(file, 'x\n');
    await expect(search(space, bowl, { budget: 3, file })).rejects.toThrow(refused('an evaluation on line 5'));
    writeFileSync(file, 'a,b\n1,2\n');
    await expect(search(space, bowl, { budget: 3, file })).rejects.toThrow(refused('it is no file of a search'));
  });

  const program = (bundle: string, file: string) => `
    import { search } from ${JSON.stringify(bundle)};
    const { best, table } = await search(
      { x: { low: -1, high: 1 }, k: [1, 2] },
      async ({ x, k }, { seed }) => { await new Promise((go) => setTimeout(go, 15)); return k * x * x + seed; },
      { budget: 30, seeds: 2, strategy: 'halving', parallel: 2, file: ${JSON.stringify(file)} },
    );
    console.log(JSON.stringify({ best, table }));
  `;

  async function output(child: ChildProcess): Promise<string> {
    let text = '';
    child.stdout!.on('data', (chunk) => {
      text += String(chunk);
    });
    await once(child, 'close');
    return text;
  }

  test('a search that is killed again and again ends with the table of one that was not', {
    timeout: 60_000,
  }, async () => {
    const bundle = path.join(folder, 'search.mjs');
    const build = await rolldown({
      input: path.resolve(import.meta.dirname, '../../src/search/index.ts'),
      platform: 'node',
      external: ['node-gyp-build'],
    });
    await build.write({ file: bundle, format: 'esm' });
    await build.close();
    const start = (name: string) => {
      const script = path.join(folder, `${name}.mjs`);
      writeFileSync(script, program(bundle, fileOf(name)));
      return spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    };
    const whole = await output(start('whole'));
    let text = '';
    let kills = 0;
    for (let attempt = 0; text === '' && attempt < 40; attempt++) {
      const child = start('killed');
      const timer = attempt < 4 ? globalThis.setTimeout(() => child.kill('SIGKILL'), 250 + 90 * attempt) : undefined;
      text = await output(child);
      clearTimeout(timer);
      if (text === '') kills++;
    }
    expect(kills).toBeGreaterThan(0);
    expect(untimed(JSON.parse(text))).toEqual(untimed(JSON.parse(whole)));
  });
});
