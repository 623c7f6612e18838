/**
 * The parts of a processor, opened from its options: engine, model, sources, planner, caches.
 *
 * Every option is described where it is declared (ProcessorOptions), the configuration in config.ts, the quality gate in
 * aggregation/quality-gate.ts. Unknown options are errors.
 */
import { z } from 'zod';
import { type Clock, clockOption } from '../abort/index.js';
import { type QualityChange, QualityGate, type QualityGateOptions } from '../aggregation/index.js';
import { type Engine, HttpEngine } from '../engine/index.js';
import { argumentError, checkOptions, rangeError } from '../errors/index.js';
import { type Esn, isEsn } from '../esn/index.js';
import { usableCpus } from '../host/index.js';
import { native, type Progress, threadCount } from '../native/index.js';
import { type ConstructOptions, DeepTreeModel } from '../network/index.js';
import { type HostPipeline, type PlanOptions, type PlanPins, type PlanTarget, pinsSchema } from '../pipeline/index.js';
import {
  type AdditionalSourceOptions,
  type FreshnessOptions,
  SourceFetcher,
  type SourceProviders,
} from '../sources/index.js';
import { levelSizes } from '../trees/index.js';
import { membraneName } from './assemble-result.js';
import { createConfig, type DtesnConfig, type DtesnConfigInput } from './config.js';
import { type EngineChoice, engineOf } from './engine-choice.js';
import type { ContextOrigin } from './engine-context.js';
import { Lane, type ModelOptions } from './lane.js';
import { Planner } from './planner.js';
import { Pool } from './pool.js';
import { Predictor } from './prediction.js';
import { ProcessorMetrics } from './processor-metrics.js';
import { treesTo } from './stages.js';
import { TokenCache } from './token-cache.js';
import { SeriesMemory } from './work-memory.js';

/** A further provider of sources. */
export interface ProviderOptions {
  /**
   * Name of the provider in records and metrics: a-z, 0-9, _ and -, beginning with a letter, at most 64 characters. Required.
   */
  name: string;
  /** An engine, or the URL of one, which the processor then opens and closes. Required. */
  engine: Engine | string;
  /** Sources requested from it; by default all that it offers. */
  sources?: ('model_config' | 'tokenizer' | 'performance')[] | undefined;
}

/**
 * Options of DtesnProcessor.create. Errors: TypeError or RangeError ERR_DTESN_ARGUMENT that names the option; unknown
 * options are errors.
 */
