import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BatchRunner,
  type BatchRunnerOptions,
  type ChunkOutcome,
  type StreamChunk,
  type StreamOptions,
  type StreamSummary,
} from '../../../src/bridge/processing/index.js';
import { TextChunks } from '../../../src/bridge/processing/text-chunks.js';
import { DtesnProcessor } from '../../../src/processor/index.js';
import fc from '../../property/fast-check.js';
import { heldProcessor } from './held-engine.js';
import { KeptMetrics } from './metrics.js';

const config = { units: 96, inputs: 3, depth: 3, bseriesOrder: 2, sourceDeadlineMs: 20_000 };
const plan = { membranes: 'all', standardise: false, threads: 1 } as const;

let processor: DtesnProcessor;
beforeAll(async () => {
  processor = await DtesnProcessor.create({ config, plan, lanes: 1 });
});
afterAll(() => processor.close());

const open = (options: Partial<BatchRunnerOptions> = {}) =>
  new BatchRunner({ processor, metrics: new KeptMetrics(), lanes: 1, batchWaitMs: 0, ...options });

const seriesOf = (steps: number) =>
  Array.from({ length: steps }, (_, t) => [0, 1, 2].map((i) => Math.sin(t * 0.7 + i)));

async function* each(chunks: readonly StreamChunk[]) {
  yield* chunks;
}

async function outcomesOf(chunks: readonly StreamChunk[], options: StreamOptions = {}, runner = open()) {
  const all: (ChunkOutcome | StreamSummary)[] = [];
  for await (const outcome of runner.processStream(each(chunks), options)) all.push(outcome);
  const summary = all.pop() as StreamSummary;
  expect(summary.type).toBe('summary');
  return { chunks: all as ChunkOutcome[], summary };
}

