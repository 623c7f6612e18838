import { describe, expect, test } from 'vitest';
import {
  applyFlowControl,
  applyHighQualityOptimizations,
  applyModelAwarePreprocessing,
  applyMultiSourceTransformations,
  applyPerformanceOptimization,
  applyResourceScaling,
  type Draft,
  defaultExecution,
  defaultTarget,
  draftTransformations,
  initialDraft,
  type MultiSourceData,
  multiSourceData,
  type PlanTarget,
} from '../../src/pipeline/index.js';
import { type Sources, sourceNames } from '../../src/sources/index.js';
import { programShape, runProgram } from '../../src/transform/index.js';
import { goodSources, withFailed } from '../aggregation/sources-fixture.js';
import fc from '../property/fast-check.js';
import { cases } from '../quick.js';

const tokens: PlanTarget = { ...defaultTarget(), cores: 4 };
const numbers: PlanTarget = { ...tokens, inputKind: 'numbers', inputs: 3 };

function data(target: PlanTarget, sources: Sources = goodSources()): MultiSourceData {
  return multiSourceData({ sources, additional: {}, timestamp: 1_700_000_000, elapsed_ms: 3 }, target);
}

/** The series in a buffer that is wide enough for the plan. */
function series(values: number[], features: number, plan: MultiSourceData, target: PlanTarget) {
  const steps = values.length / features;
  const { capacity } = programShape(draftTransformations(plan, target).program, steps, features);
  const buffer = new Float32Array(Math.max(1, capacity));
  buffer.set(values);
  return { data: buffer, steps, features };
}

function run(values: number[], target: PlanTarget, sources?: Sources) {
  const plan = data(target, sources);
  const given = series(values, target.inputKind === 'tokens' ? 1 : target.inputs, plan, target);
  const result = applyMultiSourceTransformations(given, plan, target);
  const entry = (name: string) => result.applied.find(({ transformation }) => transformation === name);
  return { ...result, entry, rows: given.data.slice(0, result.steps * result.features) };
}

describe('the features that come out', () => {
  test('have the number of features of the model for every failure and every length of input', () => {
    const text = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.subarray([...sourceNames]), text, fc.integer({ min: 1, max: 20 }), (failed, ids, inputs) => {
        const sources = withFailed(failed);
        const embedded = run(ids, { ...tokens, inputs }, sources);
        expect([embedded.steps, embedded.features]).toEqual([ids.length, inputs]);
        const given = run(
          ids.flatMap((id) => Array(inputs).fill(id / 7)),
          { ...numbers, inputs },
          sources,
        );
        expect([given.steps, given.features]).toEqual([ids.length, inputs]);
      }),
      { numRuns: cases(60) },
    );
  });
});

