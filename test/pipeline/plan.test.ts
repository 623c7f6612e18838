import { describe, expect, test } from 'vitest';
import {
  defaultTarget,
  explainPlan,
  type MultiSourceData,
  multiSourceData,
  multiSourceDataSchema,
  type PlanTarget,
} from '../../src/pipeline/index.js';
import { type SourceName, type Sources, sourceNames } from '../../src/sources/index.js';
import { goodSources, withFailed } from '../aggregation/sources-fixture.js';
import fc from '../property/fast-check.js';

const target: PlanTarget = { ...defaultTarget(), cores: 4 };

function data(sources: Sources = goodSources(), planTarget: PlanTarget = target): MultiSourceData {
  return multiSourceData({ sources, additional: {}, timestamp: 1_700_000_000, elapsed_ms: 3 }, planTarget);
}

/** What a transformation was planned to set. */
function parameters(from: MultiSourceData, transformation: string) {
  const steps = from.processing_pipelines.transformation_pipelines.flatMap((pipeline) => pipeline.steps);
  return steps.find((step) => step.transformation === transformation)?.parameters;
}

describe('with every source', () => {
  const plan = data().processing_pipelines;

  test('the three published pipelines exist, in priority order', () => {
    const published = plan.transformation_pipelines.map(({ steps, ...rest }) => rest);
    expect(published).toEqual([
      {
        name: 'model_aware_preprocessing',
        source: 'model_config',
        transformations: ['normalize_to_model_constraints', 'apply_vocab_limits'],
        output_format: 'model_compatible',
        priority: 1,
      },
      {
        name: 'performance_optimized_processing',
        source: 'performance',
        transformations: ['adjust_concurrency', 'optimize_batch_size'],
        output_format: 'performance_tuned',
        priority: 2,
      },
      {
        name: 'resource_aware_scaling',
        source: 'resources',
        transformations: ['scale_to_available_memory', 'distribute_processing_load'],
        output_format: 'resource_optimized',
        priority: 3,
      },
    ]);
  });

  test('each pipeline has one step for each transformation, in the same order', () => {
    for (const { transformations, steps } of plan.transformation_pipelines) {
      expect(steps.map((step) => step.transformation)).toEqual(transformations);
    }
  });

  test('flow and optimisation are as published', () => {
    expect(plan.data_flow_config).toEqual({
      pipeline_order: ['model_aware_preprocessing', 'performance_optimized_processing', 'resource_aware_scaling'],
      parallel_execution: true,
      fallback_strategy: 'sequential_processing',
      error_handling: 'continue_with_available_data',
    });
    expect(plan.optimization_config).toEqual({
      enable_caching: true,
      batch_processing: true,
      memory_optimization: true,
      concurrent_execution: true,
    });
  });

  test('every step gives its reason in figures', () => {
    for (const { steps } of plan.transformation_pipelines) {
      for (const { reason } of steps) expect(reason).toMatch(/\d/);
    }
  });
});

describe('whatever fails', () => {
  const owner: Record<string, SourceName> = {
    model_aware_preprocessing: 'model_config',
    performance_optimized_processing: 'performance',
    resource_aware_scaling: 'resources',
  };

  test('the data match the schema, and a pipeline exists exactly when its source succeeded', () => {
    fc.assert(
      fc.property(fc.subarray([...sourceNames]), (failed) => {
        const result = data(withFailed(failed));
        expect(multiSourceDataSchema.parse(result)).toEqual(result);
        const present = Object.keys(owner).filter((name) => !failed.includes(owner[name]!));
        const { transformation_pipelines, data_flow_config, absent_pipelines } = result.processing_pipelines;
        expect(transformation_pipelines.map(({ name }) => name)).toEqual(present);
        expect(data_flow_config.pipeline_order).toEqual(present);
        expect(absent_pipelines.map(({ name }) => name)).toEqual(
          Object.keys(owner).filter((n) => !present.includes(n)),
        );
        expect(result.source_count).toBe(5 - failed.length);
        expect(result.transformation_ready).toBe(present.length > 0);
        expect(data_flow_config.parallel_execution).toBe(5 - failed.length > 3);
      }),
    );
  });

  test('an absent pipeline names the error of its source', () => {
    const { absent_pipelines } = data(withFailed(['resources'])).processing_pipelines;
    expect(absent_pipelines).toEqual([
      { name: 'resource_aware_scaling', source: 'resources', reason: 'resources source is not there' },
    ]);
  });

  test('unknown figures are never compared as numbers', () => {
    const sources = goodSources({
      model_config: { max_model_len: null, vocab_size: null, state: 'partial' },
      tokenizer: { max_model_len: null },
      resources: { max_concurrent_processes: null, memory_available_bytes: null },
      performance: { concurrent_requests: null, engine_ready: null },
    });
    const result = data(sources);
    expect(multiSourceDataSchema.parse(result)).toEqual(result);
    expect(result.processing_pipelines.optimization_config).toMatchObject({
      enable_caching: false,
      batch_processing: false,
      memory_optimization: false,
    });
    for (const name of [
      'normalize_to_model_constraints',
      'apply_vocab_limits',
      'optimize_batch_size',
      'scale_to_available_memory',
    ]) {
      expect(parameters(result, name)).toEqual({});
    }
  });
});

