import { describe, expect, test } from 'vitest';
import {
  applyMultiSourceTransformations,
  createDataProcessingPipelines,
  defaultTarget,
  draftTransformations,
  explainPlan,
  type HostPipeline,
  type HostTransformation,
  type MultiSourceData,
  type MultiSourceDataOptions,
  multiSourceData,
  multiSourceDataSchema,
  type PlanTarget,
} from '../../src/pipeline/index.js';
import { type AdditionalSource, type Sources, sourceNames } from '../../src/sources/index.js';
import { programShape } from '../../src/transform/index.js';
import { additionalSource, failedAdditional, goodSources, withFailed } from '../aggregation/sources-fixture.js';

const tokens: PlanTarget = { ...defaultTarget(), cores: 4 };
const numbers: PlanTarget = { ...tokens, inputKind: 'numbers', inputs: 1 };

interface Given extends MultiSourceDataOptions {
  target?: PlanTarget;
  sources?: Sources;
  additional?: Record<string, AdditionalSource>;
}

function data({ target = numbers, sources = plain, additional = {}, ...options }: Given = {}): MultiSourceData {
  const made = multiSourceData({ sources, additional, timestamp: 1_700_000_000, elapsed_ms: 3 }, target, options);
  expect(multiSourceDataSchema.parse(made)).toEqual(made);
  return made;
}

/** Nothing is standardised: the engine is not ready. */
const plain = goodSources({ performance: { engine_ready: false } });

/** A pipeline of one transformation. */
function host(name: string, priority: number, transformation: Partial<HostTransformation>): HostPipeline {
  return {
    name,
    source: 'resources',
    priority,
    plan: () => ({
      transformations: [{ transformation: `${name}_step`, reason: 'the test asks for it', ...transformation }],
    }),
  };
}

function run(values: number[], plan: MultiSourceData, target = numbers) {
  const { capacity } = programShape(
    draftTransformations(plan, { ...target, steps: values.length }).program,
    values.length,
    1,
  );
  const buffer = new Float32Array(Math.max(1, capacity));
  buffer.set(values);
  const result = applyMultiSourceTransformations({ data: buffer, steps: values.length, features: 1 }, plan, target);
  const entry = (name: string) => result.applied.find(({ transformation }) => transformation === name);
  return { ...result, entry, values: [...buffer.slice(0, result.steps * result.features)] };
}

const double = host('double', 4, { operations: [{ op: 'scale', factor: 2, offset: 0 }] });
const add = host('add', 5, { operations: [{ op: 'scale', factor: 1, offset: 1 }] });