describe('a stream', () => {
  test('of chunks of a series ends in the state of the whole, to the bit, with its mean to 1e-12', async () => {
    const series = seriesOf(600);
    const cuts = [0, 1, 18, 274, 275, 600];
    const parts = cuts.slice(1).map((end, i) => series.slice(cuts[i], end));
    const { chunks, summary } = await outcomesOf(parts, { totalBytes: 600 * 3 * 8 });
    const whole = await open().process(series);
    expect(summary.features.endState).toEqual(whole.features.endState);
    for (const [i, mean] of summary.features.meanState.entries()) {
      expect(Math.abs(mean! - whole.features.meanState[i]!)).toBeLessThan(1e-12);
    }
    expect(chunks.map(({ index, offset, steps }) => [index, offset, steps])).toEqual([
      [0, 0, 1],
      [1, 1, 17],
      [2, 18, 256],
      [3, 274, 1],
      [4, 275, 325],
    ]);
    expect(summary).toMatchObject({ chunks: 5, steps: 600, bytes: 600 * 3 * 8 });
    expect(chunks.map(({ progress }) => progress.fraction)).toEqual([1 / 600, 18 / 600, 274 / 600, 275 / 600, 1]);
    expect(JSON.parse(JSON.stringify(chunks))).toEqual(chunks);
  });

  test('beside others in the same batches ends in the same state as by itself', async () => {
    const runner = open({ batchWaitMs: 5 });
    const parts = [seriesOf(100), seriesOf(50), seriesOf(70)];
    const all = await Promise.all(Array.from({ length: 6 }, (_, i) => outcomesOf(parts, { client: `${i}` }, runner)));
    const alone = await outcomesOf(parts);
    for (const { summary } of all) expect(summary.features).toEqual(alone.summary.features);
    expect(Math.max(...all.flatMap(({ chunks }) => chunks.map(({ batchSize }) => batchSize)))).toBeGreaterThan(1);
  });

  test('of bytes cut within characters has the tokens of whole characters', async () => {
    const text = 'Größe 漢字 🙂 fin';
    const bytes = Buffer.from(text);
    const parts = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
    const { chunks, summary } = await outcomesOf(parts);
    expect(chunks.length).toBe([...text].length);
    expect(summary.bytes).toBe(bytes.length);
    expect(chunks.at(-1)!.progress.fraction).toBeNull();
  });

  test('of nothing, or of empty chunks, is a summary of no steps', async () => {
    const { chunks, summary } = await outcomesOf(['', '']);
    expect((await outcomesOf([[], []])).chunks).toEqual([]);
    expect((await outcomesOf([])).summary.steps).toBe(0);
    expect(chunks).toEqual([]);
    expect(summary).toMatchObject({ chunks: 0, steps: 0, features: { endState: [], meanState: [] } });
  });

  test('reads the next chunk only when the consumer asks for the next outcome', async () => {
    let read = 0;
    async function* source() {
      for (; read < 50; read++) yield seriesOf(5);
    }
    const stream = open().processStream(source());
    await stream.next();
    await new Promise((turn) => setTimeout(turn, 30));
    expect(read).toBe(0);
    await stream.next();
    expect(read).toBe(1);
    await stream.return();
  });

  test('that the consumer leaves returns its source and ends', async () => {
    let returned = false;
    async function* source() {
      try {
        for (;;) yield seriesOf(5);
      } finally {
        returned = true;
      }
    }
    const runner = open();
    for await (const _ of runner.processStream(source())) {
      expect(runner.streams).toBe(1);
      break;
    }
    await new Promise((turn) => setImmediate(turn));
    expect(returned).toBe(true);
    expect(runner.streams).toBe(0);
  });

  test('that is aborted while its source is silent ends with the reason', async () => {
    const stop = new AbortController();
    async function* source(): AsyncGenerator<StreamChunk> {
      yield seriesOf(5);
      await new Promise(() => {});
    }
    const runner = open();
    const stream = runner.processStream(source(), { signal: stop.signal });
    await stream.next();
    const waiting = stream.next();
    setTimeout(() => stop.abort(new Error('left')), 10);
    await expect(waiting).rejects.toThrow('left');
    expect(runner.streams).toBe(0);
  });

  test('that is aborted while a chunk is under way ends with the reason', async () => {
    const { slow, held } = await heldProcessor({ config, plan });
    const stop = new AbortController();
    const runner = open({ processor: slow });
    const stream = runner.processStream(each(['held back']), { signal: stop.signal });
    const waiting = stream.next();
    await held;
    stop.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    expect(runner.streams).toBe(0);
    await slow.close();
  });

  test('whose chunk fails names the chunk and its offset', async () => {
    const parts = [seriesOf(7), seriesOf(4), [[1, 2]]];
    await expect(outcomesOf(parts)).rejects.toMatchObject({ code: 'impossible', details: { chunk: 2, offset: 11 } });
  });

  test.each([
    ['text after numbers', [seriesOf(3), 'text']],
    ['tokens after text', ['text', { tokens: [1] }]],
    ['bytes that are not UTF-8', [Uint8Array.of(0x61, 0xff)]],
    ['a text that ends within a character', [Buffer.from('🙂').subarray(0, 2)]],
  ])('of %s is malformed', async (_, parts) => {
    await expect(outcomesOf(parts as StreamChunk[])).rejects.toMatchObject({ code: 'malformed' });
  });

  test('beyond the bound is refused, and one client has half of the streams', async () => {
    const runner = open({ maxStreams: 4 });
    const begun: ReturnType<BatchRunner['processStream']>[] = [];
    const begin = async (client: string) => {
      const stream = runner.processStream(each([seriesOf(2), seriesOf(2)]), { client });
      await stream.next();
      begun.push(stream);
    };
    await begin('a');
    await begin('a');
    await expect(begin('a')).rejects.toMatchObject({ code: 'client_share' });
    await begin('b');
    await begin('c');
    await expect(begin('d')).rejects.toMatchObject({ code: 'too_many_streams', status: 429 });
    for (const stream of begun) await stream.return();
    expect(runner.streams).toBe(0);
  });

  test('under way goes on while the queue is full', async () => {
    const { slow, held, letGo } = await heldProcessor({ config, plan });
    const runner = open({ processor: slow, maxRequests: 2 });
    const stream = runner.processStream(each([seriesOf(2), seriesOf(3)]), { client: 'stream' });
    await stream.next();
    const blocking = runner.process('held back', { client: 'a' });
    await held;
    const waiting = [runner.process(seriesOf(1), { client: 'b' }), runner.process(seriesOf(1), { client: 'c' })];
    await expect(runner.process(seriesOf(1), { client: 'd' })).rejects.toMatchObject({ code: 'queue_full' });
    const next = stream.next();
    letGo();
    expect(await next).toMatchObject({ value: { index: 1, offset: 2, steps: 3 } });
    await Promise.all([blocking, ...waiting]);
    await stream.return();
    await slow.close();
  });
});

describe('chunks of text', () => {
  test('are whole characters that join to the text, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat(12)), (text, cuts) => {
        const reader = new TextChunks();
        const bytes = Buffer.from(text);
        const parts: string[] = [];
        let start = 0;
        for (const length of [...cuts, bytes.length]) {
          parts.push(reader.next(bytes.subarray(start, start + length)));
          start += length;
        }
        parts.push(reader.end());
        expect(parts.join('')).toBe(text);
        for (const part of parts) expect(Buffer.from(part).toString()).toBe(part);
      }),
    );
  });

  test('of strings keep pairs of surrogates together, and a lone half is kept as it is', () => {
    const reader = new TextChunks();
    expect(['a\ud83d', '\ude42b', '\ud83d'].map((chunk) => reader.next(chunk))).toEqual(['a', '🙂b', '']);
    expect(reader.end()).toBe('\ud83d');
  });
});
