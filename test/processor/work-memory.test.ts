import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { DtesnProcessor } from '../../src/processor/index.js';

const config = { depth: 2, units: 64, bseriesOrder: 2, sourceDeadlineMs: 20_000 };
const tokens = { tokens: Array.from({ length: 500 }, (_, i) => i) };

describe('the memory of inputs under way', () => {
  test('does not grow with the waiting callers', async () => {
    const processor = await DtesnProcessor.create({ engine: null, config });
    const bytes = async () => {
      const { current_processing_load } = await processor.fetchResourceDataSource();
      return current_processing_load!['arena_bytes'] as number;
    };
    await processor.process(tokens);
    const alone = await bytes();
    const results = await Promise.all(Array.from({ length: 100 }, () => processor.process(tokens)));
    expect(new Set(results.map(({ features }) => features.endState.join())).size).toBe(1);
    expect(await bytes()).toBeLessThanOrEqual(2 * availableParallelism() * alone);
    await processor.close();
  });

  test('an input that waits for memory may abort, and the others still get theirs', async () => {
    const processor = await DtesnProcessor.create({ engine: null, config });
    const stop = new AbortController();
    const inputs = Array.from({ length: 60 }, (_, i) =>
      processor.process(tokens, i % 2 === 0 ? { signal: stop.signal } : {}),
    );
    stop.abort(new Error('enough'));
    const ends = await Promise.allSettled(inputs);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(30);
    expect((await processor.process(tokens)).ok).toBe(true);
    await processor.close();
  });
});