describe('a pipeline of the host', () => {
  test('acts among the three by its priority, and is published as they are', () => {
    const { processing_pipelines: plan } = data({ pipelines: [{ ...double, priority: 2 }] });
    expect(plan.data_flow_config.pipeline_order).toEqual([
      ...['model_aware_preprocessing', 'performance_optimized_processing', 'double', 'resource_aware_scaling'],
    ]);
    expect(plan.transformation_pipelines[2]).toMatchObject({
      ...{ name: 'double', source: 'resources', transformations: ['double_step'] },
      ...{ output_format: 'host_defined', priority: 2 },
    });
  });

  test('receives the record of one of the five sources, or the data of an additional source', () => {
    const given: unknown[] = [];
    const pipelines = ['model_config', 'queue'].map((source, i) => ({
      ...{ name: `of_${source}`, source, priority: i },
      plan: (from: unknown) => {
        given.push(from);
        return { transformations: [] };
      },
    }));
    data({ pipelines, additional: { queue: additionalSource({ data: { length: 7 } }) } });
    expect(given).toEqual([plain.model_config, { length: 7 }]);
  });

  test('is absent with the error of its source, and where there is no such source', () => {
    const pipelines = [
      { ...double, source: 'queue' },
      { ...add, source: 'unheard_of' },
    ];
    const { absent_pipelines } = data({ pipelines, additional: { queue: failedAdditional() } }).processing_pipelines;
    expect(absent_pipelines).toEqual([
      { name: 'double', source: 'queue', reason: 'it did not answer' },
      { name: 'add', source: 'unheard_of', reason: 'no source is known by the name unheard_of' },
    ]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no plan today');
      },
      /no plan today/,
    ],
    ['returns nothing', () => undefined, /at its root/],
    ['returns a promise', () => Promise.reject(new Error('later')), /received a promise/],
    [
      'names an unknown operation',
      () => ({ transformations: [{ transformation: 'x', reason: 'y', operations: [{ op: 'eval' }] }] }),
      /transformations\.0\.operations\.0/,
    ],
    [
      'sets a limit of 0',
      () => ({ transformations: [{ transformation: 'x', reason: 'y', limits: { threads: 0 } }] }),
      /limits\.threads/,
    ],
    [
      'sets an unknown limit',
      () => ({ transformations: [{ transformation: 'x', reason: 'y', limits: { cores: 1 } }] }),
      /cores/,
    ],
  ] as [string, () => never, RegExp][])(
    'whose plan %s is absent with the error, and the others act',
    (_, plan, message) => {
      const made = data({ pipelines: [{ ...double, plan }, add] });
      const { absent_pipelines, data_flow_config } = made.processing_pipelines;
      expect(absent_pipelines).toEqual([
        {
          name: 'double',
          source: 'resources',
          reason: expect.stringMatching(message),
          error: expect.stringMatching(message),
        },
      ]);
      expect(data_flow_config.pipeline_order).toContain('add');
      const result = run([1, 2], made);
      expect(result.values).toEqual([2, 3]);
      expect(result.entry('double')).toMatchObject({ applied: false, error: expect.stringMatching(message) });
    },
  );

  test('makes the data ready where every one of the five failed', () => {
    const given = { sources: withFailed(sourceNames), additional: { queue: additionalSource() } };
    expect(data(given)).toMatchObject({ transformation_ready: false, aggregation: { data_quality_score: 0 } });
    const made = data({ ...given, pipelines: [{ ...double, source: 'queue' }] });
    expect(made).toMatchObject({ transformation_ready: true, source_count: 0 });
    expect(run([1, 2], made).values).toEqual([2, 4]);
  });

  test('is explained with its operations and its limits', () => {
    const pipelines = [host('watch', 9, { operations: [{ op: 'log1p' }], limits: { threads: 1, batchSize: 2 } })];
    const explained = explainPlan(data({ pipelines })).find(({ name }) => name === 'watch');
    expect(explained?.transformations.map(({ kind, operation }) => [kind, operation])).toEqual([
      ['data', 'log1p'],
      ['limit', 'threads <= 1, batch_size <= 2'],
    ]);
  });
});

describe('priority', () => {
  test('of another order gives other numbers', () => {
    expect(run([1, 5], data({ pipelines: [double, add] })).values).toEqual([3, 11]);
    expect(run([1, 5], data({ pipelines: [double, add], priorities: { add: 0 } })).values).toEqual([4, 12]);
  });

  test('puts operations of a host before the limits of the model, or after them', () => {
    const sources = goodSources({ performance: { engine_ready: false }, model_config: { max_model_len: 3 } });
    const pipelines = [host('echo', 4, { on: 'tokens', operations: [{ op: 'repeat', times: 2 }] })];
    const steps = (priorities: Record<string, number>) =>
      run([7, 8, 9, 10], data({ target: tokens, sources, pipelines, priorities }), tokens).steps;
    expect(steps({})).toBe(6);
    expect(steps({ echo: 0 })).toBe(3);
  });

  test('of the three decides the number of threads that chunks are planned for', () => {
    const sources = goodSources({
      performance: { waiting: 3, concurrent_requests: 22 },
      resources: { memory_available_bytes: 2 ** 28 },
    });
    const chunk = (priorities: Record<string, number>) =>
      run([1, 2], data({ target: tokens, sources, priorities }), tokens).execution.chunkSteps;
    expect(chunk({})).toBe(2048); // two threads under load
    expect(chunk({ resource_aware_scaling: 0 })).toBe(1024); // four
  });

  test('of equal height keeps the order of declaration', () => {
    const pipelines = [
      { ...double, priority: 3 },
      { ...add, priority: 3 },
    ];
    const { pipeline_order } = data({ pipelines }).processing_pipelines.data_flow_config;
    expect(pipeline_order.slice(-3)).toEqual(['resource_aware_scaling', 'double', 'add']);
  });

  test('is the order of given data: each name acts once, and pipelines left out do not act', () => {
    const made = data({ pipelines: [double, add] });
    made.processing_pipelines.data_flow_config.pipeline_order = ['add', 'double', 'double'];
    const { values, applied } = run([1, 5], made);
    expect(values).toEqual([4, 12]);
    expect(applied.some(({ pipeline }) => pipeline === 'model_aware_preprocessing')).toBe(false);
  });
});

