/** A processor with a trained Esn: answers of the readout of exactly the levels that ran. */
import { afterAll, describe, expect, test, vi } from 'vitest';
import { Esn, type EsnOptions } from '../../src/esn/index.js';
import { DeepTreeModel, type DeepTreeOptions } from '../../src/network/index.js';
import { DtesnProcessor, dtesnResultSchema, type ProcessorOptions } from '../../src/processor/index.js';
import { Predictor } from '../../src/processor/prediction.js';

const u = Array.from({ length: 300 }, (_, t) => [Math.sin(t / 3), Math.cos(t / 7)]);
const y = u.map((_, t) => [(u[t - 2]?.[0] ?? 0) * (u[t - 1]?.[1] ?? 0), u[t - 4]?.[1] ?? 0]);
const tree = (options: Partial<DeepTreeOptions> = {}) =>
  new DeepTreeModel({ depth: 3, units: 40, inputs: 2, leak: 0.6, seed: 3, dtype: 'f32', ...options });
const trained = (options: Partial<EsnOptions> = {}) =>
  new Esn({ network: tree(), nested: true, washout: 20, readout: { ridge: 1e-5 }, ...options }).fit(u, y);

const opened: DtesnProcessor[] = [];
afterAll(async () => {
  for (const one of opened) await one.close();
});
async function processorOf(esn: Esn, options: ProcessorOptions = {}): Promise<DtesnProcessor> {
  const config = { sourceDeadlineMs: 20_000, seed: 1 };
  const processor = await DtesnProcessor.create({ engine: null, config, esn, plan: 'fixed', ...options });
  opened.push(processor);
  return processor;
}

/** The last row of predict. */
function lastOf(esn: Esn, levels: number, steps = u.length): number[] {
  const { rows, cols, data } = esn.predict(u.slice(0, steps), { state: 'reset', levels });
  return [...data.subarray((rows - 1) * cols)];
}

function near(found: readonly number[] | undefined, wanted: readonly number[]): void {
  expect(found!.length).toBe(wanted.length);
  found!.forEach((value, i) => {
    expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-4);
  });
}

describe('predictions', () => {
  test.each([
    ['all', 3],
    [4, 3],
    [3, 2],
    [2, 2],
    [1, 1],
  ] as const)('with %s membranes are those of %i levels', async (membranes, levels) => {
    const esn = trained();
    const result = await (await processorOf(esn, { plan: { membranes } })).process(u);
    const { nrmse } = esn.levels[levels - 1]!;
    expect(result.predictions).toMatchObject({ levels, of: 3, nrmse });
    near(result.predictions?.outputs, lastOf(esn, levels));
    expect(dtesnResultSchema.parse(JSON.parse(JSON.stringify(result))).predictions).toEqual(result.predictions);
  });

  test('come with batches and chunks, and without the inputs among the features', async () => {
    const esn = trained({ features: ['states'] });
    const processor = await processorOf(esn);
    const batch = await processor.processBatch([u, u.slice(0, 50)]);
    near(batch[0]!.ok ? batch[0]!.predictions?.outputs : [], lastOf(esn, 3));
    near(batch[1]!.ok ? batch[1]!.predictions?.outputs : [], lastOf(esn, 3, 50));
    const continuation = processor.openContinuation();
    await processor.process(u.slice(0, 120), { continueFrom: continuation });
    const { predictions } = await processor.process(u.slice(120), { continueFrom: continuation });
    near(predictions?.outputs, lastOf(esn, 3));
  });

  test('read the series as it is, although the quality is high: features are not standardised', async () => {
    const esn = trained();
    const processor = await processorOf(esn, { engine: undefined, plan: 'adaptive' });
    const { predictions } = await processor.process(u);
    near(predictions?.outputs, lastOf(esn, predictions!.levels));
  });

  test('are null without an Esn, and the error where no fold was left out', async () => {
    const processor = await DtesnProcessor.create({ engine: null, config: { units: 40, sourceDeadlineMs: 20_000 } });
    opened.push(processor);
    expect((await processor.process([[...Array(16).keys()]])).predictions).toBeNull();
    const esn = trained({ readout: { ridge: 1e-5, folds: 1 } });
    expect((await (await processorOf(esn)).process(u)).predictions?.nrmse).toBeNull();
  });

  test('are by the readouts at create, also while the Esn is fitted again; a continued chunk counts once', async () => {
    const esn = trained();
    const before = lastOf(esn, 3);
    const processor = await processorOf(esn);
    const fitting = esn.fitAsync(
      u.map(([a, b]) => [a! / 2, b! / 2]),
      y.map(() => [1, 2]),
    );
    const continuation = processor.openContinuation();
    await processor.process(u.slice(0, 120), { continueFrom: continuation });
    near((await processor.process(u.slice(120), { continueFrom: continuation })).predictions?.outputs, before);
    expect(continuation.steps).toBe(300);
    await fitting;
    near((await processor.process(u)).predictions?.outputs, before);
  });

  test('that fail leave a continued chunk to be sent again', async () => {
    const processor = await processorOf(trained());
    const continuation = processor.openContinuation();
    const failing = vi.spyOn(Predictor.prototype, 'predict').mockImplementationOnce(() => {
      throw new Error('no prediction');
    });
    await expect(processor.process(u, { continueFrom: continuation })).rejects.toThrow(/no prediction/);
    failing.mockRestore();
    expect(continuation.steps).toBe(0);
    expect(processor.metrics().inputs).toMatchObject({ finished: 0, failed: { unknown: 1 } });
  });

  test('are null where not even the first level ran whole', async () => {
    const esn = trained({ network: tree({ depth: undefined, parents: [null, null, 0, 1] }) });
    expect((await (await processorOf(esn, { plan: { membranes: 1 } })).process(u)).predictions).toBeNull();
    expect((await (await processorOf(esn, { plan: { membranes: 3 } })).process(u)).predictions?.levels).toBe(1);
  });

  test('a closed processor leaves the network of the Esn open', async () => {
    const esn = trained();
    const processor = await DtesnProcessor.create({ engine: null, esn });
    expect(processor.config).toMatchObject({ depth: 3, units: 40, inputs: 2 });
    await processor.close();
    expect(lastOf(esn, 2).length).toBe(2);
  });
});

test.each([
  ['one that is not nested', () => trained({ nested: false }), /an Esn with nested/],
  ['one without a fit', () => new Esn({ network: tree(), nested: true }), /call fit first/],
  ['another dtype', () => trained({ network: tree({ dtype: 'f64' }) }), /'f32'/],
  ['scaled inputs', () => trained({ scale: 'standard' }), /esn\.scale/],
  [
    'as many other features',
    () => trained({ features: [{ feature: 'delays', count: 1, of: 'inputs', stride: 1 }, 'states'] }),
    /\['inputs', 'states'\] or \['states'\]/,
  ],
  [
    'further features',
    () => trained({ features: ['inputs', { feature: 'delays', count: 1, of: 'inputs', stride: 1 }, 'states'] }),
    /\['inputs', 'states'\] or \['states'\]/,
  ],
] as [string, () => Esn, RegExp][])('an Esn is refused: %s', async (_name, make, message) => {
  const esn = make;
  await expect((async () => DtesnProcessor.create({ engine: null, esn: esn() }))()).rejects.toThrow(message);
});

test('options of the model beside an Esn are refused, and what is no Esn', async () => {
  await expect(DtesnProcessor.create({ esn: trained(), model: { leak: 0.1 } })).rejects.toThrow(/no model with esn/);
  await expect(DtesnProcessor.create({ esn: {} as Esn })).rejects.toThrow(/a trained Esn with nested/);
});
