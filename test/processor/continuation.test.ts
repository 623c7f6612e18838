import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DeepTreeModel } from '../../src/network/index.js';
import { type Continuation, DtesnProcessor } from '../../src/processor/index.js';
import fc from '../property/fast-check.js';

const config = { units: 96, inputs: 3, depth: 3, bseriesOrder: 2, sourceDeadlineMs: 20_000 };
// As a continued series is planned.
const plan = { membranes: 'all', standardise: false } as const;

let processor: DtesnProcessor;
let standardising: DtesnProcessor;
beforeAll(async () => {
  processor = await DtesnProcessor.create({ config, plan });
  standardising = await DtesnProcessor.create({ config, engine: processor.engine, plan: { standardise: true } });
});
afterAll(async () => {
  await standardising.close();
  await processor.close();
});

function seriesOf(steps: number): number[][] {
  return Array.from({ length: steps }, (_, t) => [0, 1, 2].map((i) => Math.sin(t * 0.7 + i)));
}

/** `cuts`: lengths of the chunks but the last. */
function chunksOf(series: number[][], cuts: readonly number[]): number[][][] {
  const chunks: number[][][] = [];
  let start = 0;
  for (const length of [...cuts, series.length]) {
    const chunk = series.slice(start, start + length);
    if (chunk.length > 0) chunks.push(chunk);
    start += length;
  }
  return chunks;
}

describe('a series in chunks', () => {
  test('ends in the state of the whole series, to the bit, wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 6 }), async (cuts) => {
        const series = seriesOf(700);
        const whole = await processor.process(series);
        const continuation = processor.openContinuation();
        let last = null;
        for (const chunk of chunksOf(series, cuts)) {
          last = await processor.process(chunk, { continueFrom: continuation });
        }
        expect(last!.features.endState).toEqual(whole.features.endState);
        expect(last!.bseries).toEqual(whole.bseries);
        expect(continuation.steps).toBe(700);
        expect(Array.from(continuation.state)).toEqual(whole.features.endState);
      }),
      { numRuns: 20 },
    );
  });

  test('ends in the state of the whole series, to the bit, in native batches too', async () => {
    const series = seriesOf(500);
    const [whole] = await processor.processBatch([series]);
    const continuation = processor.openContinuation();
    const other = processor.openContinuation();
    let last = null;
    for (const chunk of chunksOf(series, [1, 17, 256, 3])) {
      const beside = ['a text beside', seriesOf(9), chunk, seriesOf(40)];
      const results = await processor.processBatch(beside, { continueFrom: [null, null, continuation, other] });
      last = results[2];
    }
    expect(last).toMatchObject({ ok: true });
    expect((last as typeof whole & { ok: true }).features.endState).toEqual(
      (whole as typeof whole & { ok: true }).features.endState,
    );
    expect(other.steps).toBe(5 * 40);
  });

  test('tokens that are cut end in the state of the whole', async () => {
    const tokens = Array.from({ length: 300 }, (_, i) => (i * 37) % 250);
    const whole = await processor.process({ tokens });
    const continuation = processor.openContinuation();
    await processor.process({ tokens: tokens.slice(0, 111) }, { continueFrom: continuation });
    const last = await processor.process({ tokens: tokens.slice(111) }, { continueFrom: continuation });
    expect(last.features.endState).toEqual(whole.features.endState);
  });

  test('features are not standardised and no step is cut, which the result records', async () => {
    const continuation = standardising.openContinuation();
    const result = await standardising.process(seriesOf(50), { continueFrom: continuation });
    const plain = await processor.process(seriesOf(50));
    expect(result.features.endState).toEqual(plain.features.endState);
    const data = result.applied.filter(({ kind, applied }) => kind === 'data' && applied);
    expect(data.flatMap(({ operations }) => operations.map(({ op }) => op))).not.toContain('truncate');
    const cut = result.applied.find(({ transformation }) => transformation === 'normalize_to_model_constraints');
    expect(cut).toMatchObject({ applied: false, reason: expect.stringContaining('continued series') });
  });

  test('a chunk that fails or is aborted leaves the state as it was', async () => {
    const continuation = processor.openContinuation();
    await processor.process(seriesOf(20), { continueFrom: continuation });
    const before = continuation.state;
    await expect(processor.process([[1, 2]], { continueFrom: continuation })).rejects.toMatchObject({
      code: 'ERR_DTESN_SHAPE',
    });
    const stop = new AbortController();
    const running = processor.process(seriesOf(200_000), { continueFrom: continuation, signal: stop.signal });
    setTimeout(() => stop.abort(new Error('left')), 20);
    await expect(running).rejects.toThrow('left');
    expect(continuation.state).toEqual(before);
    expect(continuation.steps).toBe(20);
    await processor.process(seriesOf(5), { continueFrom: continuation });
    expect(continuation.steps).toBe(25);
  });

  test('a second chunk at the same time is refused', async () => {
    const continuation = processor.openContinuation();
    const first = processor.process(seriesOf(5000), { continueFrom: continuation });
    await expect(processor.process(seriesOf(5), { continueFrom: continuation })).rejects.toMatchObject({
      code: 'ERR_DTESN_BUSY',
    });
    const twice = processor.processBatch(['a', 'b'], { continueFrom: [continuation, continuation] });
    await expect(twice).rejects.toMatchObject({ code: 'ERR_DTESN_BUSY' });
    await first;
    expect(continuation.steps).toBe(5000);
  });

  test.each([
    ['of another processor', () => standardising.openContinuation()],
    ['of another kind', () => ({ steps: 1 }) as unknown as Continuation],
  ])('a continuation %s is refused', async (_, open) => {
    await expect(processor.process('text', { continueFrom: open() })).rejects.toMatchObject({
      code: 'ERR_DTESN_ARGUMENT',
    });
    await expect(processor.processBatch(['text'], { continueFrom: [open()] })).rejects.toThrow('of this processor');
  });

  test('a batch takes one continuation or null for each input', async () => {
    await expect(processor.processBatch(['a', 'b'], { continueFrom: [null] })).rejects.toThrow('an array of 2');
  });
});

test('a processor of one lane runs one input at a time', async () => {
  await using one = await DtesnProcessor.create({ config, engine: processor.engine, lanes: 1 });
  let running = 0;
  let most = 0;
  const { runAsync } = DeepTreeModel.prototype;
  const runs = vi.spyOn(DeepTreeModel.prototype, 'runAsync').mockImplementation(async function (
    this: DeepTreeModel,
    ...args: Parameters<typeof runAsync>
  ) {
    most = Math.max(most, ++running);
    return runAsync.apply(this, args).finally(() => running--);
  } as typeof runAsync);
  try {
    await Promise.all(Array.from({ length: 8 }, () => one.process('together')));
    expect(runs.mock.calls.length).toBeGreaterThanOrEqual(8);
  } finally {
    runs.mockRestore();
  }
  expect(most).toBe(1);
  const { current_processing_load: load } = await one.fetchResourceDataSource();
  expect(load).toMatchObject({ lanes: 1 });
  await expect(DtesnProcessor.create({ lanes: 0 })).rejects.toThrow('a whole number of runs');
});
