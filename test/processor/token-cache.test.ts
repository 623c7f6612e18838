import { expect, test } from 'vitest';
import { DtesnProcessor } from '../../src/processor/index.js';
import { TokenCache } from '../../src/processor/token-cache.js';
import { memoryEngine } from '../sources/memory-engine.js';

const config = { depth: 2, units: 16, bseriesOrder: 2, sourceDeadlineMs: 20_000 };

/** A tokenizer whose answers the test releases. */
function held() {
  let answer = () => {};
  const gate = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const asked: string[] = [];
  const tokenize = async (text: string) => {
    asked.push(text);
    await gate;
    return { count: 1, maxModelLen: 8192, tokens: [1] };
  };
  return { asked, answer: () => answer(), tokenize };
}

test('a caller that stops waiting leaves the request to the others, also to later callers', async () => {
  const cache = new TokenCache(1000);
  const { asked, answer, tokenize } = held();
  const stop = new AbortController();
  const first = cache.ask('text', tokenize, stop.signal);
  const second = cache.ask('text', tokenize);
  stop.abort(new Error('enough'));
  await expect(first).rejects.toThrow('enough');
  const third = cache.ask('text', tokenize);
  answer();
  expect((await second).tokens).toEqual([1]);
  expect((await third).tokens).toEqual([1]);
  expect(asked).toEqual(['text']);
});

test('when every other of 1,000 callers of one text aborts, one request serves the rest', async () => {
  const cache = new TokenCache(1000);
  const { asked, answer, tokenize } = held();
  const callers = Array.from({ length: 1000 }, (_, i) => {
    const stop = new AbortController();
    const ids = cache.ask('text', tokenize, stop.signal);
    if (i % 2 === 0) stop.abort(new Error('enough'));
    return ids;
  });
  answer();
  const ends = await Promise.allSettled(callers);
  expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(500);
  expect(asked).toHaveLength(1);
  await cache.ask('text', tokenize);
  expect(asked).toHaveLength(2);
});

test('ids requested before the cache was cleared are not stored', async () => {
  const cache = new TokenCache(1000);
  const { generation } = cache;
  cache.clear();
  cache.keep('text', [1], generation);
  expect(cache.get('text')).toBeUndefined();
  cache.keep('text', [2], cache.generation);
  expect(cache.get('text')).toEqual([2]);
});

test('a given context uses no ids from before a known restart', async () => {
  let served = 'm';
  const card = () => ({ id: served, root: null, parent: null, maxModelLen: 8192, ownedBy: 'aphrodite' });
  const engine = memoryEngine({ models: async () => [card()] });
  const processor = await DtesnProcessor.create({ engine, config });
  await processor.process('known');
  const context = await processor.fetchComprehensiveEngineContext();
  expect((await processor.process('known', { context })).reused.tokens).toBe(true);
  served = 'another';
  processor.invalidate('model_config');
  await processor.fetchMultiSourceData();
  expect((await processor.process('known', { context })).reused.tokens).toBe(false);
  await processor.close();
});