export interface ProcessorOptions {
  /** An engine (it stays open when the processor closes), its URL, or null for none; by default the embedded simulation. */
  engine?: EngineChoice | undefined;
  /** Depth, units, inputs, order of the B-series, caching, deadline and seed; the environment's DTESN_* variables and defaults fill it up. */
  config?: DtesnConfigInput | undefined;
  /** Options of the Deep Tree model beyond the configuration; leak 0.5 and biasScaling 0.1 by default, the rest those of DeepTreeModel. */
  model?: Partial<ModelOptions> | undefined;
  /** A trained Esn with `nested` on a DeepTreeModel of f32, which is then the model: results have `predictions` of the levels that ran, by its readouts as they are at `create` (later fits change nothing here); none by default. */
  esn?: Esn | undefined;
  /** Sources that the host adds, at most 64; none by default. */
  sources?: readonly AdditionalSourceOptions[] | undefined;
  /** Pipelines of the host, each based on one source, beside the three; none by default. */
  pipelines?: readonly HostPipeline[] | undefined;
  /** Further providers of the sources of the engine, at most 16; none by default. */
  providers?: readonly ProviderOptions[] | undefined;
  /** freshMs, maxStaleMs and retryMs in milliseconds by source name; defaults and bounds are in docs/multi-source.md. */
  freshness?: FreshnessOptions | undefined;
  /** A folder that stores facts of model and tokenizer beyond the process; none by default. */
  keepIn?: string | undefined;
  /** Priorities by pipeline name; 1, 2 and 3 of the three by default. Pipelines act from the least to the greatest. */
  priorities?: Readonly<Record<string, number>> | undefined;
  /** Switches of the plan that are pinned, by the names that the published format gives them; by default the figures decide. */
  flags?: PlanOptions['flags'];
  /** What happens where a transformation fails: 'continue_with_available_data' (default) leaves it out, 'fail' ends the input. */
  errorHandling?: PlanOptions['errorHandling'];
  /** Load that a forecast expects of the engine; what will be high counts as high load. A function is called for each plan. None by default. */
  expectedLoad?: PlanOptions['expectedLoad'];
  /** Quality counts as high strictly above it, in [0, 1]; 0.7 by default. */
  qualityThreshold?: number | undefined;
  /** High quality stays so until it falls below threshold - hysteresis, in [0, 1]; 0.05 by default. */
  hysteresis?: number | undefined;
  /** What is judged: 'plain' (default) is successful / 5, 'graded' is quality_detail.score. */
  qualityMeasure?: 'plain' | 'graded' | undefined;
  /** Whether the threshold is learned within [0.5, 0.95]; false by default. */
  adaptive?: boolean | undefined;
  /** 'adaptive' (default); 'fixed': every core and membrane, standardisation as first judged; or what is pinned (pipeline/pins.ts). */
  plan?: 'adaptive' | 'fixed' | PlanPins | undefined;
  /** How long the context of one input (its sources and plan) also serves later inputs: milliseconds, 0 to 1,000; 0 by default, which reads the sources for each input. `contextUse.ageMs` of a result is the age of its context. Where `config.caching` is false no context is shared. */
  contextFreshMs?: number | undefined;
  /** Clock of waits and ages; the system's monotonic clock by default. */
  clock?: Clock | undefined;
  /** Runs of the model at the same time, 1 to 1,024; one for each usable CPU by default. */
  lanes?: number | undefined;
  /** Bytes of token ids that are kept, 1 to 2^40; 33,554,432 by default. */
  cacheBytes?: number | undefined;
  /** Ends create(), which then rejects with the signal's reason; none by default. */
  signal?: AbortSignal | undefined;
  /** Called while create() makes the model; not called by default. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** Options that are checked where they are used. */
const passed = <T>(description: string) =>
  z
    .custom<T>(() => true)
    .optional()
    .describe(description);
type Options = Required<ProcessorOptions>;

/** Its input type is ProcessorOptions, which a type test checks. */
export const processorOptionsSchema = z.object({
  engine: passed<Options['engine']>('an engine, its URL, or null'),
  config: passed<Options['config']>('an object'),
  model: passed<Options['model']>('an object'),
  esn: z.custom<Esn>(isEsn).optional().describe('a trained Esn with nested'),
  sources: passed<Options['sources']>('an array of sources'),
  pipelines: passed<Options['pipelines']>('an array of pipelines'),
  providers: z
    .array(
      z.strictObject({
        name: z.string(),
        engine: z.union([z.string(), z.custom<Engine>((value) => typeof (value as Engine)?.metrics === 'function')]),
        sources: z.array(z.enum(['model_config', 'tokenizer', 'performance'])).optional(),
      }),
    )
    .readonly()
    .default([])
    .describe('an array of { name, engine, sources? }'),
  freshness: passed<Options['freshness']>('an object by source name'),
  keepIn: passed<Options['keepIn']>('a folder'),
  priorities: passed<Options['priorities']>('numbers by pipeline name'),
  flags: passed<Options['flags']>('booleans by flag name'),
  errorHandling: passed<Options['errorHandling']>("'continue_with_available_data' or 'fail'"),
  expectedLoad: passed<Options['expectedLoad']>(
    'an object { seconds, waiting?, kvUsage? } or a function that returns one',
  ),
  qualityThreshold: passed<number>('a number in [0, 1]'),
  hysteresis: passed<number>('a number in [0, 1]'),
  qualityMeasure: passed<Options['qualityMeasure']>("'plain' or 'graded'"),
  adaptive: passed<boolean>('true or false'),
  plan: z
    .union([z.enum(['adaptive', 'fixed']), z.custom<PlanPins>((value) => typeof value === 'object' && value !== null)])
    .default('adaptive')
    .describe("'adaptive', 'fixed' or an object { threads?, membranes?, standardise? }"),
  contextFreshMs: z.number().min(0).max(1000).default(0).describe('milliseconds, 0 to 1000'),
  clock: clockOption,
  lanes: z.int().min(1).max(1024).optional().describe('a whole number of runs, 1 to 1024'),
  cacheBytes: z
    .int()
    .min(1)
    .max(2 ** 40)
    .default(32 * 2 ** 20)
    .describe('a whole number of bytes, 1 to 2^40'),
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
  onProgress: z
    .custom<(progress: Progress) => void>((value) => typeof value === 'function')
    .optional()
    .describe('a function ({ done, total, stage })'),
});

export interface ProcessorParts {
  config: DtesnConfig;
  engine: Engine | null;
  predictor: Predictor | null;
  first: Lane;
  lanes: Pool<Lane>;
  memory: Pool<SeriesMemory>;
  fetcher: SourceFetcher;
  providers: Required<SourceProviders>;
  planner: Planner;
  tokens: TokenCache;
  metrics: ProcessorMetrics;
  adaptive: boolean;
  pins: PlanPins;
  contextFreshMs: number;
  clock: Clock;
  origin: ContextOrigin;
  targetOf: (inputKind: PlanTarget['inputKind'], steps?: number) => PlanTarget;
  close: () => Promise<void>;
}

export async function openParts(
  options: ProcessorOptions,
  onChange: (change: QualityChange) => void,
): Promise<ProcessorParts> {
  const checked = checkOptions(processorOptionsSchema, options, 'DtesnProcessor');
  const { providers: given, cacheBytes, contextFreshMs, clock, plan, esn } = checked;
  const predictor = esn === undefined ? null : predictorOf(esn, options.model);
  const trained = predictor?.network ?? null;
  const config = createConfig({ ...options.config, ...(trained && sizesOf(trained)) });
  const pins = { ...(trained && { standardise: false }), ...pinsOf(plan) };
  const planOptions = { ...planOptionsOf(options, config), pins };
  const gate = new QualityGate({
    ...gateOptionsOf(options),
    plan: plan === 'fixed' ? 'fixed' : 'adaptive',
    clock,
    onChange,
  });
  const { signal, onProgress } = options;
  const model = trained ?? (await makeModel(config, options.model, { signal, onProgress }));
  const closeModel = () => {
    if (trained === null) model.close();
  };
  const made: Engine[] = [];
  try {
    if (typeof pins.membranes === 'number' && pins.membranes > model.membranes.length) {
      throw rangeError(
        `at most the ${model.membranes.length} membranes of the model`,
        'plan.membranes',
        pins.membranes,
      );
    }
    const first = new Lane(model);
    const { engine, owned } = await engineOf(options.engine);
    if (owned !== null) made.push(owned);
    const alternatives = given.map(({ name, engine: other, sources }) => {
      const opened = typeof other === 'string' ? new HttpEngine(other) : other;
      if (typeof other === 'string') made.push(opened);
      return { name, engine: opened, ...(sources && { sources }) };
    });
    const runs = checked.lanes ?? usableCpus();
    const lanes = new Pool(runs, () => new Lane(model), [first]);
    // Of each lane the series that runs, and the next one: a thousand callers hold their token ids and not their series.
    const memory = new Pool(2 * runs, () => new SeriesMemory());
    const tokens = new TokenCache(cacheBytes);
    const providers = providersOf(config, lanes, memory, model, kernelsAreRight());
    signal?.throwIfAborted();
    const fetcher = new SourceFetcher(engine, {
      deadlineMs: config.sourceDeadlineMs,
      providers,
      clock,
      ...(options.sources && { sources: options.sources }),
      ...(options.freshness && { freshness: options.freshness }),
      ...(options.keepIn !== undefined && { keepIn: options.keepIn }),
      ...(alternatives.length > 0 && { alternatives }),
    });
    return {
      config,
      engine,
      predictor,
      first,
      lanes,
      memory,
      fetcher,
      providers,
      planner: new Planner(planOptions, gate, clock),
      tokens,
      metrics: new ProcessorMetrics(clock),
      adaptive: options.adaptive === true,
      pins,
      contextFreshMs: config.caching ? contextFreshMs : 0,
      clock,
      origin: { engine: engine?.label ?? null, depth: model.depth, units: model.units, inputs: model.inputs },
      targetOf: (inputKind, steps) => targetOf(model, config, inputKind, steps),
      close: async () => {
        memory.close();
        for (const lane of lanes.close()) lane.close();
        await fetcher.close();
        await Promise.all(made.map((one) => one.close()));
        closeModel();
      },
    };
  } catch (error) {
    closeModel();
    await Promise.all(made.map((one) => one.close()));
    throw error;
  }
}

/** Without caching in the configuration nothing is reused, even with a ready engine. */
function planOptionsOf(options: ProcessorOptions, config: DtesnConfig): PlanOptions {
  const { pipelines, priorities, errorHandling, expectedLoad } = options;
  const flags = { ...(!config.caching && { enable_caching: false }), ...options.flags };
  return {
    flags,
    ...(pipelines && { pipelines }),
    ...(priorities && { priorities }),
    ...(errorHandling && { errorHandling }),
    ...(expectedLoad && { expectedLoad }),
  };
}

/** With 'fixed' the gate holds its first judgement of standardisation. */
function pinsOf(plan: 'adaptive' | 'fixed' | PlanPins): PlanPins {
  if (plan === 'fixed') return { threads: 'all', membranes: 'all' };
  return plan === 'adaptive' ? {} : checkOptions(pinsSchema, plan, 'plan');
}

function gateOptionsOf(options: ProcessorOptions): QualityGateOptions {
  const names = ['qualityThreshold', 'hysteresis', 'qualityMeasure', 'adaptive'] as const;
  return Object.fromEntries(names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])));
}

