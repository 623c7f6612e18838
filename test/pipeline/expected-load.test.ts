/** Load that a forecast expects is planned for beside the load that was measured. */
import { describe, expect, test } from 'vitest';
import { aggregateMultiSourceData, type ExpectedLoad } from '../../src/aggregation/index.js';
import {
  createDataProcessingPipelines,
  defaultTarget,
  type MultiSourceDataOptions,
  multiSourceData,
  type PlanTarget,
} from '../../src/pipeline/index.js';
import { DtesnProcessor } from '../../src/processor/index.js';
import { goodSources } from '../aggregation/sources-fixture.js';
import { memoryEngine } from '../sources/memory-engine.js';

const target: PlanTarget = { ...defaultTarget(), cores: 4 };
const high: ExpectedLoad = { seconds: 10, waiting: 40, kvUsage: 0.97 };

function step(options: MultiSourceDataOptions, transformation: string, sources = goodSources()) {
  const set = { sources, additional: {}, timestamp: 1_700_000_000, elapsed_ms: 3 };
  const { transformation_pipelines } = multiSourceData(set, target, options).processing_pipelines;
  return transformation_pipelines.flatMap(({ steps }) => steps).find((one) => one.transformation === transformation)!;
}

describe('load that is expected to be high', () => {
  test('halves the threads and switches the deepest level off, as measured load does, and gives the reason', () => {
    expect(step({}, 'adjust_concurrency').parameters).toEqual({ threads: 4 });
    const threads = step({ expectedLoad: high }, 'adjust_concurrency');
    expect(threads.parameters).toEqual({ threads: 2 });
    expect(threads.reason).toContain("in 10 s 40 requests are expected to wait in the engine's queue");
    expect(threads.reason).toContain("in 10 s the engine's KV memory is expected to be 97 % full");
    const [all, shed] = [{}, { expectedLoad: high }].map((options) => step(options, 'distribute_processing_load'));
    expect(shed!.parameters.active_membranes).toBeLessThan(all!.parameters.active_membranes!);
  });

  test('is planned for by createDataProcessingPipelines, and leaves the aggregation as it was measured', () => {
    const sources = goodSources();
    const aggregation = aggregateMultiSourceData(sources);
    const { transformation_pipelines } = createDataProcessingPipelines(sources, aggregation, target, {
      expectedLoad: high,
    });
    const steps = transformation_pipelines.flatMap((pipeline) => pipeline.steps);
    expect(steps.find(({ transformation }) => transformation === 'adjust_concurrency')!.parameters.threads).toBe(2);
    expect(aggregation.optimization_hints).toMatchObject({ high_load_detected: false, high_load_reasons: [] });
  });

  test('is asked for at each plan where it is a function', () => {
    const said: (ExpectedLoad | null)[] = [null, high, null];
    const options = { expectedLoad: () => said.shift() ?? null };
    const threads = [1, 2, 3].map(() => step(options, 'adjust_concurrency').parameters.threads);
    expect(threads).toEqual([4, 2, 4]);
  });
});

test.each<[string, ExpectedLoad]>([
  ['as many wait as run', { seconds: 10, waiting: 19 }],
  ['the KV memory is 95 % full', { seconds: 10, kvUsage: 0.95 }],
  ['nothing is known', { seconds: 10, waiting: null, kvUsage: null }],
])('no load is expected to be high where %s', (_, expectedLoad) => {
  expect(step({ expectedLoad }, 'adjust_concurrency').parameters).toEqual({ threads: 4 });
});

test('load that was measured stays high, whatever is expected', () => {
  const sources = goodSources({ performance: { waiting: 3 } });
  const { reason } = step({ expectedLoad: { seconds: 10, waiting: 0 } }, 'adjust_concurrency', sources);
  expect(reason).toContain("3 requests wait in the engine's queue");
});

test.each<[string, unknown, RegExp]>([
  ['a text', 'high', /an object \{ seconds, waiting\?, kvUsage\? \}/],
  ['no time', { waiting: 3 }, /seconds/],
  ['an unknown field', { seconds: 10, waitng: 3 }, /did you mean waiting/],
  ['a share above 1', { seconds: 10, kvUsage: 97 }, /from 0 to 1/],
])('refused: %s', (_, expectedLoad, message) => {
  expect(() => step({ expectedLoad: expectedLoad as never }, 'adjust_concurrency')).toThrow(message);
});

test('a processor plans by what is expected at the moment of the plan', async () => {
  let expected: ExpectedLoad | null = null;
  await using processor = await DtesnProcessor.create({
    engine: memoryEngine(),
    config: { depth: 3, units: 48, inputs: 4, bseriesOrder: 2, sourceDeadlineMs: 20_000 },
    expectedLoad: () => expected,
  });
  const reason = async () => {
    const { processing_pipelines } = await processor.fetchMultiSourceData();
    const steps = processing_pipelines.transformation_pipelines.flatMap((pipeline) => pipeline.steps);
    return steps.find(({ transformation }) => transformation === 'adjust_concurrency')!.reason;
  };
  expect(await reason()).not.toContain('expected');
  expected = high;
  expect(await reason()).toMatch(/load is high .*in 10 s 40 requests are expected to wait/);
  expected = null;
  expect(await reason()).not.toContain('expected');
});