describe('every transformation has an effect', () => {
  test('normalize_to_model_constraints keeps the first max_model_len steps', () => {
    const sources = goodSources({ model_config: { max_model_len: 2 } });
    const { steps, rows, entry } = run([1, 2, 3, 4, 5, 6, 7, 8, 9], numbers, withFailed(['performance'], sources));
    expect(steps).toBe(2);
    expect([...rows]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(entry('normalize_to_model_constraints')?.effect).toEqual({ quantity: 'steps', before: 3, after: 2 });
  });

  test('apply_vocab_limits clips ids beyond the vocabulary to the last one, before they are embedded', () => {
    const plain = withFailed(['performance']);
    const { rows, entry, features } = run([319, 5, 900], tokens, plain);
    expect([...rows.slice(0, features)]).toEqual([...rows.slice(2 * features)]);
    expect([...rows.slice(0, features)]).not.toEqual([...rows.slice(features, 2 * features)]);
    expect(entry('apply_vocab_limits')?.effect).toEqual({ quantity: 'values outside [0, 319]', before: 1, after: 0 });
  });

  test('embed_tokens is the seeded embedding of the program', () => {
    const target = { ...tokens, embeddingSeed: 42 };
    const { rows } = run([7, 8], target, withFailed(['performance']));
    const expected = new Float32Array(2 * target.inputs);
    expected.set([7, 8]);
    runProgram([{ op: 'embed', features: target.inputs, seed: 42 }], { data: expected, steps: 2, features: 1 });
    expect(rows).toEqual(expected);
  });

  test('standardize_features gives every feature mean 0 and deviation 1', () => {
    const { rows, features, steps, entry } = run([...Array(100).keys()], tokens);
    for (let feature = 0; feature < features; feature++) {
      const column = Array.from({ length: steps }, (_, step) => rows[step * features + feature]!);
      const mean = column.reduce((sum, x) => sum + x, 0) / steps;
      const variance = column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / steps;
      expect(mean).toBeCloseTo(0, 5);
      expect(variance).toBeCloseTo(1, 4);
    }
    expect(entry('standardize_features')).toMatchObject({ applied: true, effect: { after: features } });
  });

  test('the execution transformations set threads, batch, chunk and membranes', () => {
    const busy = goodSources({
      performance: { waiting: 3, concurrent_requests: 22 },
      resources: { memory_available_bytes: 2 ** 28 },
    });
    const { execution, entry } = run([1, 2], tokens, busy);
    expect(execution).toMatchObject({ threads: 2, batchSize: 32, chunkSteps: 2048, activeMembranes: 4 });
    expect(entry('adjust_concurrency')?.effect).toEqual({ quantity: 'threads', before: 4, after: 2 });
    expect(entry('optimize_batch_size')?.effect).toEqual({ quantity: 'batchSize', before: 8, after: 32 });
    expect(entry('scale_to_available_memory')?.effect).toEqual({ quantity: 'chunkSteps', before: 256, after: 2048 });
    expect(entry('distribute_processing_load')?.effect).toEqual({ quantity: 'activeMembranes', before: 8, after: 4 });
  });
});

test('the series is transformed in place: the buffer stays the same', () => {
  const plan = data(tokens);
  const given = series([1, 2, 3], 1, plan, tokens);
  const { buffer } = given.data;
  applyMultiSourceTransformations(given, plan, tokens);
  expect(given.data.buffer).toBe(buffer);
  expect(given.data[0]).not.toBe(1);
});

test('with every source failing the input still becomes features, on defaults', () => {
  const { execution, applied, features } = run([1, 2, 3], tokens, withFailed(sourceNames));
  expect(features).toBe(tokens.inputs);
  expect(execution).toEqual({
    ...defaultExecution(tokens),
    ...{ threads: 1, batchSize: 1, parallel: false, caching: false, batch: false, overlap: false },
  });
  expect(
    applied.filter((entry) => entry.applied && entry.kind !== 'flow').map(({ transformation }) => transformation),
  ).toEqual(['embed_tokens']);
});

test('a series of one step is not standardised: it has no deviation', () => {
  const { rows, entry } = run([9], tokens);
  expect(entry('standardize_features')).toMatchObject({ applied: false, reason: expect.stringContaining('2 steps') });
  expect([...rows].some((value) => value !== 0)).toBe(true);
});

test('a series without steps stays without steps', () => {
  expect(run([], tokens).steps).toBe(0);
});

describe('the five applications', () => {
  const plan = data(tokens);
  const steps = [
    applyModelAwarePreprocessing,
    applyPerformanceOptimization,
    applyResourceScaling,
    applyHighQualityOptimizations,
    applyFlowControl,
  ];

  test.each(steps.map((apply) => [apply.name, (d: Draft, p: MultiSourceData) => apply(d, p)] as const))(
    '%s leaves the draft it was given as it was',
    (_, apply) => {
      const draft = initialDraft(tokens);
      const before = structuredClone(draft);
      const after = apply(draft, plan);
      expect(draft).toEqual(before);
      expect(after).not.toEqual(before);
      expect(apply(draft, plan)).toEqual(after);
    },
  );

  test('the five applications in sequence give the whole draft', () => {
    const draft = steps.reduce((sofar, apply) => apply(sofar, plan), initialDraft(tokens));
    const { draftMs, ...whole } = draftTransformations(plan, tokens);
    expect(draft).toMatchObject(whole);
    expect(Object.keys(draftMs)).toEqual(plan.processing_pipelines.data_flow_config.pipeline_order);
    expect(draft.program.map(({ op }) => op)).toEqual(['truncate', 'clip', 'embed', 'zscore']);
  });

  test('the five applications change nothing when their pipeline is absent', () => {
    const nothing = data(tokens, withFailed(sourceNames));
    const draft = initialDraft(tokens);
    for (const apply of steps.slice(0, 3)) expect(apply(draft, nothing)).toEqual(draft);
  });
});

describe('what cannot be applied is recorded and the others are applied', () => {
  test('an unknown pipeline is recorded with its error', () => {
    const plan = data(tokens);
    plan.processing_pipelines.data_flow_config.pipeline_order.unshift('from_the_future');
    const { applied, execution } = applyMultiSourceTransformations(series([1, 2], 1, plan, tokens), plan, tokens);
    expect(applied).toContainEqual(
      expect.objectContaining({ applied: false, error: expect.stringContaining('future') }),
    );
    expect(execution.batchSize).toBe(32);
  });

  test('an operation that does not fit the series is recorded with its error', () => {
    const plan = data(numbers);
    const step = plan.processing_pipelines.transformation_pipelines[0]!.steps[0]!;
    step.operations = [{ op: 'embed', features: 2, seed: 0 }];
    const given = { data: Float32Array.of(1, 2, 3, 4, 5, 6), steps: 2, features: 3 };
    const { applied, features } = applyMultiSourceTransformations(given, plan, numbers);
    expect(features).toBe(3);
    expect(applied[0]).toMatchObject({ applied: false, error: expect.stringContaining('feature') });
    expect(applied).toContainEqual(expect.objectContaining({ transformation: 'standardize_features', applied: true }));
  });
});

test('a series that does not match the target is refused', () => {
  const plan = data(tokens);
  const wrong = { data: new Float32Array(100), steps: 2, features: 3 };
  expect(() => applyMultiSourceTransformations(wrong, plan, tokens)).toThrow(/tokens with 1 features.*received 3/);
});

test('a buffer without room for the features is refused', () => {
  const plan = data(tokens);
  expect(() =>
    applyMultiSourceTransformations({ data: new Float32Array(2), steps: 2, features: 1 }, plan, tokens),
  ).toThrow(expect.objectContaining({ code: 'ERR_DTESN_SHAPE' }));
});
