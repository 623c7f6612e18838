/** A tokenizer whose files hold a regular expression that never ends. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeInput, LocalTokenizer } from '../../src/encoding/index.js';
import { plainEncode, tokenizerJson } from './byte-level-bpe.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'dtesn-endless-'));
  const split = { type: 'Split', pattern: { Regex: '^(a+)+$' }, behavior: 'Isolated', invert: false };
  const { pre_tokenizer } = tokenizerJson as { pre_tokenizer: unknown };
  const sequence = { type: 'Sequence', pretokenizers: [split, pre_tokenizer] };
  await writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify({ ...tokenizerJson, pre_tokenizer: sequence }));
});
afterAll(() => rm(folder, { recursive: true }));

const endless = `${'a'.repeat(40)}!`;
const failure = { code: 'ERR_DTESN_TOKENIZER', message: expect.stringMatching(/did not answer within 300 ms$/) };
const load = (timeoutMs = 300) => LocalTokenizer.load(folder, { timeoutMs });

test('a request that never ends is stopped at its time limit while the event loop runs, and the next one is answered', async () => {
  const tokenizer = await load();
  let turns = 0;
  const turning = setInterval(() => turns++, 1);
  await expect(tokenizer.encodeAsync(endless)).rejects.toMatchObject(failure);
  clearInterval(turning);
  expect(turns).toBeGreaterThan(5);
  tokenizer.close();
  const again = await load(20_000);
  expect(await again.encodeAsync('the tree')).toEqual(plainEncode('the tree'));
  expect(await again.decodeAsync(plainEncode('the tree'))).toBe('<s>the tree');
  again.close();
});

test('requests queued behind a stopped one are answered in order by another thread', async () => {
  const tokenizer = await load(2000);
  const [first, second, third] = await Promise.allSettled([
    tokenizer.encodeAsync('in'),
    tokenizer.encodeAsync(endless),
    tokenizer.encodeAsync('the'),
  ]);
  expect(first).toEqual({ status: 'fulfilled', value: plainEncode('in') });
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'ERR_DTESN_TOKENIZER' } });
  expect(third).toEqual({ status: 'fulfilled', value: plainEncode('the') });
  tokenizer.close();
}, 20_000);

test('a synchronous request that never ends is stopped at its time limit', async () => {
  const tokenizer = await load();
  expect(() => tokenizer.encode(endless)).toThrow(/did not answer within 300 ms$/);
  tokenizer.close();
});

test('an abort rejects at once; the next request waits for the end of the first', async () => {
  const tokenizer = await load(1000);
  const abort = new AbortController();
  const asked = tokenizer.encodeAsync(endless, { signal: abort.signal });
  const reason = new Error('enough');
  setTimeout(() => abort.abort(reason), 20);
  await expect(asked).rejects.toBe(reason);
  await expect(tokenizer.encodeAsync('in', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(await tokenizer.encodeAsync('in')).toEqual(plainEncode('in'));
  tokenizer.close();
});

test('a text whose tokenizer does not end is encoded as bytes', async () => {
  const tokenizer = await load();
  const encoded = await encodeInput(endless, { localTokenizer: async () => tokenizer });
  expect(encoded).toMatchObject({ encoder: 'utf8-bytes', steps: 41, error: failure });
  tokenizer.close();
});

describe('the thread', () => {
  test('the tokenizer thread does not keep the process alive', async () => {
    const dist = path.resolve(import.meta.dirname, '../../dist/index.js');
    const script = `
      const { LocalTokenizer } = await import(${JSON.stringify(dist)});
      const tokenizer = await LocalTokenizer.load(${JSON.stringify(folder)});
      console.log((await tokenizer.encodeAsync('in')).length, tokenizer.encode('in').length);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 20_000,
    });
    expect(stdout.trim()).toBe(`${plainEncode('in').length} ${plainEncode('in').length}`);
  });

  test('an invalid time limit is refused', async () => {
    await expect(load(0)).rejects.toThrow(/milliseconds in \(0, 600000\] for timeoutMs/);
  });
});
