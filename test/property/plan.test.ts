/** Laws of the plan that hold for any failures, switches, sources, pipelines and priorities: 10,000 scenes. */

import { expect, test } from 'vitest';
import { QualityGate } from '../../src/aggregation/index.js';
import {
  applyMultiSourceTransformations,
  defaultTarget,
  draftTransformations,
  type FlagName,
  flagNames,
  type HostPipeline,
  type MultiSourceDataOptions,
  multiSourceData,
  multiSourceDataSchema,
  type PlanTarget,
} from '../../src/pipeline/index.js';
import { type AdditionalSource, type SourceName, sourceNames } from '../../src/sources/index.js';
import { programShape, type TransformOp } from '../../src/transform/index.js';
import { additionalSource, failedAdditional, withFailed } from '../aggregation/sources-fixture.js';
import { cases } from '../quick.js';
import fc from './fast-check.js';

const target: PlanTarget = { ...defaultTarget(), cores: 4, inputs: 3 };

// What the sources let through are finite figures that are not negative; those of the five are whole.
const figure = fc.option(fc.constantFrom(0, 1, 3, 512, 2 ** 33), { nil: null });
const keys = fc.constantFrom('max_sequence_length', 'max_concurrent', 'vocab_size', 'memory_available_bytes', 'slots');
const hintKeys = fc.constantFrom('high_load_detected', 'engine_optimizations_available', 'warm');

const additional = fc.dictionary(
  fc.constantFrom('queue', 'gpu', 'disk'),
  fc
    .record({
      failed: fc.boolean(),
      weight: fc.double({ min: 0, max: 1, noNaN: true }),
      age_ms: fc.nat(100_000),
      constraints: fc.dictionary(keys, figure, { noNullPrototype: true }),
      hints: fc.dictionary(hintKeys, fc.option(fc.boolean(), { nil: null }), { noNullPrototype: true }),
    })
    .map(({ failed, ...changes }) => (failed ? failedAdditional(changes) : additionalSource(changes))),
  { noNullPrototype: true },
);

const operation: fc.Arbitrary<TransformOp> = fc.oneof(
  fc.record({ op: fc.constant('truncate' as const), steps: fc.nat(9) }),
  fc.record({ op: fc.constant('pad' as const), steps: fc.nat(40), value: fc.constantFrom(0, 0.5, 7) }),
  fc.record({ op: fc.constant('clip' as const), min: fc.constant(0), max: fc.nat(300) }),
  fc.record({ op: fc.constant('scale' as const), factor: fc.constantFrom(2, -1), offset: fc.constant(0.5) }),
  fc.record({ op: fc.constant('repeat' as const), times: fc.constantFrom(1, 2, 2 ** 50) }),
  fc.record({ op: fc.constant('embed' as const), features: fc.constantFrom(1, 3), seed: fc.nat(9) }),
  fc.record({ op: fc.constant('meanpool' as const), window: fc.integer({ min: 1, max: 4 }) }),
  fc.constant({ op: 'zscore' as const, epsilon: 0, mean: [1], deviation: [1] } as TransformOp),
);

const host = fc.record({
  source: fc.constantFrom<string>(...sourceNames, 'queue', 'gpu', 'unheard_of'),
  priority: fc.integer({ min: -2, max: 6 }),
  behaviour: fc.constantFrom('plans', 'plans', 'plans', 'throws', 'returns rubbish'),
  on: fc.constantFrom('tokens' as const, 'features' as const),
  operations: fc.array(operation, { maxLength: 3 }),
  threads: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
});

const pipelines = fc.array(host, { maxLength: 3 }).map((hosts) =>
  hosts.map(
    ({ source, priority, behaviour, on, operations, threads }, i): HostPipeline => ({
      ...{ name: `host_${i}`, source, priority },
      plan: () => {
        if (behaviour === 'throws') throw new Error('no plan');
        if (behaviour === 'returns rubbish') return { transformations: [{}] } as never;
        const limits = threads === undefined ? {} : { limits: { threads } };
        return { transformations: [{ transformation: `step_${i}`, on, operations, ...limits, reason: 'drawn' }] };
      },
    }),
  ),
);

const scene = fc.record({
  failed: fc.subarray([...sourceNames]),
  additional,
  pipelines,
  flags: fc.dictionary(fc.constantFrom(...flagNames), fc.boolean(), { noNullPrototype: true }),
  priorities: fc.dictionary(
    fc.constantFrom('model_aware_preprocessing', 'performance_optimized_processing', 'resource_aware_scaling'),
    fc.integer({ min: -2, max: 6 }),
    { noNullPrototype: true },
  ),
  gated: fc.boolean(),
  inputKind: fc.constantFrom('tokens' as const, 'numbers' as const),
  values: fc.array(fc.nat(400), { minLength: 1, maxLength: 8 }),
  flip: fc.constantFrom(...flagNames),
});

type Scene = typeof scene extends fc.Arbitrary<infer S> ? S : never;

function dataOf({ failed, additional, pipelines, flags, priorities, gated }: Scene, planTarget: PlanTarget) {
  const options: MultiSourceDataOptions = { pipelines, flags, priorities, ...(gated && { gate: new QualityGate() }) };
  const set = { sources: withFailed(failed), additional, timestamp: 1_700_000_000, elapsed_ms: 1 };
  return multiSourceData(set, planTarget, options);
}

