/**
 * What a processor is made of, opened from its options: engine, model, sources, planner, caches.
 *
 * Options beyond engine, config and model:
 *
 *     sources            additional sources (docs/multi-source.md)
 *     pipelines          pipelines that rest on any source
 *     providers          further engines that answer for some sources: { name, engine, sources }
 *     freshness, keepIn  how long answers serve, and a folder to keep model facts in
 *     priorities         order of the pipelines, by name
 *     flags              switches of the plan that are pinned, by name
 *     errorHandling      'continue_with_available_data' or 'fail'
 *     qualityThreshold, hysteresis, qualityMeasure, adaptive, plan     the quality gate (quality-gate.ts)
 *     cacheBytes         of kept token ids, 33,554,432
 */
import { z } from 'zod';
import { type QualityChange, QualityGate, type QualityGateOptions } from '../aggregation/index.js';
import { type Engine, HttpEngine } from '../engine/index.js';
import { checkOptions } from '../errors/index.js';
import { usableCpus } from '../host/index.js';
import { native, type Progress, threadCount } from '../native/index.js';
import { type ConstructOptions, DeepTreeModel } from '../network/index.js';
import type { PlanOptions, PlanTarget } from '../pipeline/index.js';
import {
  type AdditionalSourceOptions,
  SourceFetcher,
  type SourceFetcherOptions,
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
import { ProcessorMetrics } from './processor-metrics.js';
import { treesTo } from './stages.js';
import { TokenCache } from './token-cache.js';
import { SeriesMemory } from './work-memory.js';

/** An engine, or its URL, that answers for some of the sources; for all it can when `sources` is left out. */
export interface ProviderOptions {
  name: string;
  engine: Engine | string;
  sources?: ('model_config' | 'tokenizer' | 'performance')[];
}

export interface ProcessorOptions
  extends Pick<SourceFetcherOptions, 'freshness' | 'keepIn'>,
    Pick<PlanOptions, 'pipelines' | 'priorities' | 'flags' | 'errorHandling'>,
    Pick<QualityGateOptions, 'qualityThreshold' | 'hysteresis' | 'qualityMeasure' | 'adaptive' | 'plan'> {
  /** An engine, its URL, or null for none; left out: the embedded simulation. */
  engine?: EngineChoice;
  config?: DtesnConfigInput;
  /** Options of the Deep Tree model beyond those the configuration sets. */
  model?: Partial<ModelOptions>;
  /** Sources that the host adds. */
  sources?: readonly AdditionalSourceOptions[];
  providers?: readonly ProviderOptions[];
  /** Bytes of token ids that are kept. */
  cacheBytes?: number;
  /** Of the call of create. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** Checked elsewhere, each by what uses it. */
const passed = (description: string) => z.unknown().optional().describe(description);

const optionsSchema = z.object({
  engine: passed('an engine, its URL, or null'),
  config: passed('an object'),
  model: passed('an object'),
  sources: passed('an array of sources'),
  pipelines: passed('an array of pipelines'),
  providers: z
    .array(
      z.strictObject({
        name: z.string(),
        engine: z.union([z.string(), z.custom<Engine>((value) => typeof (value as Engine)?.metrics === 'function')]),
        sources: z.array(z.enum(['model_config', 'tokenizer', 'performance'])).optional(),
      }),
    )
    .default([])
    .describe('an array of { name, engine, sources? }'),
  freshness: passed('an object by source name'),
  keepIn: passed('a folder'),
  priorities: passed('numbers by pipeline name'),
  flags: passed('booleans by flag name'),
  errorHandling: passed("'continue_with_available_data' or 'fail'"),
  qualityThreshold: passed('a number in [0, 1]'),
  hysteresis: passed('a number in [0, 1]'),
  qualityMeasure: passed("'plain' or 'graded'"),
  adaptive: passed('true or false'),
  plan: passed("'adaptive' or 'fixed'"),
  cacheBytes: z
    .int()
    .min(1)
    .max(2 ** 40)
    .default(32 * 2 ** 20)
    .describe('a whole number of bytes, 1 to 2^40'),
  signal: z.instanceof(AbortSignal).optional().describe('an AbortSignal'),
  onProgress: passed('a function ({ done, total, stage })'),
});

export interface ProcessorParts {
  config: DtesnConfig;
  engine: Engine | null;
  first: Lane;
  lanes: Pool<Lane>;
  memory: Pool<SeriesMemory>;
  fetcher: SourceFetcher;
  providers: Required<SourceProviders>;
  planner: Planner;
  tokens: TokenCache;
  metrics: ProcessorMetrics;
  adaptive: boolean;
  origin: ContextOrigin;
  targetOf: (inputKind: PlanTarget['inputKind'], steps?: number) => PlanTarget;
  close: () => Promise<void>;
}

export async function openParts(
  options: ProcessorOptions,
  onChange: (change: QualityChange) => void,
): Promise<ProcessorParts> {
  const { providers: given, cacheBytes } = checkOptions(optionsSchema, options, 'DtesnProcessor');
  const config = createConfig(options.config);
  const planOptions = planOptionsOf(options, config);
  const gate = new QualityGate({ ...gateOptionsOf(options), onChange });
  const { signal, onProgress } = options;
  const model = await makeModel(config, options.model, { signal, onProgress });
  const first = new Lane(model);
  const { engine, owned } = await engineOf(options.engine);
  const made: Engine[] = owned === null ? [] : [owned];
  const alternatives = given.map(({ name, engine: other, sources }) => {
    const opened = typeof other === 'string' ? new HttpEngine(other) : other;
    if (typeof other === 'string') made.push(opened);
    return { name, engine: opened, ...(sources && { sources }) };
  });
  const cores = usableCpus();
  const lanes = new Pool(cores, () => new Lane(model), [first]);
  // Of each lane the series that runs, and the next one: a thousand callers hold their token ids and not their series.
  const memory = new Pool(2 * cores, () => new SeriesMemory());
  const tokens = new TokenCache(cacheBytes);
  const providers = providersOf(config, lanes, memory, model, kernelsAreRight());
  try {
    signal?.throwIfAborted();
    const fetcher = new SourceFetcher(engine, {
      deadlineMs: config.source_deadline_ms,
      providers,
      ...(options.sources && { sources: options.sources }),
      ...(options.freshness && { freshness: options.freshness }),
      ...(options.keepIn !== undefined && { keepIn: options.keepIn }),
      ...(alternatives.length > 0 && { alternatives }),
    });
    return {
      config,
      engine,
      first,
      lanes,
      memory,
      fetcher,
      providers,
      planner: new Planner(planOptions, gate),
      tokens,
      metrics: new ProcessorMetrics(),
      adaptive: options.adaptive === true,
      origin: { engine: engine?.label ?? null, depth: model.depth, units: model.units, inputs: model.inputs },
      targetOf: (inputKind, steps) => targetOf(model, config, inputKind, steps),
      close: async () => {
        memory.close();
        for (const lane of lanes.close()) lane.close();
        await fetcher.close();
        await Promise.all(made.map((one) => one.close()));
        model.close();
      },
    };
  } catch (error) {
    await Promise.all(made.map((one) => one.close()));
    throw error;
  }
}

/** Without caching in the configuration nothing is reused, whatever the engine says. */
function planOptionsOf(options: ProcessorOptions, config: DtesnConfig): PlanOptions {
  const { pipelines, priorities, errorHandling } = options;
  const flags = { ...(!config.enable_caching && { enable_caching: false }), ...options.flags };
  return {
    flags,
    ...(pipelines && { pipelines }),
    ...(priorities && { priorities }),
    ...(errorHandling && { errorHandling }),
  };
}

function gateOptionsOf(options: ProcessorOptions): QualityGateOptions {
  const names = ['qualityThreshold', 'hysteresis', 'qualityMeasure', 'adaptive', 'plan'] as const;
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
      bseriesCacheSize: treesTo(config.bseries_max_order).length,
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

function makeModel(
  config: DtesnConfig,
  options: Partial<ModelOptions> = {},
  run: ConstructOptions,
): Promise<DeepTreeModel> {
  const model = {
    dtype: 'f32' as const,
    depth: config.max_membrane_depth,
    units: config.esn_reservoir_size,
    inputs: config.input_dimension,
    seed: config.seed,
    leak: 0.5,
    biasScaling: 0.1,
    ...options,
  };
  return DeepTreeModel.constructAsync(model, run);
}

/**
 * The addon is loaded, and each kernel gave what its plain loop gives. It takes some 0.2 s, once a process: when the first
 * processor is made, not in the middle of a fetch.
 */
function kernelsAreRight(): boolean {
  kernels ??= native.checkKernels().every(({ ok }) => ok);
  return kernels;
}
let kernels: boolean | null = null;
