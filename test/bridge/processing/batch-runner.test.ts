import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { BatchRunner, type BatchRunnerOptions } from '../../../src/bridge/processing/index.js';
import { DtesnError } from '../../../src/errors/index.js';
import { DtesnProcessor, dtesnResultSchema } from '../../../src/processor/index.js';
import { ManualClock } from '../../manual-clock.js';
import { heldProcessor } from './held-engine.js';
import { KeptMetrics } from './metrics.js';

const config = { units: 96, inputs: 3, depth: 3, bseriesOrder: 2, sourceDeadlineMs: 20_000 };
const plan = { membranes: 'all', standardise: false, threads: 1 } as const;

let processor: DtesnProcessor;
/** Of the same weights, on the same engine. */
let other: DtesnProcessor;
beforeAll(async () => {
  processor = await DtesnProcessor.create({ config, plan, lanes: 1 });
  other = await DtesnProcessor.create({ config, plan, lanes: 1, engine: processor.engine });
});
afterAll(async () => {
  await other.close();
  await processor.close();
});

function open(options: Partial<BatchRunnerOptions> = {}) {
  const metrics = new KeptMetrics();
  const runner = new BatchRunner({ processor, metrics, lanes: 1, batchWaitMs: 5, ...options });
  return { metrics, runner };
}

/** A runner whose model is busy with one text until `letGo`. */
async function busy(options: Partial<BatchRunnerOptions> = {}) {
  const { slow, held, letGo } = await heldProcessor({ config, plan });
  const { runner } = open({ processor: slow, ...options });
  const stop = new AbortController();
  const blocking = runner.process('held back', { client: 'first', signal: stop.signal });
  blocking.catch(() => {});
  await held;
  return { runner, slow, blocking, stop, letGo };
}