/** Figures that some source said: the least of the known ones, or null. */
function leastKnown(own: number | null, key: string, additional: Record<string, AdditionalSource>): number | null {
  const said = Object.values(additional).flatMap(({ state, constraints }) => {
    const value = state === 'error' ? null : (constraints[key] ?? null);
    return value === null || value < 0 ? [] : [value];
  });
  const known = own === null ? said : [own, ...said];
  return known.length === 0 ? null : Math.min(...known);
}

const sourceOf: Record<string, SourceName> = {
  model_aware_preprocessing: 'model_config',
  performance_optimized_processing: 'performance',
  resource_aware_scaling: 'resources',
};

test('data match the schema, count five sources, invent no figure, and order pipelines by priority', () => {
  fc.assert(
    fc.property(scene, (given) => {
      const data = dataOf(given, target);
      const { failed, additional, pipelines, priorities } = given;
      expect(multiSourceDataSchema.parse(data)).toEqual(data);
      const { aggregation, processing_pipelines: plan } = data;
      expect(aggregation.successful_sources + aggregation.failed_sources).toBe(5);
      expect(aggregation.successful_sources).toBe(5 - failed.length);
      expect(aggregation.additional_successful + aggregation.additional_failed).toBe(Object.keys(additional).length);
      const bare = multiSourceData(
        { sources: withFailed(failed), additional: {}, timestamp: 0, elapsed_ms: 0 },
        target,
      ).aggregation;
      for (const [key, value] of Object.entries(aggregation.processing_constraints)) {
        const own = (bare.processing_constraints[key] ?? null) as number | null;
        expect([key, value]).toEqual([key, leastKnown(own, key, additional)]);
        expect([key, key in aggregation.constraint_origins]).toEqual([key, value !== null]);
      }
      const present = plan.transformation_pipelines;
      expect(plan.data_flow_config.pipeline_order).toEqual(present.map(({ name }) => name));
      const order = present.map(({ priority }) => priority);
      expect(order).toEqual([...order].sort((a, b) => a - b));
      expect(present.length + plan.absent_pipelines.length).toBe(3 + pipelines.length);
      for (const [name, source] of Object.entries(sourceOf)) {
        const there = present.find((pipeline) => pipeline.name === name);
        expect([name, there === undefined]).toEqual([name, failed.includes(source)]);
        if (there && name in priorities) expect(there.priority).toBe(priorities[name]);
      }
      expect(data.transformation_ready).toBe(present.length > 0);
    }),
    { numRuns: cases(4000) },
  );
}, 120_000);

test('a series always becomes features of the model, and what could not be applied has a reason', () => {
  fc.assert(
    fc.property(scene, (given) => {
      const { inputKind, values } = given;
      const planTarget: PlanTarget = { ...target, inputKind };
      const data = dataOf(given, planTarget);
      const features = inputKind === 'tokens' ? 1 : target.inputs;
      const series = inputKind === 'tokens' ? values : values.flatMap((value) => [value, value / 3, -value]);
      const { program } = draftTransformations(data, { ...planTarget, steps: values.length });
      const buffer = new Float32Array(programShape(program, values.length, features).capacity);
      buffer.set(series);
      const result = applyMultiSourceTransformations(
        { data: buffer, steps: values.length, features },
        data,
        planTarget,
      );
      expect(result.features).toBe(target.inputs);
      expect(result.steps).toBeGreaterThan(0);
      expect(buffer.subarray(0, result.steps * result.features).every(Number.isFinite)).toBe(true);
      for (const entry of result.applied) {
        if (entry.error !== undefined) expect(entry.applied).toBe(false);
        expect(entry.reason).not.toBe('');
      }
      const names = result.applied.filter(({ kind }) => kind === 'flow').map(({ transformation }) => transformation);
      expect(names).toEqual([...flagNames, 'error_handling', 'pipeline_order']);
    }),
    { numRuns: cases(3000) },
  );
}, 120_000);

const governs: Record<FlagName, string[]> = {
  parallel_execution: ['parallel', 'threads'],
  enable_caching: ['caching'],
  batch_processing: ['batch', 'batchSize'],
  memory_optimization: ['chunked', 'chunkSteps'],
  concurrent_execution: ['overlap'],
};

test('a switch that is flipped alone changes the execution in its own settings only', () => {
  fc.assert(
    fc.property(scene, (given) => {
      const { flip, values } = given;
      const planTarget = { ...target, steps: values.length };
      const at = (value: boolean) => {
        const data = dataOf({ ...given, flags: { ...given.flags, [flip]: value } }, planTarget);
        return draftTransformations(data, planTarget);
      };
      const [on, off] = [at(true), at(false)];
      expect(off.program).toEqual(on.program);
      const changed = (Object.keys(on.execution) as (keyof typeof on.execution)[]).filter(
        (key) => on.execution[key] !== off.execution[key],
      );
      expect(governs[flip]).toEqual(expect.arrayContaining(changed));
      const others = (draft: typeof on) => draft.applied.filter(({ transformation }) => transformation !== flip);
      expect(others(off)).toEqual(others(on));
    }),
    { numRuns: cases(3000) },
  );
}, 120_000);