describe('a limit', () => {
  const limit = host('spare', 1, { limits: { threads: 1, batchSize: 4, chunkSteps: 32, activeMembranes: 2 } });

  test('bounds later settings, whose reasons name it', () => {
    const { execution, entry } = run([1, 2], data({ pipelines: [limit] }));
    expect(execution).toMatchObject({ threads: 1, batchSize: 4, chunkSteps: 32, activeMembranes: 2 });
    expect(entry('optimize_batch_size')).toMatchObject({
      effect: { quantity: 'batchSize', before: 4, after: 4 },
      reason: expect.stringContaining('32 is limited to 4 by spare'),
    });
  });

  test('never raises what is lower', () => {
    const { execution } = run([1, 2], data({ pipelines: [host('wide', 9, { limits: { threads: 99 } })] }));
    expect(execution.threads).toBe(4);
  });

  test('is used where chunks are planned after it', () => {
    const sources = goodSources({ resources: { memory_available_bytes: 2 ** 28 } });
    const chunk = (priority: number) =>
      run([1], data({ sources, pipelines: [host('one', priority, { limits: { threads: 1 } })] })).execution.chunkSteps;
    expect([chunk(0), chunk(9)]).toEqual([4096, 1024]);
  });
});

describe('an operation that cannot be applied', () => {
  const wrong: [string, Partial<HostTransformation>, PlanTarget, RegExp][] = [
    ['on tokens that leaves no ids', { on: 'tokens', operations: [{ op: 'log1p' }] }, tokens, /operation on tokens/],
    ['pads tokens with no id', { on: 'tokens', operations: [{ op: 'pad', steps: 9, value: 0.5 }] }, tokens, /token id/],
    ['embeds features', { operations: [{ op: 'embed', features: 16, seed: 0 }] }, tokens, /1 feature before embed/],
    ['gives the model other features', { operations: [{ op: 'embed', features: 4, seed: 0 }] }, numbers, /after embed/],
    [
      'brings other moments',
      { operations: [{ op: 'zscore', epsilon: 0, mean: [1, 2], deviation: [1, 2] }] },
      numbers,
      /2/,
    ],
    ['leaves no step', { operations: [{ op: 'truncate', steps: 0 }] }, numbers, /1 step or more/],
    ['outgrows the memory', { operations: [{ op: 'repeat', times: 2 ** 40 }] }, numbers, /available memory/],
    [
      'meets values that are no ids',
      {
        operations: [
          { op: 'scale', factor: 1, offset: 0.25 },
          { op: 'embed', features: 1, seed: 0 },
        ],
      },
      numbers,
      /token ids/,
    ],
  ];

  test.each(wrong)('because it %s is left out by itself', (_, transformation, target, message) => {
    const untouched = run([1, 2, 3], data({ target, pipelines: [double] }), target);
    const made = data({ target, pipelines: [host('wrong', 0, transformation), double] });
    const result = run([1, 2, 3], made, target);
    expect(result.entry('wrong_step')).toMatchObject({ applied: false, error: expect.stringMatching(message) });
    expect(result.values).toEqual(untouched.values);
    expect(result.entry('double_step')?.applied).toBe(true);
  });

  test.each(wrong)(
    "because it %s ends the input when errorHandling is 'fail'",
    (_, transformation, target, message) => {
      const made = data({ target, pipelines: [host('wrong', 0, transformation)], errorHandling: 'fail' });
      expect(() => run([1, 2, 3], made, target)).toThrow(
        expect.objectContaining({
          code: 'ERR_DTESN_TRANSFORMATION',
          message: expect.stringMatching(/wrong_step of the pipeline wrong/),
          cause: expect.objectContaining({ message: expect.stringMatching(message) }),
        }),
      );
    },
  );

  test('is one transformation: others of the same pipeline are applied', () => {
    const pipeline: HostPipeline = {
      ...{ name: 'two', source: 'resources', priority: 0 },
      plan: () => ({
        transformations: [
          { transformation: 'bad', operations: [{ op: 'truncate', steps: 0 }], reason: 'x' },
          { transformation: 'fine', operations: [{ op: 'scale', factor: 3, offset: 0 }], reason: 'x' },
        ],
      }),
    };
    expect(run([1, 2], data({ pipelines: [pipeline] })).values).toEqual([3, 6]);
  });

  test("is an error for an unknown pipeline and for a failed plan when errorHandling is 'fail'", () => {
    const unknown = data({ errorHandling: 'fail' });
    unknown.processing_pipelines.data_flow_config.pipeline_order.push('from_the_future');
    expect(() => draftTransformations(unknown, numbers)).toThrow(/from_the_future/);
    const broken: HostPipeline = {
      ...double,
      plan: () => {
        throw new Error('no plan today');
      },
    };
    const made = data({ pipelines: [broken], errorHandling: 'fail' });
    expect(() => draftTransformations(made, numbers)).toThrow(/no plan today/);
  });
});

