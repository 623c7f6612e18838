/** The first call of a process that is kept from its CPU: what this process answers itself does not fail for it. */
import { describe, expect, test } from 'vitest';
import { HttpEngine } from '../../src/engine/index.js';
import { DtesnProcessor } from '../../src/processor/index.js';
import { block } from '../abort/blocked-loop.js';
import { hungListener } from '../faults/hung-listener.js';

const config = { units: 64, bseriesOrder: 2 };

async function firstCall(blockAtMs: number) {
  await using processor = await DtesnProcessor.create({ config });
  expect(processor.config.sourceDeadlineMs).toBe(250);
  if (blockAtMs > 0) setTimeout(block, blockAtMs, 500);
  const answer = processor.process('Once upon a time');
  if (blockAtMs === 0) block(500);
  return answer;
}

describe('the first call has quality 1 and the tokens of its engine when the event loop is blocked for 500 ms', () => {
  test.each([0, 1, 5, 10, 20, 40])('%i ms after it began', async (blockAtMs) => {
    const { context, input } = await firstCall(blockAtMs);
    const failed = Object.values(context.sources).filter(({ state }) => state === 'error');
    expect(failed.map(({ error }) => error)).toEqual([]);
    expect(context.aggregation.data_quality_score).toBe(1);
    expect(context.sources.resources.state).toBe('ok');
    expect(input.encoder).toBe('engine');
  });
});

test('an engine elsewhere that does not answer still fails at its limit', async () => {
  const hung = await hungListener();
  try {
    await using processor = await DtesnProcessor.create({ config, engine: new HttpEngine(hung.url) });
    const { sources, elapsed_ms } = await processor.fetchMultiSourceData();
    expect(sources.performance.error).toBe('performance source did not answer within 150 ms (GET /metrics)');
    expect([sources.processing_state.state, sources.resources.state]).toEqual(['ok', 'ok']);
    expect(elapsed_ms).toBeLessThan(2000);
  } finally {
    await hung.close();
  }
});
