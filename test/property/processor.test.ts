/**
 * Random failures of sources, additional sources, flags, orders and inputs through the whole processor: whatever comes
 * together, a result is what its schema says, five sources are counted, nothing is invented, and pipelines act in their order.
 *
 * DTESN_LONG=1 draws 10,000 scenes instead of 1,000.
 */

import { expect, test } from 'vitest';
import { flagNames } from '../../src/pipeline/index.js';
import { DtesnProcessor, dtesnResultSchema } from '../../src/processor/index.js';
import { sourceNames } from '../../src/sources/index.js';
import { cases } from '../quick.js';
import { memoryEngine } from '../sources/memory-engine.js';
import fc from './fast-check.js';

const SCENES = process.env['DTESN_LONG'] ? 10_000 : 1000;
const LIMIT_MS = process.env['DTESN_LONG'] ? 600_000 : 120_000;
const config = { depth: 2, units: 8, bseriesOrder: 2, inputs: 3 };
const questions = ['models', 'version', 'health', 'metrics', 'tokenize', 'detokenize', 'modelFiles'] as const;

const additional = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('queue', 'gpu', 'price'),
    behaviour: fc.constantFrom('answers', 'answers', 'throws', 'rejects', 'is rubbish', 'is invalid'),
    value: fc.constantFrom(0, 1, 3, 700),
    weight: fc.constantFrom(0, 0.5, 1),
  }),
  { selector: ({ name }) => name, maxLength: 3 },
);
const text = fc.constantFrom('', 'a', 'two words', '\ud800', 'x'.repeat(70));
const numbers = fc.array(fc.tuple(...[0, 1, 2].map(() => fc.double({ min: -5, max: 5, noNaN: true }))), {
  maxLength: 9,
});
const input = fc.oneof(
  text,
  fc.record({ tokens: fc.array(fc.nat(400), { maxLength: 90 }) }),
  numbers,
  fc.constantFrom<unknown>(null, [[Number.NaN, 1, 2]], [[1]], 7),
);
const scene = fc.record({
  dead: fc.subarray([...questions]),
  additional,
  flags: fc.dictionary(fc.constantFrom(...flagNames), fc.boolean(), { noNullPrototype: true }),
  priorities: fc.dictionary(
    fc.constantFrom('model_aware_preprocessing', 'performance_optimized_processing', 'resource_aware_scaling', 'host'),
    fc.integer({ min: -3, max: 9 }),
    { noNullPrototype: true },
  ),
  source: fc.constantFrom('resources', 'model_config', 'queue'),
  errorHandling: fc.constantFrom('continue_with_available_data' as const, 'fail' as const),
  qualityMeasure: fc.constantFrom('plain' as const, 'graded' as const),
  inputs: fc.array(input, { minLength: 1, maxLength: 3 }),
});

type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

function optionsOf({ dead, additional: declared, flags, priorities, source, errorHandling, qualityMeasure }: Scene) {
  const gone = async () => {
    throw new Error('gone');
  };
  const engine = memoryEngine(Object.fromEntries(dead.map((name) => [name, gone])));
  const sources = declared.map(({ name, behaviour, value, weight }) => ({
    name,
    weight,
    constraints: ['max_concurrent', `${name}_room`],
    hints: ['high_load_detected'],
    fetch: () => {
      if (behaviour === 'throws') throw new Error('thrown');
      if (behaviour === 'rejects') return Promise.reject(new Error('rejected'));
      if (behaviour === 'is rubbish') return () => {};
      if (behaviour === 'is invalid') return { max_concurrent: 'many' };
      return { max_concurrent: value + 1, [`${name}_room`]: value, high_load_detected: value > 100 };
    },
  }));
  const host = {
    name: 'host',
    source,
    priority: 4,
    plan: () => ({
      transformations: [
        { transformation: 'halve', operations: [{ op: 'scale' as const, factor: 0.5, offset: 0 }], reason: 'drawn' },
      ],
    }),
  };
  return { engine, config, sources, flags, priorities, errorHandling, qualityMeasure, pipelines: [host] };
}

test(
  'every combination gives a result of the schema, or an error with a code',
  async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (drawn) => {
        const processor = await DtesnProcessor.create(optionsOf(drawn));
        try {
          for (const result of await processor.processBatch(drawn.inputs as never[])) {
            if (!result.ok) {
              expect(result.error.code).toMatch(/^ERR_DTESN_(EMPTY|ARGUMENT|SHAPE)$/);
              continue;
            }
            const plain = JSON.parse(JSON.stringify(result));
            expect(dtesnResultSchema.parse(plain)).toEqual(plain);
            checkContext(result.context, drawn);
          }
        } finally {
          await processor.close();
        }
      }),
      { numRuns: cases(SCENES) },
    );
  },
  LIMIT_MS,
);

function checkContext(context: Awaited<ReturnType<DtesnProcessor['fetchMultiSourceData']>>, drawn: Scene) {
  const { aggregation, sources, processing_pipelines: plan } = context;
  expect(aggregation.total_sources).toBe(5);
  expect(aggregation.successful_sources + aggregation.failed_sources).toBe(5);
  const failed = sourceNames.filter((name) => sources[name].state === 'error');
  expect(aggregation.failed_sources).toBe(failed.length);
  expect(context.source_count).toBe(5 - failed.length);
  expect(aggregation.additional_sources).toBe(drawn.additional.length);
  expect(Object.keys(aggregation.additional_errors).sort()).toEqual(
    drawn.additional.flatMap(({ name, behaviour }) => (behaviour === 'answers' ? [] : [name])).sort(),
  );
  // A failed source knows nothing, and what rests on it alone is unknown.
  if (sources.model_config.state === 'error') expect(aggregation.processing_constraints.vocab_size).toBeNull();
  if (sources.performance.state === 'error') {
    expect(sources.performance.running).toBeNull();
    expect(aggregation.processing_constraints.kv_tokens_free).toBeNull();
    expect(aggregation.optimization_hints.engine_optimizations_available).toBeNull();
  }
  for (const name of failed)
    for (const field of sources[name].unknown) expect(sources[name][field as never]).toBeNull();
  const priorities = plan.transformation_pipelines.map(({ priority }) => priority);
  expect(priorities).toEqual([...priorities].sort((a, b) => a - b));
  expect(plan.data_flow_config.pipeline_order).toEqual(plan.transformation_pipelines.map(({ name }) => name));
  for (const [name, value] of Object.entries(drawn.flags)) {
    const { data_flow_config, optimization_config } = plan;
    expect({ ...data_flow_config, ...optimization_config }).toMatchObject({ [name]: value });
  }
}
