import { describe, expect, test } from 'vitest';
import { QualityGate } from '../../src/aggregation/index.js';
import {
  defaultTarget,
  draftTransformations,
  type ExecutionPlan,
  explainPlan,
  type FlagName,
  flagNames,
  type HostPipeline,
  type MultiSourceData,
  type MultiSourceDataOptions,
  multiSourceData,
  multiSourceDataSchema,
  type PlanTarget,
} from '../../src/pipeline/index.js';
import { goodSources, withFailed } from '../aggregation/sources-fixture.js';

/** 1024 units x 4 bytes x 4 threads: 16 KiB a step, of which 1/16 of 64 MiB holds 256. */
const target: PlanTarget = { ...defaultTarget(), cores: 4, steps: 1900 };
const sources = goodSources({ resources: { memory_available_bytes: 2 ** 26 } });

function data(options: MultiSourceDataOptions = {}, from = sources): MultiSourceData {
  const made = multiSourceData(
    { sources: from, additional: {}, timestamp: 1_700_000_000, elapsed_ms: 3 },
    target,
    options,
  );
  expect(multiSourceDataSchema.parse(made)).toEqual(made);
  return made;
}

function drafted(made: MultiSourceData, steps: number | undefined = 200) {
  const draft = draftTransformations(made, { ...target, steps });
  const flow = (name: string) => draft.applied.find((entry) => entry.kind === 'flow' && entry.transformation === name);
  return { ...draft, flow };
}

/** The same data with one switch changed by hand. */
function flipped(flag: FlagName, value: boolean): MultiSourceData {
  const made = data();
  const { data_flow_config, optimization_config } = made.processing_pipelines;
  if (flag === 'parallel_execution') data_flow_config.parallel_execution = value;
  else optimization_config[flag] = value;
  return made;
}

const changes: Record<FlagName, Partial<ExecutionPlan>> = {
  parallel_execution: { parallel: false, threads: 1 },
  enable_caching: { caching: false },
  batch_processing: { batch: false, batchSize: 1 },
  // 200 steps are fewer than 256: they are kept in one piece.
  memory_optimization: { chunked: false },
  concurrent_execution: { overlap: false },
};

describe('a switch', () => {
  const before = drafted(data());

  test.each(flagNames)('%s changes its own settings and nothing else', (flag) => {
    const after = drafted(flipped(flag, false));
    expect(after.execution).toEqual({ ...before.execution, ...changes[flag] });
    expect(after.program).toEqual(before.program);
    const others = (draft: typeof before) => draft.applied.filter(({ transformation }) => transformation !== flag);
    expect(others(after)).toEqual(others(before));
    expect(after.flow(flag)).toMatchObject({
      applied: false,
      reason: expect.stringMatching(/changed in the given data/),
    });
  });

  test.each(flagNames)('%s is set by the caller with that reason', (flag) => {
    const made = data({ flags: { [flag]: false } });
    expect(made.processing_pipelines.flag_reasons[flag]).toBe('false: set by the caller');
    expect(drafted(made).execution).toEqual({ ...before.execution, ...changes[flag] });
    expect(drafted(made).flow(flag)?.reason).toMatch(/^set by the caller; /);
  });

  test('has one entry with its reason in figures, in a fixed order', () => {
    const entries = before.applied.filter(({ kind }) => kind === 'flow');
    expect(entries.map(({ transformation, applied }) => [transformation, applied])).toEqual([
      ...flagNames.map((name) => [name, true]),
      ['error_handling', true],
      ['pipeline_order', true],
    ]);
    expect(before.flow('parallel_execution')?.reason).toBe('quality 1.0 is above 0.7; up to 4 threads');
    expect(before.flow('batch_processing')?.reason).toBe('4 inputs may be processed at once; batches of up to 32');
    expect(before.flow('pipeline_order')?.reason).toMatch(/^model_aware_preprocessing, performance_/);
  });

  test('a switch that the figures set to false gives them as its reason', () => {
    const made = data({}, withFailed(['tokenizer', 'resources']));
    expect(drafted(made).flow('parallel_execution')).toMatchObject({
      reason: 'quality 0.6 is not above 0.7; sequential_processing, one input after the other',
      effect: { quantity: 'threads', before: 4, after: 1 },
    });
    expect(drafted(made).flow('batch_processing')?.reason).toMatch(/^max_concurrent is unknown; /);
  });
});

