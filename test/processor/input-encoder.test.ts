import { describe, expect, test } from 'vitest';
import { DtesnProcessor } from '../../src/processor/index.js';
import { memoryEngine, never } from '../sources/memory-engine.js';

const config = { depth: 2, units: 16, bseriesOrder: 2, sourceDeadlineMs: 2000 };

describe('a tokenizer provider that fails after it answered', () => {
  const refused = () => Promise.reject(new Error('refused'));
  test.each([
    ['refuses', refused],
    ['is silent', never],
  ])('and %s: the next one gives the ids, and the note says so', async (_, dead) => {
    let alive = true;
    const ids = (text: string) => [...Buffer.from(text)].map((byte) => byte + 1);
    const answer = async (text: string) => ({ count: text.length, maxModelLen: 8192, tokens: ids(text) });
    const first = memoryEngine({ label: 'first', tokenize: (text) => (alive ? answer(text) : dead()) });
    const second = memoryEngine({ label: 'second', tokenize: answer });
    const providers = [{ name: 'mirror', engine: second, sources: ['tokenizer' as const] }];
    const processor = await DtesnProcessor.create({
      engine: first,
      config: { ...config, sourceDeadlineMs: 400 },
      providers,
    });
    expect((await processor.process('one')).input).toMatchObject({ encoder: 'engine', note: null });
    alive = false;
    const { input } = await processor.process('two');
    expect(input).toMatchObject({ encoder: 'engine', steps: 3 });
    expect(input.note).toMatch(/^the tokenizer of first failed \(.+\): another provider's ids$/);
    expect((await processor.process('two')).reused.tokens).toBe(false); // not kept beside the ids of the first
    await processor.close();
  });
});

test('a request to an engine that ignores its signal ends at the time limit or with the abort of the caller', async () => {
  const engine = memoryEngine({ tokenize: (text) => (text.startsWith('wait') ? never() : Promise.resolve(reply)) });
  const reply = { count: 1, maxModelLen: 8192, tokens: [7] };
  const flags = { enable_caching: false };
  const processor = await DtesnProcessor.create({ engine, config: { ...config, sourceDeadlineMs: 300 }, flags });
  const { input } = await processor.process('wait');
  expect(input).toMatchObject({ encoder: 'utf8-bytes', note: expect.stringContaining('no tokens within 300 ms') });
  const stop = new AbortController();
  const aborted = processor.process('wait again', { signal: stop.signal });
  stop.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  await processor.close();
});

describe('a trace context', () => {
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  test('goes to the tokenizer with its text: of a batch each with its own', async () => {
    const traces = new Map<string, string | undefined>();
    const engine = memoryEngine({
      tokenize: async (text, options) => {
        traces.set(text, options?.traceparent);
        return { count: 1, maxModelLen: 8192, tokens: [7] };
      },
    });
    await using processor = await DtesnProcessor.create({ engine, config });
    await processor.process('alone', { traceparent: trace });
    await processor.processBatch(['one', 'two'], { traceparent: [undefined, trace] });
    expect(['alone', 'one', 'two'].map((text) => traces.get(text))).toEqual([trace, undefined, trace]);
  });

  test.each([['not one'], [`${trace}\r\nx: y`], [[trace]]])('%j is refused', async (traceparent) => {
    await using processor = await DtesnProcessor.create({ engine: memoryEngine({}), config });
    const refused = expect.objectContaining({ code: 'ERR_DTESN_ARGUMENT' });
    await expect(processor.process('a', { traceparent: traceparent as string })).rejects.toEqual(refused);
    await expect(processor.processBatch(['a', 'b'], { traceparent: [traceparent as string] })).rejects.toEqual(refused);
  });
});