/** What arrived together begins in the next turn of the event loop. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const seriesOf = (steps: number, phase = 0) =>
  Array.from({ length: steps }, (_, t) => [0, 1, 2].map((i) => Math.sin(t * 0.7 + i + phase)));

function close(a: readonly (number | null)[], b: readonly (number | null)[], tolerance: number) {
  expect(a.length).toBe(b.length);
  for (const [i, value] of a.entries()) expect(Math.abs(value! - b[i]!)).toBeLessThanOrEqual(tolerance);
}

describe('one request', () => {
  test('its result is that of the processor to 1e-5, and valid JSON of the result schema', async () => {
    const { runner } = open();
    const result = await runner.process(seriesOf(80));
    const alone = await processor.process(seriesOf(80));
    close(result.features.endState, alone.features.endState, 1e-5);
    close(result.features.meanState, alone.features.meanState, 1e-5);
    const json = JSON.parse(JSON.stringify(result));
    expect(dtesnResultSchema.parse(json)).toEqual(json);
  });

  test.each([
    ['an empty text', '', 'impossible', 422],
    ['a series of other features', [[1, 2]], 'impossible', 422],
    ['a value that is not finite', [[1, Number.NaN, 2]], 'impossible', 422],
    ['a value that is no number', [[1, '2', 3]], 'malformed', 400],
    ['nothing', null, 'malformed', 400],
  ])('%s is refused with %s', async (_, input, code, status) => {
    await expect(open().runner.process(input as never)).rejects.toMatchObject({ code, status });
  });

  test('an abort while its batch is under way ends it with the reason, and the next one runs', async () => {
    const { runner, slow, blocking, stop } = await busy();
    stop.abort(new Error('left'));
    await expect(blocking).rejects.toThrow('left');
    await expect(runner.process(seriesOf(3))).resolves.toMatchObject({ ok: true });
    await slow.close();
  });
});

describe('requests that arrive together', () => {
  test('run as one native batch of the size of the plan, each with the result of a batch of one, to the bit', async () => {
    const { runner, metrics } = open();
    const inputs = Array.from({ length: 8 }, (_, i) => seriesOf(10 + 7 * i, i));
    const together = await Promise.all(inputs.map((input) => runner.process(input)));
    expect(together.map(({ batch }) => batch.size)).toEqual(Array(8).fill(8));
    expect(metrics.read('dtesn_batch_size')).toEqual([8]);
    for (const [i, input] of inputs.entries()) {
      const alone = await runner.process(input);
      expect(alone.batch.size).toBe(1);
      expect(alone.features).toEqual(together[i]!.features);
    }
  });

  test('more than a batch run as several, of which none is larger than the plan says', async () => {
    const { runner, metrics } = open();
    const results = await Promise.all(Array.from({ length: 30 }, (_, i) => runner.process(`text ${i}`)));
    const sizes = metrics.read('dtesn_batch_size');
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(30);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(results[0]!.execution.batchSize);
    expect(sizes.length).toBeLessThan(8);
  });

  test('of which one fails leave the others as they are', async () => {
    const { runner } = open();
    const outcomes = await Promise.allSettled([runner.process('a'), runner.process([[1, 2]]), runner.process('c')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('of which one is aborted under way give the others their results', async () => {
    const { slow, held, letGo } = await heldProcessor({ config, plan });
    const { runner, metrics } = open({ processor: slow });
    const stop = new AbortController();
    const running = [
      runner.process('held back'),
      runner.process(seriesOf(20), { signal: stop.signal }),
      runner.process(seriesOf(30)),
    ];
    await held;
    stop.abort(new Error('left'));
    await expect(running[1]).rejects.toThrow('left');
    letGo();
    const results = await Promise.all([running[0]!, running[2]!]);
    expect(metrics.read('dtesn_batch_size')).toEqual([3]);
    expect(results[1]!.features).toEqual((await runner.process(seriesOf(30))).features);
    expect(results[0]!.batch.size).toBe(3);
    await slow.close();
  });

  test('end their batch when all of them have left', async () => {
    const { runner, slow, blocking, stop } = await busy();
    stop.abort(new Error('left'));
    await expect(blocking).rejects.toThrow('left');
    await new Promise((turn) => setImmediate(turn));
    expect(slow.metrics().inputs.failed).toEqual({ aborted: 1 });
    await runner.close();
    await slow.close();
  });

  test('keep their own contexts apart', async () => {
    const { runner } = open();
    const given = await processor.fetchComprehensiveEngineContext();
    const [own, fetched] = await Promise.all([
      runner.process({ tokens: [1, 2, 3] }, { context: given }),
      runner.process({ tokens: [1, 2, 3] }),
    ]);
    expect(own!.contextUse.origin).toBe('given');
    expect(fetched!.contextUse.origin).toBe('fetched');
  });

  test('of which one has a context that is none fail alone', async () => {
    const { runner } = open();
    const outcomes = await Promise.allSettled([
      runner.process('a', { context: { no: 'context' } as never }),
      runner.process('b'),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  test('run once more one by one where their batch fails as a whole, so that one failure is one entry', async () => {
    const { runner } = open();
    const whole = processor.processBatch.bind(processor);
    const batches = vi.spyOn(processor, 'processBatch').mockImplementation((inputs, options) => {
      if (inputs.includes('too much')) throw new DtesnError('ERR_DTESN_MEMORY', 'no memory for it');
      return whole(inputs, options);
    });
    const entries = await runner.processBatch(['a', 'too much', 'c']);
    const sizes = batches.mock.calls.map(([inputs]) => inputs.length);
    batches.mockRestore();
    expect(sizes).toEqual([3, 1, 1, 1]);
    expect(entries.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(entries[1]).toEqual({ ok: false, error: { code: 'memory', message: expect.stringContaining('no memory') } });
  });

  test('wait for nothing when they are a full batch', async () => {
    const { runner } = open({ clock: new ManualClock() }); // time stands still
    const results = await Promise.all(Array.from({ length: 8 }, (_, i) => runner.process(seriesOf(4, i))));
    expect(results.map(({ batch }) => batch.size)).toEqual(Array(8).fill(8));
  });

  // batchWaitMs (1 - waiting / size)² = 5 (7/8)² = 3.83 ms
  test('wait for others when they are not a full batch, the longer the fewer they are', async () => {
    const clock = new ManualClock();
    const { runner, metrics } = open({ clock });
    const lone = runner.process(seriesOf(4));
    await clock.pass(3.8);
    expect(metrics.read('dtesn_batch_size')).toEqual([]);
    await clock.pass(0.1);
    expect(metrics.read('dtesn_batch_size')).toEqual([1]);
    await lone;
  });

  test('wait for nothing with batchWaitMs 0, and those of one turn of the event loop still run together', async () => {
    const { runner } = open({ clock: new ManualClock(), batchWaitMs: 0 });
    const [one, two] = await Promise.all([runner.process(seriesOf(4)), runner.process(seriesOf(5))]);
    expect([one!.batch.size, two!.batch.size]).toEqual([2, 2]);
  });

  test('a wait of more than 5 ms is refused', () => {
    expect(() => open({ batchWaitMs: 6 })).toThrow('milliseconds, 0 to 5');
  });
});

describe('a batch', () => {
  test('keeps the order of its inputs, and a failed one is one entry with its code', async () => {
    const { runner } = open();
    const entries = await runner.processBatch(['a', '', seriesOf(5), [[1]], { tokens: [1, 2, 3] }]);
    expect(entries.map(({ ok }) => ok)).toEqual([true, false, true, false, true]);
    expect(entries[1]).toEqual({ ok: false, error: { code: 'impossible', message: expect.stringContaining('step') } });
    expect(entries[2]).toMatchObject({ ok: true, result: { input: { kind: 'numbers', steps: 5 } } });
    expect(entries[4]).toMatchObject({ ok: true, result: { input: { kind: 'tokens', steps: 3 } } });
    expect(await runner.processBatch([])).toEqual([]);
  });

  test('is admitted whole or not at all', async () => {
    const { runner } = open({ maxRequests: 10 });
    await expect(runner.processBatch(Array(6).fill('a'))).rejects.toMatchObject({ code: 'body_too_large' });
    expect(runner.waiting).toBe(0);
    const first = runner.processBatch(Array(5).fill('a'), { client: 'a' });
    await expect(runner.process('b', { client: 'a' })).rejects.toMatchObject({ code: 'client_share', status: 429 });
    expect((await first).every(({ ok }) => ok)).toBe(true);
  });

  test('ends with the reason of its signal', async () => {
    const { runner, slow, letGo } = await busy();
    const stop = new AbortController();
    const running = runner.processBatch(['a', 'b'], { signal: stop.signal });
    stop.abort(new Error('left'));
    await expect(running).rejects.toThrow('left');
    expect(runner.waiting).toBe(0);
    letGo();
    await slow.close();
  });
});

describe('under load', () => {
  test('work that is not begun within its budget is dropped with budget, and what waits longer is done', async () => {
    const { runner, slow, blocking, letGo } = await busy();
    const [late, patient] = [runner.process('late', { budgetMs: 20 }), runner.process(seriesOf(4))];
    await expect(late).rejects.toMatchObject({ code: 'budget', status: 504 });
    letGo();
    await expect(blocking).resolves.toMatchObject({ ok: true });
    await expect(patient).resolves.toMatchObject({ ok: true });
    await slow.close();
  });

  test.each([
    [1, [1, 2, 3, 4, 5, 6]],
    [4, [1, 2, 3, 0, 1, 2]],
    [6, [1, 2, 3, 4, 5, 0]],
  ])('beside a batch of %i, one more begins once as many requests wait, of four at least', async (size, waiting) => {
    const { slow, held, letGo } = await heldProcessor({ config, plan });
    const { runner } = open({ processor: slow, batchWaitMs: 0 });
    const running: Promise<unknown>[] = [runner.processBatch(Array.from({ length: size }, (_, i) => `held ${i}`))];
    await held;
    const seen: number[] = [];
    for (let i = 0; i < 6; i++) {
      running.push(runner.process(`held beside ${i}`));
      await turn();
      seen.push(runner.waiting);
    }
    expect(seen).toEqual(waiting);
    letGo();
    await Promise.all(running);
    await slow.close();
  });

  test('what waited for a batch runs in batches of eight, answered in their order', async () => {
    const { slow, held, letGo } = await heldProcessor({ config, plan });
    const { runner, metrics } = open({ processor: slow });
    const ended: number[] = [];
    const running: Promise<unknown>[] = [runner.process('held back')];
    await held;
    for (let i = 0; i < 18; i++) running.push(runner.process(seriesOf(4, i)).then(() => ended.push(i)));
    letGo();
    await Promise.all(running);
    expect(metrics.read('dtesn_batch_size')).toEqual([1, 8, 8, 2]);
    expect(ended).toEqual(Array.from({ length: 18 }, (_, i) => i));
    await slow.close();
  });

  test('a high request overtakes low ones that came before it', async () => {
    const { runner, slow, letGo } = await busy();
    const ended: string[] = [];
    const running = Array.from({ length: 7 }, (_, i) =>
      runner.process(seriesOf(4, i), { priority: 'low' }).then(() => ended.push('low')),
    );
    running.push(runner.process(seriesOf(4), { priority: 'high' }).then(() => ended.push('high')));
    letGo();
    await Promise.all(running);
    expect(ended[0]).toBe('high');
    await slow.close();
  });
});

describe('life', () => {
  test('replace moves further requests to another processor and resolves when the old one is idle', async () => {
    const { runner, slow, blocking, letGo } = await busy();
    let free = false;
    const replaced = runner.replace(other).then((old) => {
      free = true;
      return old;
    });
    const count = other.metrics().inputs.finished;
    const after = runner.process(seriesOf(4));
    await new Promise((turn) => setTimeout(turn, 10));
    expect(free).toBe(false);
    letGo();
    await blocking;
    expect(await replaced).toBe(slow);
    await after;
    expect(other.metrics().inputs.finished).toBe(count + 1);
    await slow.close();
  });

  test('close drops what waits with draining and lets the batch under way end', async () => {
    const { runner, slow, blocking, letGo } = await busy();
    const refused = expect(runner.process('waiting')).rejects.toMatchObject({ code: 'draining', status: 503 });
    const closing = runner.close();
    await refused;
    letGo();
    await closing;
    await expect(blocking).resolves.toMatchObject({ ok: true });
    await expect(runner.process('x')).rejects.toMatchObject({ code: 'draining' });
    await slow.close();
  });
});
