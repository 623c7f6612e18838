import { expect, test } from 'vitest';
import { DtesnProcessor } from '../../src/processor/index.js';

const config = { depth: 2, units: 16, bseriesOrder: 2, sourceDeadlineMs: 20_000 };

test('a plan is made again for every answer it depends on, also for two of the same millisecond', async () => {
  let length = 0;
  const processor = await DtesnProcessor.create({
    engine: null,
    config,
    flags: { enable_caching: true },
    sources: [{ name: 'queue', freshMs: 0, retryMs: 0, fetch: () => ({ length: ++length }) }],
    pipelines: [
      {
        name: 'queue_watch',
        source: 'queue',
        priority: 5,
        plan: (data: { length: number }) => ({
          transformations: [{ transformation: 'spare', limits: { chunkSteps: data.length }, reason: `${data.length}` }],
        }),
      },
    ],
  });
  for (let i = 0; i < 100; i++) {
    const { sources, processing_pipelines } = await processor.fetchMultiSourceData();
    const { length: said } = (sources as unknown as { queue: { data: { length: number } } }).queue.data;
    const planned = processing_pipelines.transformation_pipelines.find(({ name }) => name === 'queue_watch');
    expect(planned?.steps[0]?.reason).toBe(String(said));
  }
  await processor.close();
});
