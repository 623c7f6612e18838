// Facts of model and tokenizer that outlive the process, and every way in which their file can be wrong.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Engine } from '../../src/engine/index.js';
import { SourceFetcher, sourcesSchema } from '../../src/sources/index.js';
import { memoryEngine } from './memory-engine.js';

let keepIn: string;
beforeEach(() => {
  keepIn = mkdtempSync(path.join(os.tmpdir(), 'dtesn-kept-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(keepIn, { recursive: true, force: true });
});

/** What one process sees in its first fetch, and after what is asked behind it. */
async function firstFetch(engine: Engine, folder = keepIn) {
  const fetcher = new SourceFetcher(engine, { deadlineMs: 20_000, keepIn: folder });
  const first = (await fetcher.fetch()).sources;
  expect(sourcesSchema.parse(first)).toEqual(first);
  if (first.model_config.cache === 'stale') {
    // What is asked behind needs a moment.
    const isPending = async () => {
      const { model_config, tokenizer } = (await fetcher.fetch()).sources;
      return [model_config, tokenizer].some(({ stale_reason = '' }) => stale_reason.includes('refetched'));
    };
    await expect.poll(isPending, { timeout: 10_000 }).toBe(false);
  }
  const then = (await fetcher.fetch()).sources;
  const { epoch } = fetcher;
  await fetcher.close();
  return { first, then, epoch };
}
const keptFile = () => path.join(keepIn, readdirSync(keepIn)[0]!);
const dead = () => {
  const failing = async () => Promise.reject(new Error('gone'));
  return memoryEngine({ models: failing, tokenize: failing, metrics: failing });
};

test('facts that one process wrote are served as stale by the next one while it requests the engine', async () => {
  await firstFetch(memoryEngine());
  const engine = memoryEngine();
  const { first, then, epoch } = await firstFetch(engine);
  expect(first.model_config).toMatchObject({
    ...{ state: 'stale', cache: 'stale', provider: 'disk', model_name: 'm', max_model_len: 8192 },
    stale_reason: 'kept on disk by an earlier process; refetched',
    problems: [expect.stringMatching(/^kept on disk since 20/)],
  });
  expect(first.tokenizer).toMatchObject({ state: 'stale', provider: 'disk', engine_type: 'aphrodite' });
  expect(then.model_config).toMatchObject({ state: 'ok', cache: 'hit', provider: 'engine' });
  expect(then.model_config.problems).toBeUndefined();
  expect(engine.asked['tokenize']).toBe(1);
  expect(epoch).toBe(0);
});

test('the kept facts are one file of mode 600, and no temporary file is left', async () => {
  await firstFetch(memoryEngine());
  expect(readdirSync(keepIn)).toEqual([expect.stringMatching(/^dtesn-sources-[0-9a-f]{32}\.json$/)]);
  expect(statSync(keptFile()).mode & 0o777).toBe(0o600);
});

test('kept facts are served with a stale reason while the engine does not answer', async () => {
  await firstFetch(memoryEngine());
  const { then } = await firstFetch(dead());
  expect(then.model_config).toMatchObject({ state: 'stale', provider: 'disk', model_name: 'm', stale_reason: 'gone' });
  expect(then.performance.state).toBe('error');
});

test('kept facts are dropped when the engine serves another model', async () => {
  await firstFetch(memoryEngine());
  const models = async () => [{ id: 'n', root: null, parent: null, maxModelLen: 4096, ownedBy: 'vllm' }];
  const { first, then, epoch } = await firstFetch(memoryEngine({ models }));
  expect(first.model_config.model_name).toBe('m');
  expect(then.model_config).toMatchObject({ model_name: 'n', provider: 'engine' });
  expect(then.tokenizer.provider).toBe('engine');
  expect(epoch).toBeGreaterThan(0);
});

test('an engine at another address has its own file', async () => {
  await firstFetch(memoryEngine());
  const { first } = await firstFetch(memoryEngine({ label: 'memory on http://127.0.0.1:2' }));
  expect(first.model_config.cache).toBe('miss');
  expect(readdirSync(keepIn)).toHaveLength(2);
});

test('invalidate before the first fetch drops the kept facts', async () => {
  await firstFetch(memoryEngine());
  const fetcher = new SourceFetcher(memoryEngine(), { deadlineMs: 20_000, keepIn });
  fetcher.invalidate();
  expect((await fetcher.fetch()).sources.model_config.cache).toBe('miss');
  await fetcher.close();
});

test.each<[string, (text: string) => string, RegExp]>([
  ['torn', (text) => text.slice(0, text.length / 2), /it is not complete JSON/],
  ['altered', (text) => text.replace('8192', '9192'), /its checksum is wrong/],
  [
    'of another version',
    (text) => text.replace('"version":1', '"version":2'),
    /its format or version is not supported/,
  ],
  ['no JSON object', () => '7', /its format or version is not supported/],
  ['too large', (text) => text + ' '.repeat(1024 * 1024), /not a regular file of at most/],
])('a file that is %s is ignored, and problems names the reason', async (_, change, problem) => {
  await firstFetch(memoryEngine());
  writeFileSync(keptFile(), change(readFileSync(keptFile(), 'utf8')));
  const { first, then } = await firstFetch(memoryEngine());
  expect(first.model_config.cache).toBe('miss');
  expect(first.model_config.problems?.join()).toMatch(problem);
  expect(then.model_config.problems).toBeUndefined(); // written anew
});

test('a file of another engine at the same path is ignored', async () => {
  await firstFetch(memoryEngine());
  const mine = keptFile();
  await firstFetch(memoryEngine({ label: 'another on http://127.0.0.1:9' }));
  const other = readdirSync(keepIn)
    .map((name) => path.join(keepIn, name))
    .find((file) => file !== mine)!;
  writeFileSync(mine, readFileSync(other));
  const { first } = await firstFetch(memoryEngine());
  expect(first.model_config).toMatchObject({
    cache: 'miss',
    problems: [expect.stringMatching(/belongs to another engine/)],
  });
});

test('facts that are too old are refetched', async () => {
  await firstFetch(memoryEngine());
  const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 25 * 3_600_000);
  const { first } = await firstFetch(memoryEngine());
  expect(first.model_config.cache).toBe('miss');
  clock.mockRestore();
});

test('facts that are dated in the future are ignored', async () => {
  await firstFetch(memoryEngine());
  const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() - 3_600_000);
  const { first } = await firstFetch(memoryEngine());
  expect(first.model_config).toMatchObject({ cache: 'miss', problems: [expect.stringMatching(/in the future/)] });
  clock.mockRestore();
});

test('a folder that cannot be written is reported in problems and not thrown', async () => {
  const blocked = path.join(keepIn, 'file');
  writeFileSync(blocked, '');
  const fetcher = new SourceFetcher(memoryEngine(), { deadlineMs: 20_000, keepIn: path.join(blocked, 'below') });
  const model = async () => (await fetcher.fetch()).sources.model_config;
  expect((await model()).state).not.toBe('error');
  // No fetch waits for what is written.
  await expect.poll(async () => (await model()).problems?.join()).toMatch(/cannot be written/);
  await fetcher.close();
});