describe('what transformations become', () => {
  test('threads are the cores that may be used, half of them under high load', () => {
    expect(parameters(data(), 'adjust_concurrency')).toEqual({ threads: 4 });
    const limited = goodSources({ resources: { max_concurrent_processes: 2 } });
    expect(parameters(data(limited), 'adjust_concurrency')).toEqual({ threads: 2 });
    const busy = goodSources({ performance: { waiting: 5, concurrent_requests: 24 } });
    expect(parameters(data(busy), 'adjust_concurrency')).toEqual({ threads: 2 });
    expect(parameters(data(busy, { ...target, cores: 1 }), 'adjust_concurrency')).toEqual({ threads: 1 });
  });

  test.each([
    [0, 1],
    [1, 1],
    [2, 2],
    [19, 32],
    [64, 64],
    [5000, 64],
  ])('with %d requests in flight a batch has %d series', (inFlight, batch) => {
    const sources = goodSources({ performance: { concurrent_requests: inFlight } });
    expect(parameters(data(sources), 'optimize_batch_size')).toEqual({ batch_size: batch });
  });

  // 1 GiB / 16 = 64 MiB; 1024 units x 4 bytes x 4 threads = 16 KiB a step: exactly 4096 steps.
  test.each([
    [2 ** 30, 4096],
    [2 ** 29, 2048],
    [2 ** 34, 4096],
    [0, 16],
  ])('%d bytes available hold chunks of %d steps', (bytes, steps) => {
    const sources = goodSources({ resources: { memory_available_bytes: bytes } });
    expect(parameters(data(sources), 'scale_to_available_memory')).toEqual({ chunk_steps: steps });
  });

  test('levels are switched off from the deepest, under load only, and the skin never', () => {
    const active = (sources: Sources, levels: number[]) => {
      const membranes = levels.reduce((sum, level) => sum + level, 0);
      return parameters(data(sources, { ...target, membranes, membraneLevels: levels }), 'distribute_processing_load');
    };
    const queue = goodSources({ performance: { waiting: 5, concurrent_requests: 24 } });
    const flooded = goodSources({ resources: { current_processing_load: { cpu_pressure: 0.95 } } });
    expect(active(goodSources(), [1, 1, 2, 4])).toEqual({ active_membranes: 8 });
    expect(active(queue, [1, 1, 2, 4])).toEqual({ active_membranes: 4 });
    expect(active(flooded, [1, 1, 2, 4])).toEqual({ active_membranes: 2 });
    expect(active(flooded, [1, 1])).toEqual({ active_membranes: 1 });
    expect(active(flooded, [1])).toEqual({ active_membranes: 1 });
  });

  test('the vocabulary limit does not apply to numbers, and its reason says so', () => {
    const { transformation_pipelines } = data(goodSources(), { ...target, inputKind: 'numbers' }).processing_pipelines;
    expect(transformation_pipelines[0]?.steps[1]).toMatchObject({
      transformation: 'apply_vocab_limits',
      operations: [],
      reason: expect.stringContaining('not applicable'),
    });
  });
});

describe('high-quality optimisations', () => {
  const enabled = (sources: Sources) => data(sources).processing_pipelines.high_quality_optimizations.enabled;

  test('high-quality optimisations need more than 0.7: four sources are enough, three are not', () => {
    expect(enabled(withFailed(['tokenizer']))).toBe(true);
    expect(enabled(withFailed(['tokenizer', 'resources']))).toBe(false);
  });

  test('high-quality optimisations need an engine that is known to be ready', () => {
    expect(enabled(goodSources({ performance: { engine_ready: false } }))).toBe(false);
    expect(enabled(goodSources({ performance: { engine_ready: null } }))).toBe(false);
    expect(enabled(withFailed(['performance']))).toBe(false);
  });
});

test('the same sources and target give the same plan, as plain JSON', () => {
  const plan = data().processing_pipelines;
  expect(data().processing_pipelines).toEqual(plan);
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
});

test('a wrong target is refused by name', () => {
  expect(() => data(goodSources(), { ...target, cores: 0 })).toThrow(/for cores/);
  expect(() => data(goodSources(), { ...target, membranes: 9 })).toThrow(/for membraneLevels/);
  expect(() => data(goodSources(), { ...target, inputKind: 'text' as never })).toThrow(/for inputKind/);
});

describe('the explanation', () => {
  test('has every transformation with its operation and its reason', () => {
    const explained = explainPlan(data());
    expect(explained.map(({ name, present }) => [name, present])).toEqual([
      ['model_aware_preprocessing', true],
      ['performance_optimized_processing', true],
      ['resource_aware_scaling', true],
      ['high_quality_optimizations', true],
      ['flow_control', true],
    ]);
    const operations = explained.flatMap(({ transformations }) => transformations.map(({ operation }) => operation));
    expect(operations).toEqual([
      'truncate steps=2048 keep=first',
      'clip min=0 max=319',
      'threads = 4',
      'batch_size = 32',
      'chunk_steps = 4096',
      'active_membranes = 8',
      'zscore epsilon=1e-8',
      ...['true', 'true', 'true', 'true', 'true', 'continue_with_available_data'],
      'model_aware_preprocessing, performance_optimized_processing, resource_aware_scaling',
    ]);
  });

  test('gives the reason of an absent pipeline', () => {
    const absent = explainPlan(data(withFailed(sourceNames))).filter(({ present }) => !present);
    expect(absent.map(({ absence }) => absence)).toEqual([
      'quality 0.0 is not above 0.7 and it is unknown whether the engine is ready',
      'model_config source is not there',
      'performance source is not there',
      'resources source is not there',
    ]);
  });
});