test('operations on tokens are not applicable to numbers, and their reason says so', () => {
  const made = data({ pipelines: [host('cut', 0, { on: 'tokens', operations: [{ op: 'truncate', steps: 1 }] })] });
  const { steps, entry } = run([1, 2], made);
  expect(steps).toBe(2);
  expect(entry('cut_step')).toMatchObject({ applied: false, reason: expect.stringContaining('not applicable') });
});

test('data planned for tokens keep the length limit for numbers, and the vocabulary for tokens only', () => {
  const sources = goodSources({
    performance: { engine_ready: false },
    model_config: { max_model_len: 2, vocab_size: 2 },
  });
  expect(run([5, 6, 7], data({ target: tokens, sources }), numbers).values).toEqual([5, 6]);
});

test('a clip counts the values that it changes after earlier operations', () => {
  const clip = host('clip', 9, { operations: [{ op: 'clip', min: 0, max: 9 }] });
  const { values, entry } = run([1, 5, 6], data({ pipelines: [double, clip] }));
  expect(values).toEqual([2, 9, 9]);
  expect(entry('clip_step')?.effect).toEqual({ quantity: 'values outside [0, 9]', before: 2, after: 0 });
});

describe('wrong options', () => {
  const refused: [string, object, RegExp][] = [
    ['a misspelt option', { piplines: [] }, /did you mean pipelines/],
    ['nothing', null as never, /an object for the options of the plan but received null/],
    ['no array', { pipelines: 7 }, /an array of pipelines for pipelines but received 7/],
    ['a name of the three', { pipelines: [{ ...double, name: 'resource_aware_scaling' }] }, /no other pipeline/],
    ['a name that is taken', { pipelines: [double, double] }, /no other pipeline/],
    [
      'a priority that is no whole number',
      { pipelines: [{ ...double, priority: 1.5 }] },
      /a whole number for priority/,
    ],
    ['no plan', { pipelines: [{ ...double, plan: 3 }] }, /a function for plan/],
    ['an unknown pipeline', { priorities: { nothing: 1 } }, /names of pipelines/],
    ['an unknown flag', { flags: { turbo: true } }, /parallel_execution/],
    ['an unknown way of errors', { errorHandling: 'ignore' }, /'continue_with_available_data' or 'fail'/],
    ['a gate that is none', { gate: {} }, /a QualityGate for gate/],
  ];
  test.each(refused)('%s is refused by name', (_, options, message) => {
    expect(() =>
      multiSourceData({ sources: plain, additional: {}, timestamp: 0, elapsed_ms: 0 }, numbers, options),
    ).toThrow(message);
  });

  test('createDataProcessingPipelines takes the same options, and additional sources', () => {
    const made = data({ additional: { queue: additionalSource() }, pipelines: [{ ...double, source: 'queue' }] });
    const plan = createDataProcessingPipelines(plain, made.aggregation, numbers, {
      pipelines: [{ ...double, source: 'queue' }],
      additional: { queue: additionalSource() },
    });
    expect(plan).toEqual(made.processing_pipelines);
  });
});