describe('states in one piece', () => {
  const off = data({ flags: { memory_optimization: false } });

  test('states in one piece raise the chunk to the whole series where the memory share allows', () => {
    const long = goodSources({
      resources: { memory_available_bytes: 2 ** 34 },
      model_config: { max_model_len: 100_000 },
      tokenizer: { max_model_len: 100_000 },
    });
    const raised = drafted(data({ flags: { memory_optimization: false } }, long), 50_000);
    expect(raised.execution).toMatchObject({ chunked: false, chunkSteps: 50_000 });
    expect(raised.flow('memory_optimization')?.effect).toEqual({ quantity: 'chunkSteps', before: 4096, after: 50_000 });
  });

  test('stay in chunks where it does not, or where a figure is unknown', () => {
    const { execution, flow } = drafted(off, 1900);
    expect(execution).toMatchObject({ chunked: true, chunkSteps: 256 });
    expect(flow('memory_optimization')).toMatchObject({
      effect: null,
      reason: expect.stringContaining('31129600 bytes'),
    });
    const { steps: _, ...unknown } = target;
    const open = draftTransformations(off, unknown).applied.find(
      (entry) => entry.transformation === 'memory_optimization',
    );
    expect(open?.reason).toContain('length of the series is unknown');
    const dark = data({ flags: { memory_optimization: false } }, withFailed(['resources']));
    expect(drafted(dark).flow('memory_optimization')?.reason).toContain('available memory is unknown');
  });

  test('stay within the limit of a pipeline', () => {
    const narrow: HostPipeline = {
      ...{ name: 'narrow', source: 'resources', priority: 9 },
      plan: () => ({ transformations: [{ transformation: 'cut', limits: { chunkSteps: 100 }, reason: 'x' }] }),
    };
    const { execution, flow } = drafted(data({ flags: { memory_optimization: false }, pipelines: [narrow] }));
    expect(execution).toMatchObject({ chunked: true, chunkSteps: 100 });
    expect(flow('memory_optimization')?.reason).toContain('limited to 100 by narrow');
  });
});

describe('with a quality gate', () => {
  test('parallel execution and standardisation follow the quality gate, with its reason', () => {
    const made = data({ gate: new QualityGate({ qualityThreshold: 0.9 }) }, withFailed(['tokenizer']));
    const { data_flow_config, high_quality_optimizations, quality_gate, flag_reasons } = made.processing_pipelines;
    expect(data_flow_config.parallel_execution).toBe(false);
    expect(high_quality_optimizations.enabled).toBe(false);
    expect(quality_gate).toMatchObject({ score: 0.8, threshold: 0.9, above: false, standardise: false });
    expect(flag_reasons['parallel_execution']).toBe('false: quality 0.80 is not above 0.9 and the engine is ready');
  });

  test('standardisation is held while parallel execution follows at once', () => {
    const options = { gate: new QualityGate({ clock: () => 0 }) };
    const seen = [sources, withFailed(['tokenizer', 'resources']), sources].map((from) => {
      const { data_flow_config, high_quality_optimizations } = data(options, from).processing_pipelines;
      return [data_flow_config.parallel_execution, high_quality_optimizations.enabled];
    });
    expect(seen).toEqual([
      [true, true],
      [false, false],
      [true, false],
    ]);
  });

  test('the explanation has the gate', () => {
    const made = data({ gate: new QualityGate() });
    const flow = explainPlan(made).find(({ name }) => name === 'flow_control');
    expect(flow?.transformations.at(-1)).toEqual({
      ...{ transformation: 'quality_gate', kind: 'flow', operation: 'threshold = 0.7 (plain)' },
      reason: 'quality 1.00 is above 0.7 and the engine is ready',
    });
  });
});