function targetOf(
  model: DeepTreeModel,
  config: DtesnConfig,
  inputKind: PlanTarget['inputKind'],
  steps: number | undefined,
): PlanTarget {
  return {
    inputKind,
    inputs: model.inputs,
    units: model.units,
    membranes: model.membranes.length,
    membraneLevels: levelSizes(model.membranes),
    bytesPerUnit: Float32Array.BYTES_PER_ELEMENT,
    cores: usableCpus(),
    steps,
    embeddingSeed: config.seed,
  };
}

function providersOf(
  config: DtesnConfig,
  lanes: Pool<Lane>,
  memory: Pool<SeriesMemory>,
  model: DeepTreeModel,
  echoKernAvailable: boolean,
): Required<SourceProviders> {
  const waiting = () => lanes.waiting + memory.waiting;
  return {
    processingState: () => ({
      membraneCacheSize: model.membranes.length,
      esnCacheSize: 1,
      bseriesCacheSize: treesTo(config.bseriesOrder).length,
      batchManagerActive: waiting() > 0,
      concurrencyManagerActive: lanes.busy > 0,
    }),
    resources: () => ({
      availableMembranes: model.membranes.map(membraneName),
      currentProcessingLoad: {
        lanes: lanes.made,
        arena_bytes: lanes.bytes + memory.bytes,
        addon_threads: threadCount(),
        lanes_busy: lanes.busy,
        inputs_waiting: waiting(),
      },
      echoKernAvailable,
    }),
  };
}

/** What answers for a trained Esn, whose network is then the model. */
function predictorOf(esn: Esn, model: ProcessorOptions['model']): Predictor {
  if (model !== undefined) throw argumentError('no model with esn', 'model', model);
  return new Predictor(esn);
}

function sizesOf({ depth, units, inputs }: DeepTreeModel): DtesnConfigInput {
  return { depth, units, inputs };
}

function makeModel(
  config: DtesnConfig,
  options: Partial<ModelOptions> = {},
  run: ConstructOptions,
): Promise<DeepTreeModel> {
  const model = {
    dtype: 'f32' as const,
    ...(options.parents === undefined && { depth: config.depth }),
    units: config.units,
    inputs: config.inputs,
    seed: config.seed,
    leak: 0.5,
    biasScaling: 0.1,
    ...definedOf(options),
  };
  return DeepTreeModel.constructAsync(model, run);
}

/** An option that is undefined counts as left out. */
function definedOf<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/**
 * Loads the addon and checks each kernel against its plain loop: some 0.2 s once a process, when the first processor is
 * made and not during a fetch.
 */
function kernelsAreRight(): boolean {
  kernels ??= native.checkKernels().every(({ ok }) => ok);
  return kernels;
}
let kernels: boolean | null = null;
